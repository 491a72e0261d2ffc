"""A person at the pages: Chromium fills in forms and sees runs succeed, with real workers behind."""

import statistics
import time
from collections.abc import Iterator
from html.parser import HTMLParser

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page, expect, sync_playwright

from ledger import fleet
from tests.servers import RabbitMQ
from tests.stack import Site, Stack
from workers import catalog

CHROMIUM = "/usr/bin/chromium"
ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update"]
DONE = 60_000  # milliseconds a run may take, on a busy machine


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield started
        started.close()


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """A page that must not say anything on its console: neither errors nor broken security policies."""
    context = browser.new_context(viewport={"width": 1440, "height": 900})
    opened = context.new_page()
    said: list[str] = []
    opened.on("console", lambda message: said.append(message.text) if is_complaint(message) else None)
    opened.on("pageerror", lambda error: said.append(str(error)))
    yield opened
    context.close()
    assert said == []


def is_complaint(message: ConsoleMessage) -> bool:
    """Chromium reports every form that comes back with its faults, which is what 422 is for."""
    return message.type in ("error", "warning") and "status of 422" not in message.text


def test_a_newcomer_makes_a_phantom_and_sees_its_pictures_without_a_reload(stack: Stack, page: Page):
    stack.processes.environment["JOBS"] = "workers.jobs"
    stack.workers(1, 4)
    stack.scheduler()
    site = stack.web()
    page.goto(f"{site.url}/jobs")
    page.get_by_role("link", name="volumes.phantom").first.click()
    page.get_by_role("button", name="Start").click()
    expect_done(page)
    page.goto(f"{site.url}/jobs/volumes.load")
    page.get_by_label("Path").fill("phantom.mpv")
    page.get_by_label("Shape").fill("110x110x187")
    page.evaluate("window.sameDocument = true")
    page.get_by_role("button", name="Start").click()
    page.wait_for_url("**/runs/*")
    page.evaluate("window.sameDocument = true")
    expect_done(page)
    pictures = page.locator("main img")
    expect(pictures).to_have_count(7, timeout=DONE)
    pictures.last.scroll_into_view_if_needed()
    page.wait_for_function("() => [...document.querySelectorAll('main img')].every((i) => i.naturalWidth > 50)")
    assert page.evaluate("window.sameDocument"), "the page was loaded anew"


def expect_done(page: Page) -> None:
    page.wait_for_url("**/runs/*")
    expect(page.locator("h1")).to_contain_text("Done", timeout=DONE)


def test_progress_is_seen_while_a_run_works_and_cancel_ends_it(embedded_stack: Stack, page: Page):
    stack = embedded_stack
    stack.processes.environment["JOBS"] = "workers.jobs"
    stack.workers(1, 2)
    site = stack.web()
    page.goto(f"{site.url}/jobs/demo.sleep")
    page.get_by_label("Seconds").fill("60")
    page.get_by_role("button", name="Start").click()
    expect(page.locator("h1")).to_contain_text("Running", timeout=DONE)
    expect(page.get_by_text("%").first).to_be_visible(timeout=DONE)
    page.get_by_role("button", name="Cancel").click()
    expect(page.locator("h1")).to_contain_text("Canceled", timeout=DONE)


def test_a_double_click_makes_one_run(embedded_stack: Stack, page: Page):
    stack = embedded_stack
    site = stack.web()
    announce_catalogue(stack)
    page.goto(f"{site.url}/jobs/add")
    page.get_by_role("textbox", name="X", exact=True).fill("1")
    page.get_by_role("button", name="Start").dblclick()
    page.wait_for_url("**/runs/*")
    assert stack.ask("SELECT count(*) FROM runs") == 1


def test_a_wrong_value_is_told_at_its_field_and_nothing_typed_is_lost(embedded_stack: Stack, page: Page):
    site = embedded_stack.web()
    announce_catalogue(embedded_stack)
    page.goto(f"{site.url}/jobs/report")
    page.get_by_label("Month").evaluate("field => field.type = 'text'")
    page.get_by_label("Month").fill("2026-13-01")
    page.get_by_label("Tags").fill("one\ntwo")
    page.get_by_role("button", name="Start").click()
    field = page.get_by_label("Month")
    expect(field).to_have_attribute("aria-invalid", "true")
    expect(field).to_have_value("2026-13-01")
    expect(page.get_by_label("Tags")).to_have_value("one\ntwo")


def announce_catalogue(stack: Stack) -> None:
    """A worker has told what there is to start."""
    with stack.sending() as jobs:
        announced = [catalog.announce(each) for each in (jobs.add, jobs.report)]
        fleet.register(stack.engine, fleet.NewProcess(kind="worker"), announced)


def test_forms_are_accepted_at_once_while_rabbitmq_is_stopped(rabbitmq_stack: Stack, rabbitmq: RabbitMQ):
    stack = rabbitmq_stack
    stack.workers(1, 4)
    stack.scheduler()
    site = stack.web()
    rabbitmq.stop()
    took = [post_form(site, number) for number in range(50)]
    rabbitmq.wipe()
    stack.wait_for_all(timeout=60)
    assert set(stack.witnessed("mark").values()) == {1} and len(stack.witnessed("mark")) == 50
    median, most = statistics.median(took) * 1000, max(took) * 1000
    print(f"50 forms with RabbitMQ stopped: median {median:.0f} ms, most {most:.0f} ms")


def post_form(site: Site, number: int) -> float:
    """Seconds until a filled-in form was answered with the way to its run."""
    form = HiddenFields(site.client.get("/jobs/mark").text).values
    began = time.perf_counter()
    answer = site.client.post("/jobs/mark/runs", data=form | {"arg-n": str(number)})
    took = time.perf_counter() - began
    assert answer.status_code == 303 and "/runs/" in answer.headers["location"]
    return took


class HiddenFields(HTMLParser):
    """Names and values of the hidden fields of a page's forms."""

    def __init__(self, html: str):
        super().__init__()
        self.values: dict[str, str] = {}
        self.feed(html)

    def handle_starttag(self, tag: str, attributes: list) -> None:
        found = dict(attributes)
        if tag == "input" and found.get("type") == "hidden" and "name" in found:
            self.values[found["name"]] = found.get("value") or ""
