"""Why runs fail, as pages: the list, the page of one way, muting it, and the badge."""

import pytest
from sqlalchemy import update

from ledger import clock, muting, upkeep
from ledger.engine import writing
from ledger.tables import failures
from tests.ledger_steps import HOUR, failed, finish, rescue, row, running
from tests.test_ledger_failures import MARK, PLACE, fail, worker_of
from tests.web_steps import (
    Site,
    buttons,
    text,
    visited,  # noqa: F401
)


def rows(page) -> list[str]:
    return [text(line) for line in page.select("table.failures tbody tr")]


def overview_failures(site: Site) -> list[str]:
    heads = site.page("/").select("section h2")
    return [text(each) for each in heads if text(each) == "Failures"]


def badge(page) -> str:
    return text(page.select_one("#badge"))


def test_without_failures_the_page_says_what_will_stand_there(site: Site):
    assert "No run has failed" in text(site.page("/failures").main)


def test_a_range_that_makes_no_sense_is_a_day(site: Site):
    finish(site.engine, failed(running(site.engine)))
    page = site.page("/failures?range=nonsense")
    assert text(page.select_one(".tabs [aria-current]")) == "Last 24 h" and len(rows(page)) == 1


def test_failures_of_one_way_are_one_line_with_what_can_be_done(site: Site):
    for number in range(3):
        fail(site.engine, error=f"card declined for order {number}")
    page = site.page("/failures?range=hour")
    [line] = page.select("table.failures tbody tr")
    assert "ValueError: card declined for order …" in text(line) and PLACE in text(line)
    assert text(site.page("/").select_one("section.c12 table td a")) == "ValueError: card declined for order …"
    assert "card declined for order 2" in text(site.page(f"/failures/{MARK}").select_one(".alert"))
    again = line.select_one("a.btn")
    assert text(again) == "Run 3 again…"
    assert again["href"] == f"/actions/new?action=rerun&tab=failed&fingerprint={MARK}&age=hour"


def test_a_failure_without_a_fingerprint_says_why_it_cannot_be_muted_and_leads_to_its_runs(site: Site):
    finish(site.engine, failed(running(site.engine)))
    page = site.page("/failures")
    assert "failed before its place was kept" in rows(page)[0]
    assert text(page.select_one("table.failures a.btn")).startswith("See the runs")


def test_first_seen_is_the_same_on_both_pages_whatever_the_range(site: Site):
    fail(site.engine)
    with writing(site.engine) as connection:
        connection.execute(update(failures).values(first_seen_at=clock.now() - 26 * HOUR))
    for address, table in (("/", "section.c12 table"), ("/failures?range=hour", "table.failures")):
        shown = site.page(address).select_one(table)
        assert text(shown.select("th")[4]) == "First seen"
        assert text(shown.select("tbody td")[4]).startswith("1 d")


def test_a_crash_is_told_in_words(site: Site):
    claim = running(site.engine)
    rescue(site.engine, row(site.engine, claim.id).worker_id, crash_limit=1)
    assert "Crashed: its worker died while running it" in rows(site.page("/failures"))[0]
    assert "Its worker died while running it." in text(site.page(f"/runs/{claim.id}").main)


def test_the_page_of_one_shows_runs_and_traceback(site: Site):
    run_id = fail(site.engine, traceback='Traceback (most recent call last):\n  File "/app/a.py", line 1, in f\n')
    page = site.page(f"/failures/{MARK}")
    assert text(page.h1) == "ValueError in add"
    assert page.select_one(f"#run-{run_id}") and page.select_one("#trace")
    assert "Last 24 h: 1 failed this way" in text(page.main)


def test_the_run_links_to_those_that_failed_the_same_way(site: Site):
    run_id = [fail(site.engine) for _ in range(3)][0]
    page = site.page(f"/runs/{run_id}")
    assert "2 other runs failed the same way in the last hour." in text(page.main)
    assert page.select_one(".alert a.btn")["href"] == f"/failures/{MARK}?range=hour"


def test_muting_takes_it_off_the_overview_and_the_badge_until_it_changes(site: Site):
    for _ in range(6):
        fail(site.engine, worker_of(site.engine, "1.0"))
    assert "fails 100 % of the time" in text(site.page("/").main)
    assert overview_failures(site)
    assert site.press(site.page(f"/failures/{MARK}"), "Mute until it changes").status_code == 303
    front = site.page("/")
    assert "of the time" not in text(front.main) and not overview_failures(site) and badge(front) == ""
    listed = site.page("/failures")
    assert "Muted until they change" in text(listed.main) and "Muted by someone" in rows(listed)[0]
    fail(site.engine, worker_of(site.engine, "1.1"))
    upkeep.bring_back(site.engine)
    page = site.page(f"/failures/{MARK}")
    assert "version 1.1 of the code fails this way too" in text(page.main)
    assert {"Mute until it changes", "Unmute"} <= set(buttons(page))
    assert overview_failures(site)


def test_it_says_how_many_more_failed_than_before(site: Site):
    fail(site.engine)
    muting.mute(site.engine, MARK, "ana")
    for _ in range(muting.FEW):
        fail(site.engine)
    upkeep.bring_back(site.engine)
    assert "back: 10 in an hour, where 1 was the most" in rows(site.page("/failures"))[0]
    site.press(site.page(f"/failures/{MARK}"), "Unmute")
    assert "It was muted" not in rows(site.page("/failures"))[0]


def test_the_badge_counts_what_this_browser_has_not_seen(site: Site):
    fail(site.engine)
    assert badge(site.page("/")) == "1 failed and not seen yet"
    assert badge(site.page("/failures")) == "" == badge(site.page("/"))
    fail(site.engine)
    assert badge(site.page("/")) == "1 failed and not seen yet"
    site.page("/runs?tab=failed&job=another")  # not all that failed
    assert badge(site.page("/")) == "1 failed and not seen yet"
    site.page("/runs?tab=failed")
    assert badge(site.page("/")) == ""


def test_what_is_no_fingerprint_is_not_found(site: Site):
    for mark in ("x", "0" * 32):
        assert "No such failure" in text(site.page(f"/failures/{mark}", 404).main)


def test_a_failure_is_muted_and_unmuted_in_its_row_and_the_muted_are_counted_on_top(site: Site):
    fail(site.engine)
    page = site.page("/failures?range=hour")
    assert "muted" not in text(page.select_one(".head"))
    word = f"Mute {text(page.select_one('table.failures a'))}"
    answer = site.press(page, word)
    assert (answer.status_code, answer.location) == (303, "/failures?range=hour")
    page = site.page(answer.location)
    link = page.select_one(".head small a")
    assert text(link) == "1 muted" and page.select_one(link["href"]) and len(rows(page)) == 1
    page = site.page(site.press(page, f"Un{word[0].lower()}{word[1:]}").location)
    assert "muted" not in text(page.select_one(".head")) and len(rows(page)) == 1


@pytest.mark.parametrize("said", ["fingerprint=x", "_external=1", "_scheme=javascript", "_anchor=x", "range=%00"])
def test_what_else_stands_in_the_address_of_a_muting_disturbs_nothing(site: Site, said: str):
    fail(site.engine)
    form = next(each for each in site.page("/failures").select("main form") if "mute" in each["action"])
    fields = {each["name"]: each["value"] for each in form.select("input")}
    assert site.client.post(f"/failures/{MARK}/mute?{said}", data=fields).status_code == 303
    undo = site.page("/failures").select_one(".note form")
    assert undo["action"].startswith(f"/failures/{MARK}/unmute")


def test_what_was_muted_is_named_and_can_be_taken_back_at_once(site: Site):
    fail(site.engine, error="account closed")
    fail(site.engine, error="card <declined> for order 7")
    site.press(site.page(f"/failures/{MARK}?range=hour"), "Mute until it changes")
    page = site.page(f"/failures/{MARK}?range=hour")
    said = "Muted “ValueError: card <declined> for order …”: it is told again"
    assert text(page.select_one(".note")).startswith(said)
    answer = site.press(page, "Undo ValueError: card <declined> for order …")
    assert answer.location == f"/failures/{MARK}?range=hour"
    page = site.page(answer.location)
    assert "Unmuted “ValueError: card <declined> for order …”" in text(page.select_one(".note"))
    assert "Mute until it changes" in buttons(page)


def test_the_number_beside_runs_is_explained_there_and_where_it_leads(site: Site):
    fail(site.engine)
    page = site.page("/runs")
    assert page.select_one("#badge")["title"] == "Failed in the last 24 h, and not seen yet"
    link = page.select_one(".head small a")
    assert text(link) == "1 failed in the last 24 h and not seen yet"
    assert "seen" not in text(site.page(link["href"]).select_one(".head"))
    assert site.page("/runs").select_one(".head small") is None
