"""Chromium for tests of pages, and a site that answers it on a port of its own."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright
from werkzeug.serving import make_server

from tests.ledgers import prepare
from tests.web_steps import Site

CHROMIUM = "/usr/bin/chromium"
ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update"]
expect.set_options(timeout=15_000)  # milliseconds, on a busy machine


@pytest.fixture(scope="module", name="browser")
def launched() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield started
        started.close()


@pytest.fixture(name="page")
def opened(browser: Browser, served: Site) -> Iterator[Page]:
    """A page of the site that the test's module serves; nothing may be said on its console."""
    context = browser.new_context(viewport={"width": 1440, "height": 900}, base_url=served.address)
    page = context.new_page()
    said = complaints(page)
    yield page
    context.close()
    assert said == []


@contextmanager
def serving(site: Site) -> Iterator[Site]:
    """``site.address`` is where it answers."""
    prepare(site.engine)
    server = make_server("127.0.0.1", 0, site.app, threaded=True)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    site.address = f"http://127.0.0.1:{server.port}"
    yield site
    server.shutdown()
    thread.join()
    site.close()


def complaints(page: Page) -> list[str]:
    """What is said on its console from now on: errors, and broken security policies. Nothing should be."""
    said: list[str] = []
    page.on("console", lambda message: said.append(f"{page.url}: {message.text}"))
    page.on("pageerror", lambda error: said.append(f"{page.url}: {error}"))
    return said
