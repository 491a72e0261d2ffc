"""Keys, palette, menu and announcements in Chromium; and the site with scripts turned off."""

from collections.abc import Iterator

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, Route, expect

from tests.chromium import (
    launched,  # noqa: F401
    opened,  # noqa: F401
    serving,
)
from tests.ledger_steps import dispatch, dispatch_many, finish, row, running, succeeded
from tests.test_web_jobs import announced, build_report
from tests.web_steps import Site

SOON = 15_000  # milliseconds for what a poll brings, on a busy machine


def greet(name: str = "world"):
    """Say hello."""


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with serving(Site(tmp_path_factory.mktemp("site") / "var")) as site:
        announced(site, build_report, greet)
        dispatch_many(site.engine, 3)
        yield site


def press(page: Page, keys: str) -> None:
    for key in keys.split():
        page.keyboard.press(key)


def test_keys_lead_to_the_places_of_the_bar(page: Page):
    page.goto("/")
    for keys, path in (("g r", "/runs"), ("g j", "/jobs"), ("g w", "/workers"), ("g s", "/schedules"), ("g o", "/")):
        press(page, keys)
        page.wait_for_url(path)


def test_rows_are_walked_through_and_opened_by_keys(page: Page, served: Site):
    page.goto("/runs")
    rows = page.locator("table.runs tbody tr")
    press(page, "j j")
    expect(rows.nth(1).locator(":focus")).to_be_visible()
    press(page, "k")
    expect(rows.nth(0).locator(":focus")).to_be_visible()
    run_id = rows.nth(0).get_attribute("id").removeprefix("run-")
    press(page, "Enter")
    page.wait_for_url(f"/runs/{run_id}")


def test_a_run_is_edited_and_canceled_by_keys(page: Page, served: Site):
    run_id = dispatch(served.engine, job="greet", kwargs={"name": "a"}, typed=True)
    page.goto(f"/runs/{run_id}")
    press(page, "e")
    page.wait_for_url("/jobs/greet/start?*")
    page.go_back()
    press(page, "c")
    expect(page.locator("h1")).to_contain_text("Canceled")


def test_keys_do_nothing_in_fields_and_when_turned_off(page: Page):
    page.goto("/runs")
    press(page, "/")
    expect(page.get_by_label("Search arguments")).to_be_focused()
    press(page, "g j ?")
    expect(page.get_by_label("Search arguments")).to_have_value("gj?")
    page.locator("h1").click()
    press(page, "?")
    expect(page.get_by_role("dialog", name="Keys")).to_be_visible()
    page.get_by_role("button", name="Turn keys off").click()
    expect(page.locator("body[data-keys-on]")).to_have_count(0)
    press(page, "? g j")
    expect(page.get_by_role("dialog", name="Keys")).to_be_hidden()
    assert page.url.endswith("/runs")


def test_the_palette_finds_a_run_by_the_end_of_its_id(page: Page, served: Site):
    run_id = dispatch(served.engine, job="greet")
    page.goto("/jobs")
    press(page, "Control+k")
    field = page.get_by_role("combobox")
    expect(field).to_be_focused()
    expect(page.get_by_role("option").first).to_be_visible()
    found = Axe().run(page)
    assert found.violations_count == 0, found.generate_report()
    page.keyboard.type(run_id[-8:])
    press(page, "Enter")  # at once: it waits for what was typed
    page.wait_for_url(f"/runs/{run_id}")


def test_the_palette_says_to_screen_readers_where_one_is(page: Page):
    page.goto("/jobs")
    press(page, "Control+k")
    field = page.get_by_role("combobox")
    expect(page.get_by_role("option", selected=True)).to_contain_text("Overview")
    press(page, "ArrowDown")
    expect(page.get_by_role("option", selected=True)).to_contain_text("Runs")
    chosen = page.get_by_role("option", selected=True).get_attribute("id")
    expect(field).to_have_attribute("aria-activedescendant", chosen)
    press(page, "Escape")
    expect(page.get_by_role("dialog")).to_be_hidden()


def test_the_palette_starts_a_job_when_enter_is_pressed_twice(page: Page, served: Site):
    page.goto("/runs")
    press(page, "Control+k")
    page.keyboard.type("greet")
    expect(page.locator("#option-search[data-url$='q=greet']")).to_be_visible()  # all of it was answered
    expect(page.get_by_role("option", name="Start greet now")).to_be_visible()
    press(page, "ArrowDown Enter")
    expect(page.get_by_text("Press Enter again to start greet.")).to_be_visible()
    assert page.url.endswith("/runs")
    press(page, "Enter")
    page.wait_for_url("/runs/*")
    assert row(served.engine, page.url.rpartition("/")[2]).job == "greet"


def test_an_answer_that_comes_late_leaves_the_choice_where_the_arrows_put_it(page: Page):
    page.goto("/runs")
    held: list[Route] = []
    page.route("**/search?q=greet", lambda route: held.append(route))
    press(page, "Control+k")
    page.keyboard.type("gree")
    expect(page.locator("#option-search[data-url$='q=gree']")).to_be_visible()
    with page.expect_request("**/search?q=greet"):
        page.keyboard.type("t")
    press(page, "ArrowDown")  # which lets the held request arrive here
    held.pop().continue_()
    expect(page.locator("#option-search[data-url$='q=greet']")).to_be_visible()
    expect(page.get_by_role("option", name="Start greet now")).to_have_attribute("aria-selected", "true")


def test_what_changes_is_said_in_one_sentence(page: Page, served: Site):
    claimed = running(served.engine)
    page.goto(f"/runs/{claimed.id}")
    finish(served.engine, succeeded(claimed))
    expect(page.locator("#said")).to_have_text("add Done", timeout=SOON)
    expect(page.locator("#said")).to_have_attribute("role", "status")


def test_the_menu_changes_theme_and_language_and_closes_by_itself(page: Page):
    page.goto("/workers")
    page.locator(".menu summary").click()
    page.get_by_role("button", name="Dark").click()
    expect(page.locator("html[data-theme=dark]")).to_have_count(1)
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(20, 21, 23)"
    page.locator(".menu summary").click()
    page.get_by_role("button", name="简体中文").click()
    expect(page.locator("h1")).to_be_visible()
    assert page.locator("html").get_attribute("lang") == "zh-Hans" and page.url.endswith("/workers")
    page.locator(".menu summary").click()
    page.mouse.click(300, 700)
    expect(page.locator(".menu[open]")).to_have_count(0)


def test_the_first_view_asks_for_little(page: Page):
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto("/runs", wait_until="networkidle")
    assert len([url for url in asked if "/strip" not in url and "up_to" not in url]) <= 5, asked


def test_without_scripts_all_of_this_can_be_done_as_well(browser: Browser, served: Site):
    context = browser.new_context(java_script_enabled=False, base_url=served.address)
    page = context.new_page()
    page.goto("/jobs")
    page.get_by_role("link", name="Find").click()
    page.locator("main input[type=search]").fill("greet")
    page.get_by_role("button", name="Find").click()
    page.get_by_role("link", name="greet").first.click()
    page.get_by_label("Name").fill("paper")
    page.get_by_role("button", name="Start").click()
    expect(page.locator("h1")).to_contain_text("Queued")
    page.get_by_role("button", name="Cancel").click()
    expect(page.locator("h1")).to_contain_text("Canceled")
    page.get_by_role("link", name="Runs", exact=False).first.click()
    page.get_by_label("All jobs").select_option("greet")
    page.get_by_role("button", name="Filter").click()
    expect(page.locator("table.runs tbody tr").first).to_contain_text("paper")
    page.locator(".menu summary").click()
    page.get_by_role("button", name="简体中文").click()
    assert page.locator("html").get_attribute("lang") == "zh-Hans" and "job=greet" in page.url
    page.locator(".menu summary").click()
    page.get_by_role("link", name="快捷键").click()
    expect(page.locator("main kbd").first).to_be_visible()
    context.close()


@pytest.mark.parametrize("which", ["details.menu", "details.views"])
def test_escape_closes_a_menu_and_gives_the_focus_back(page: Page, which: str):
    page.goto("/runs")
    menu = page.locator(which)
    menu.locator("summary").click()
    expect(menu).to_have_attribute("open", "")
    page.keyboard.press("Tab")
    page.keyboard.press("Escape")
    expect(menu).not_to_have_attribute("open", "")
    expect(menu.locator("summary")).to_be_focused()
