"""The pages in Chromium: they live without getting in the way, can be read by all, and fit every screen."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect
from sqlalchemy import Engine

from ledger import clock, fleet, notes, recurrence, schedules
from ledger.claims import Claim
from ledger.engine import writing
from ledger.fleet import Job, NewProcess
from ledger.notes import LogLine
from ledger.progress import Progress, report
from ledger.schedules import NewSchedule
from tests.chromium import (
    complaints,
    launched,  # noqa: F401
    opened,  # noqa: F401
    serving,
)
from tests.ledger_steps import (
    HOUR,
    brought_to,
    dispatch,
    dispatch_many,
    failed,
    finish,
    retried,
    running,
    succeeded,
)
from tests.web_steps import Site

SOON = 20_000  # milliseconds for what a poll brings, on a busy machine
TRACEBACK = 'Traceback (most recent call last):\n  File "/app/jobs.py", line 7, in load\n    read()\nKeyError: 1'


@pytest.fixture
def served(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Site]:
    """A site of the settings that the test gives."""
    with serving(Site(tmp_path / "var", **getattr(request, "param", {}))) as site:
        yield site


@pytest.fixture
def engine(served: Site) -> Engine:
    return served.engine


def says(engine: Engine, claimed: Claim, done: int, note: str) -> None:
    with writing(engine) as connection:
        report(connection, [Progress(claimed, done, 400, note)])
        notes.add_logs(connection, [LogLine(claimed.id, 1, "INFO", "jobs", f"at {note}")])


# Live


def test_a_run_is_followed_to_its_end_without_a_reload(page: Page, engine: Engine):
    claimed = running(engine)
    page.goto(f"/runs/{claimed.id}")
    page.evaluate("window.sameDocument = true")
    says(engine, claimed, 100, "slice 100")
    expect(page.get_by_text("25 % – slice 100")).to_be_visible(timeout=SOON)
    says(engine, claimed, 200, "slice 200")
    expect(page.get_by_text("50 % – slice 200")).to_be_visible(timeout=SOON)
    expect(page.locator(".log li")).to_have_count(2)
    finish(engine, failed(claimed, traceback=TRACEBACK))
    expect(page.locator("h1")).to_contain_text("Failed", timeout=SOON)
    expect(page).to_have_title("add failed · Waybill")
    assert page.evaluate("window.sameDocument")
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.wait_for_event("request", lambda request: request.url.endswith("/strip"))
    assert not [url for url in asked if claimed.id in url], "a finished run was asked for again"


def test_focus_and_what_was_unfolded_outlive_an_update(page: Page, engine: Engine):
    claimed = running(engine)
    finish(engine, retried(claimed, retry_at=clock.now() + HOUR, traceback=LIBRARY_TRACEBACK))
    page.goto(f"/runs/{claimed.id}")
    page.locator(".trace summary").click()
    page.get_by_role("button", name="Cancel").focus()
    with writing(engine) as connection:
        notes.add_logs(connection, [LogLine(claimed.id, 1, "INFO", "jobs", "something new")])
    expect(page.get_by_text("something new")).to_be_visible(timeout=SOON)
    assert page.evaluate("document.activeElement.textContent") == "Cancel"
    assert page.locator(".trace details").get_attribute("open") is not None


LIBRARY_TRACEBACK = TRACEBACK.replace("/app/jobs.py", "/venv/lib/python3.11/site-packages/dramatiq/actor.py")


def test_new_runs_are_announced_and_nothing_moves(page: Page, engine: Engine):
    shown = dispatch(engine)
    page.goto("/runs")
    page.get_by_label("Search").fill("half a wo")
    dispatch(engine)
    expect(page.get_by_role("link", name="1 new run – show")).to_be_visible(timeout=SOON)
    expect(page.locator("tbody tr").first).to_have_id(f"run-{shown}")
    expect(page.get_by_label("Search")).to_have_value("half a wo")
    page.get_by_role("link", name="1 new run – show").click()
    expect(page.locator("tbody tr")).not_to_have_count(1)


def test_a_row_under_the_pointer_stays_until_the_pointer_leaves(page: Page, engine: Engine):
    first, second = running(engine), running(engine)
    page.goto("/runs?tab=running")
    page.locator(f"#run-{first.id}").hover()
    finish(engine, succeeded(second))
    for _ in range(2):
        page.wait_for_event("response", lambda response: "up_to=" in response.url)
    expect(page.locator(f"#run-{second.id}")).to_be_visible()
    page.mouse.move(5, 5)
    expect(page.locator(f"#run-{second.id}")).to_have_count(0, timeout=SOON)
    finish(engine, succeeded(first))


def test_a_selection_is_not_taken_away(page: Page, engine: Engine):
    claimed = running(engine)
    says(engine, claimed, 1, "before")
    page.goto(f"/runs/{claimed.id}")
    page.locator(".log li").first.evaluate("e => getSelection().selectAllChildren(e)")
    says(engine, claimed, 2, "after")
    page.wait_for_timeout(2_500)
    assert "before" in page.evaluate("getSelection().toString()")
    page.evaluate("getSelection().removeAllRanges()")
    expect(page.locator(".log")).to_contain_text("after", timeout=SOON)
    finish(engine, succeeded(claimed))


def test_a_tab_takes_along_what_the_filter_was_not_asked_for_yet(page: Page, engine: Engine):
    dispatch(engine, job="send", queue="mail", kwargs={"subject": 42})
    mine = brought_to(engine, "failed")
    page.goto("/runs")
    page.get_by_role("searchbox").fill("subject = 42")
    page.locator(".tabs").get_by_role("link", name="Waiting").click()
    expect(page.locator("tbody tr")).to_have_count(1)
    assert "q=subject+%3D+42" in page.url and "tab=waiting" in page.url
    page.locator(".tabs").get_by_role("link", name="Failed").click()
    expect(page.locator("main")).to_contain_text("No failed runs")
    page.get_by_role("searchbox").fill("")
    page.locator(".tabs").get_by_role("link", name="Failed").click()
    expect(page.locator(f"#run-{mine.id}")).to_be_visible()


def test_updates_can_be_paused(page: Page, engine: Engine):
    claimed = running(engine)
    page.goto(f"/runs/{claimed.id}")
    page.get_by_role("button", name="Live").click()
    says(engine, claimed, 1, "while paused")
    page.wait_for_timeout(2_500)
    expect(page.get_by_text("while paused")).to_have_count(0)
    page.get_by_role("button", name="Paused").click()
    expect(page.get_by_text("while paused").first).to_be_visible(timeout=SOON)
    finish(engine, succeeded(claimed))


def test_ages_go_on_without_asking(page: Page, engine: Engine):
    page.goto(f"/runs/{brought_to(engine, 'succeeded').id}")
    age = page.locator("time[data-rel=ago]").first
    before = age.text_content()
    expect(age).not_to_have_text(before, timeout=SOON)


def test_a_second_click_sends_nothing(page: Page, engine: Engine):
    page.goto(f"/runs/{brought_to(engine, 'succeeded').id}")
    sent: list[str] = []
    page.on("request", lambda request: sent.append(request.url) if request.method == "POST" else None)
    page.get_by_role("button", name="Run again").dblclick()
    page.wait_for_url("**/runs/*")
    expect(page.locator("h1")).to_contain_text("Queued")
    assert len(sent) == 1


def test_a_traceback_is_copied_whole(page: Page, engine: Engine):
    claimed = running(engine)
    finish(engine, failed(claimed, traceback=TRACEBACK))
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.goto(f"/runs/{claimed.id}")
    page.get_by_role("button", name="Copy").click()
    expect(page.get_by_role("button", name="Copied")).to_be_visible()
    assert page.evaluate("navigator.clipboard.readText()") == TRACEBACK


def test_everything_works_without_scripts(browser: Browser, served: Site):
    context = browser.new_context(java_script_enabled=False, base_url=served.address)
    page = context.new_page()
    page.goto(f"/runs/{dispatch(served.engine)}")
    page.get_by_role("button", name="Cancel").click()
    expect(page.locator("h1")).to_contain_text("Canceled")
    page.get_by_role("link", name="Runs").click()
    page.get_by_label("Search").fill("nothing like this")
    page.get_by_role("button", name="Filter").click()
    expect(page.locator("main h2")).to_have_text("No runs with “nothing like this”")
    context.close()


def test_an_update_that_fails_leaves_the_page_and_is_told(browser: Browser, served: Site):
    context = browser.new_context(base_url=served.address)
    page = context.new_page()
    page.goto(f"/runs/{running(served.engine).id}")
    page.evaluate("updatedAt -= 20000")
    page.route("**/*", lambda route: route.fulfill(status=503, body="<h1>away</h1>"))
    expect(page.locator("#pulse")).to_contain_text("Not live for", timeout=SOON)
    expect(page.locator("h1")).to_contain_text("Running")
    context.close()


# For everybody, on every screen


@pytest.mark.parametrize("served", [{"broker_url": "amqp://127.0.0.1:1/", "waybill_password": "x"}], indirect=True)
@pytest.mark.parametrize("width", [320, 760, 1000])
def test_even_with_everything_away_the_strip_fits(browser: Browser, served: Site, width: int):
    dispatch(served.engine)
    context = browser.new_context(base_url=served.address, viewport={"width": width, "height": 640})
    page = context.new_page()
    page.goto("/")
    page.get_by_label("Your name").fill("Ana Maria de los Angeles")
    page.get_by_label("Password").fill("x")
    page.get_by_role("button", name="Sign in").click()
    expect(page.locator("#strip")).to_contain_text("Broker away")
    assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0
    page.locator(".menu summary").click()
    page.get_by_role("button", name="Sign out").click()
    expect(page.locator("h1")).to_have_text("Sign in")
    context.close()


def test_fifteen_failed_runs_with_their_errors_fit_on_one_screen(page: Page, engine: Engine):
    for number in range(18):
        finish(engine, failed(running(engine), error=f"card declined for order {number}: insufficient funds"))
    page.goto("/runs?tab=failed")
    boxes = [each.bounding_box() for each in page.locator("td .err").all()[:15]]
    assert boxes[-1]["y"] + boxes[-1]["height"] < 900


def test_on_a_phone_a_card_is_pressed_anywhere_and_all_tabs_are_in_sight(browser: Browser, served: Site):
    run_id = dispatch(served.engine, kwargs={"subject": 42})
    context = browser.new_context(viewport={"width": 390, "height": 844}, has_touch=True, base_url=served.address)
    phone = context.new_page()
    phone.goto("/runs?q=subject+%3D+42")
    for tab in phone.locator(".tabs a").all():
        box = tab.bounding_box()
        assert box["x"] >= 0 and box["x"] + box["width"] <= 390
    phone.locator(f"#run-{run_id} .pick").tap()
    expect(phone.locator(f"#run-{run_id} .pick")).to_be_checked()
    box = phone.locator(f"#run-{run_id} td.args").bounding_box()
    phone.touchscreen.tap(box["x"] + 5, box["y"] + 5)
    phone.wait_for_url(f"/runs/{run_id}")
    context.close()


def test_after_an_action_no_run_is_ticked_any_more(page: Page, engine: Engine):
    run_id = dispatch(engine)
    page.goto("/runs")
    tick = page.locator(f"#run-{run_id} .pick")
    tick.check()
    page.get_by_role("button", name="Cancel…").click()
    page.wait_for_url("/actions/new?*")
    page.go_back()
    expect(tick).to_be_checked()
    page.go_forward()
    page.get_by_role("button", name="Cancel 1 run").click()
    page.wait_for_url(re.compile("/actions/[0-9a-f]"))
    page.go_back()
    page.go_back()
    expect(page.locator(f"#run-{run_id}")).to_be_visible()
    expect(tick).not_to_be_checked()
    expect(page.locator("[data-bar]")).to_be_hidden()


def test_all_that_match_is_offered_only_where_more_match_than_are_ticked(page: Page, engine: Engine):
    dispatch_many(engine, 2)
    page.goto("/runs")
    rest = page.locator("[data-total]")
    page.locator("#pick .pick[name=id]").first.check()
    expect(rest).to_be_visible()
    page.locator("[data-all]").check()
    expect(page.locator("[data-chosen]")).to_have_text("2 chosen")
    expect(rest).to_be_hidden()


def test_schedules_are_ticked_one_by_one_and_all_at_once(page: Page, engine: Engine):
    fleet.register(engine, NewProcess(kind="worker"), [Job("add", "default", 0, {}, "", "", {}, "")])
    with writing(engine) as connection:
        for name in ("early", "late"):
            schedules.create(connection, NewSchedule(name=name, job="add", rule=recurrence.parse("cron", "0 3 * * *")))
    said = complaints(page)
    page.goto("/schedules")
    page.locator("#pick .pick[name=id]").first.check()
    expect(page.locator("[data-chosen]")).to_have_text("1 chosen")
    page.locator("[data-all]").check()
    expect(page.locator("[data-chosen]")).to_have_text("2 chosen")
    assert said == []
