"""Photos in Chromium, with Waybill's own processes and a feed on loopback, while a faked clock runs ahead."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, expect

from tests.chromium import (
    complaints,
    launched,  # noqa: F401
)
from tests.faults.clocks import FakeClock, library
from tests.feed_server import FeedServer, serving_feeds
from tests.stack import Stack
from tests.test_feeds_job import HOSTILE

QUARTER = 15 * 60
SOON = 30_000  # milliseconds until a run has ended and a poll brought it


@pytest.fixture(name="server")
def served() -> Iterator[FeedServer]:
    with serving_feeds() as server:
        yield server


@pytest.fixture(name="clock")
def faked(embedded_stack: Stack) -> FakeClock:
    assert library(), "apt-get install faketime"
    clock = FakeClock(embedded_stack.processes.folder)
    embedded_stack.processes.environment |= clock.environment
    return clock


def test_a_feed_is_scheduled_with_one_press_and_its_new_pictures_appear_once_each(
    browser: Browser, embedded_stack: Stack, clock: FakeClock, server: FeedServer
):
    stack = embedded_stack
    stack.processes.environment |= {"FEED_HOSTS_ALLOWED": server.place, "JOBS": "workers.jobs"}
    stack.workers(1, 1)
    stack.scheduler()
    page = browser.new_context(base_url=stack.web().url).new_page()
    said, foreign = complaints(page), []
    page.on("request", lambda request: foreign.append(request.url) if stack_url(stack) not in request.url else None)

    page.goto("/photos")
    page.get_by_label("Address of a feed").fill("http://169.254.169.254/latest/meta-data/")
    page.get_by_role("button", name="Ask it every 15 minutes").click()
    expect(page.locator("#schedule-feed-error")).to_contain_text("not on the public net")
    page.get_by_label("Address of a feed").fill(server.feed("a"))
    page.get_by_role("button", name="Ask it every 15 minutes").click()
    expect(page.locator("h1")).to_contain_text("Photos of 127.0.0.1")

    page.goto("/photos")
    clock.set(QUARTER)
    expect(page.locator(".photos li b")).to_have_text(["The lighthouse a"], timeout=SOON)
    server.feed("b", "a")
    clock.set(2 * QUARTER)
    page.get_by_role("link", name="1 new photo – show").click(timeout=SOON)
    clock.set(3 * QUARTER)
    stack.processes.wait_until(lambda: stack.states() == {"succeeded": 3}, 20, "three runs")
    page.reload()
    expect(page.locator(".photos li b")).to_have_text(["The lighthouse b", "The lighthouse a"])
    assert page.locator(".photos img").first.evaluate("image => image.decode().then(() => image.naturalWidth)") == 64

    page.locator(".photos a").first.click()
    page.locator("dl a[href^='/runs/']").click()
    expect(page.get_by_role("link", name="Open the photo")).to_be_visible()
    assert foreign == [] and all("422" in each for each in said)
    for name in ("a bomb for a picture", "an entity bomb"):
        ends_clearly(stack, server, name)


def stack_url(stack: Stack) -> str:
    return f"http://127.0.0.1:{stack.processes.environment['PORT']}/"


def ends_clearly(stack: Stack, server: FeedServer, name: str) -> None:
    """In a real worker, too."""
    answers, kind, why = HOSTILE[name]
    for path, body in answers.items():
        server.serve(path, body, "image/jpeg")
    server.serve("/again", b"", status=302, Location="/feed")
    if "/feed" not in answers:
        server.feed("c")
        server.serve("/c_b.jpg", answers["/a_b.jpg"], "image/jpeg")
    ended = stack.wait_for_state(stack.dispatch("feeds.save_latest", server.url("/again"), queue="feeds"), "failed")
    assert ended.error_type == kind.__name__ and why in ended.error
