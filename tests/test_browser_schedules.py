"""A person makes a schedule in Chromium, with a real scheduler and worker behind: from typing its rule to its ticks."""

import pytest
from playwright.sync_api import Page, expect

from tests.stack import Stack
from tests.test_browser import DONE, browser, page  # noqa: F401


@pytest.mark.parametrize("stack", ["rabbitmq-postgresql"], indirect=True)  # the pages know no difference
def test_a_schedule_from_its_rule_to_the_strip_of_its_ticks(stack: Stack, page: Page):  # noqa: F811
    stack.workers(1, 2)
    stack.scheduler()
    site = stack.web()
    page.goto(f"{site.url}/schedules/new?job=add")
    rule, preview = page.get_by_label("Rule"), page.locator("#preview")
    rule.fill("*/15 * * * *")
    expect(preview).to_contain_text("Every 15 minutes")
    expect(preview.locator("tbody tr")).to_have_count(5)
    rule.fill("30 9 * * MON-FRI")
    expect(preview).to_contain_text("At 09:30")
    page.get_by_label("Time zone").fill("Asia/Shanghai")
    expect(preview).to_contain_text("Next in Asia/Shanghai")
    rule.fill("61 * * * *")
    expect(preview).to_contain_text("The minute “61” is not possible")
    page.get_by_label("Time zone").fill("Europe/Madird")
    page.get_by_role("textbox", name="X", exact=True).fill("1")
    page.get_by_role("button", name="Create schedule").click()
    expect(page.get_by_label("Time zone")).to_have_attribute("aria-invalid", "true")
    expect(page.locator("#timezone-error")).to_contain_text("did you mean Europe/Madrid?")
    expect(rule).to_have_value("61 * * * *")

    page.get_by_label("Time zone").fill("Europe/Madrid")
    page.get_by_role("button", name="Create schedule").click()
    expect(page.locator("#rule-error")).to_contain_text("The minute “61” is not possible")

    page.get_by_label("When", exact=True).select_option("interval")
    rule.fill("2 s")
    expect(preview).to_contain_text("Every 2 s")
    page.get_by_role("button", name="Create schedule").click()
    expect(page.locator("h1")).to_contain_text("add")
    expect(page.locator("svg.ticks rect").nth(2)).to_be_attached(timeout=DONE)  # without a reload

    schedule = page.url
    page.get_by_role("button", name="Run now").click()
    expect(page.locator("h1")).to_contain_text("Done", timeout=DONE)
    page.goto(schedule)
    page.get_by_role("link", name="Edit").click()
    rule.fill("1 h")
    page.get_by_role("button", name="Save").click()
    expect(page.locator("main")).to_contain_text("Every 1 h")
    page.get_by_role("link", name="Pause…").click()
    page.get_by_label("Reason").fill("database upgrade")
    page.get_by_label("for an hour").check()
    page.get_by_role("button", name="Pause").click()
    expect(page.locator("main")).to_contain_text("database upgrade")
    page.get_by_role("button", name="Resume").click()
    expect(page.locator("main")).to_contain_text("Resumed, from now on")
