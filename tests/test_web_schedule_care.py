"""Looking after many schedules: finding them, what is wrong with one, missed ticks, pausing several, the calendar."""

import re

import pytest
from sqlalchemy import insert, select, update

from ledger import clock, fleet, recurrence, schedules
from ledger.engine import reading, writing
from ledger.ids import new_id
from ledger.queries import calendar as calendars
from ledger.queries import schedules as queries
from ledger.queries.tick_marks import TickMark
from ledger.schedules import NewSchedule
from ledger.states import State
from ledger.tables import processes
from ledger.tables import schedules as schedules_table
from ledger.tables import ticks as ticks_table
from ledger.ticks import TickOutcome
from tests.test_web_jobs import Site, announced, build_report, site, text, values
from web import clock_changes, schedule_warnings
from web.schedule_words import fires_of

__all__ = ["site"]

MINUTE, HOUR = 60 * clock.SECOND, 3_600 * clock.SECOND


@pytest.fixture(autouse=True)
def jobs(site: Site) -> None:
    announced(site, build_report, queues=("default",))


ARGS = {"month": "2026-10"}


def make(site: Site, name: str = "nightly", kind: str = "cron", rule: str = "0 3 * * *", **said) -> str:
    new = NewSchedule(name=name, job="build_report", rule=recurrence.parse(kind, rule), args=ARGS, **said)
    with writing(site.engine) as connection:
        return schedules.create(connection, new, "ana")


def put_back(site: Site, schedule_id: str, minutes: int) -> None:
    """As if it were older, and nobody had fired it since."""
    at = clock.now() - minutes * MINUTE
    own = update(schedules_table).where(schedules_table.c.id == schedule_id).values(watermark=at, anchor_at=at)
    with writing(site.engine) as connection:
        connection.execute(own)
        schedules.fire(connection, schedule_id, clock.now())


def outcomes(site: Site, schedule_id: str) -> list[str]:
    own = select(ticks_table.c.outcome).where(ticks_table.c.schedule_id == schedule_id).order_by(ticks_table.c.tick_at)
    with reading(site.engine) as connection:
        return list(connection.scalars(own))


def post(site: Site, page, form: str, **typed):
    """Sends a form of the page with its ticked boxes; the answer, not followed."""
    found = page.select_one(form)
    data = values(found) | {"tick": [box["value"] for box in found.select("[name=tick]")]}
    data["id"] = [each["value"] for each in found.select("[name=id]")]
    return site.client.post(found["action"], data=data | typed)


# What became of its ticks


def test_the_last_ticks_are_drawn_and_said(site):
    schedule_id = make(site, kind="interval", rule="60", catchup="none")
    put_back(site, schedule_id, 4)
    drawn = site.page(f"/schedules/{schedule_id}").select_one("svg.ticks")
    assert re.fullmatch(r"[45] ticks: 1 fired, [34] missed|[45] ticks: [45] missed", drawn["aria-label"])
    assert len(drawn.select("rect")) == len(outcomes(site, schedule_id))
    assert drawn.select("rect.c-hollow title")[0].text.endswith("Missed")
    assert site.page("/schedules").select_one("svg.ticks")["aria-label"] == drawn["aria-label"]


def test_missed_ticks_are_run_after_a_question(site):
    schedule_id = make(site, kind="interval", rule="60", catchup="none")
    put_back(site, schedule_id, 4)
    before, missed = site.count(), outcomes(site, schedule_id).count("missed")
    link = next(each for each in site.page(f"/schedules/{schedule_id}").select("a.btn") if "missed" in each.text)
    asked = site.page(link["href"])
    assert len(asked.select("[name=tick]")) == missed >= 3
    answer = post(site, asked, "main form")
    assert answer.status_code == 303
    assert f"Started {missed} runs." in text(site.page(answer.location))
    assert site.count() == before + missed and "missed" not in outcomes(site, schedule_id)
    assert "None was missed" in text(site.page(link["href"]))


def test_running_no_missed_tick_is_a_fault_that_says_so(site):
    schedule_id = make(site, kind="interval", rule="60", catchup="none")
    put_back(site, schedule_id, 4)
    answer = post(site, site.page(f"/schedules/{schedule_id}/missed"), "main form", tick=["x", "-1"])
    assert answer.status_code == 422 and "Choose at least one tick." in answer.text


# What is wrong with it


def mark(place: int, state: State = State.SUCCEEDED, waited: int = 0, took: int = clock.SECOND) -> TickMark:
    at = clock.now() - place * HOUR
    return TickMark(at, TickOutcome.FIRED, state, at, at + waited, at + waited + took)


def warned(site: Site, *marks: TickMark, served: bool = True, **said) -> list[str]:
    schedule_id = make(site, **said)
    page = queries.schedule_page(site.engine, schedule_id)
    line = queries.ScheduleLine(page.schedule, None, marks, served, page.origin)
    return [each.text for each in schedule_warnings.warnings(line)]


def test_nothing_is_wrong_with_a_schedule_that_works(site):
    assert warned(site, *(mark(place) for place in range(5))) == []


def test_a_schedule_whose_last_runs_failed_says_so(site):
    failed = [mark(place, State.FAILED) for place in range(3)]
    assert warned(site, *failed, mark(3)) == ["Its last 3 runs have failed."]
    assert warned(site, mark(0), *failed, name="another") == []


def test_a_schedule_whose_runs_outlast_its_interval_says_what_that_does(site):
    slow = [mark(place, took=90 * clock.SECOND) for place in range(4)]
    (said,) = warned(site, *slow, kind="interval", rule="60")
    assert said == "Its runs take 1 min 30 s, and it ticks every 1 min. Ticks are skipped for that."
    (said,) = warned(site, *slow, kind="interval", rule="60", overlap="allow", name="another")
    assert said.endswith("More and more of them run side by side.")


def test_a_schedule_whose_runs_start_late_says_so(site):
    late = [mark(place, waited=10 * MINUTE) for place in range(4)]
    assert warned(site, *late, kind="interval", rule="1 h")[0].startswith("Its runs usually start 10 min after")
    assert warned(site, *late, name="daily: a little late") == []


def test_a_job_that_no_worker_serves_is_told_on_list_and_page(site):
    schedule_id = make(site)
    assert "No worker serves" not in text(site.page("/schedules"))
    make(site, "elsewhere", queue="nobody-serves")
    assert "No worker serves build_report" in text(site.page("/schedules"))
    with writing(site.engine) as connection:
        for process in connection.scalars(select(processes.c.id).where(processes.c.kind == "worker")).all():
            fleet.stop(connection, process)
    assert "No worker serves build_report: its runs wait." in text(site.page(f"/schedules/{schedule_id}"))


# Many of them


def test_several_are_paused_with_one_reason_and_resumed_together(site):
    ids = [make(site, name) for name in ("one", "two", "three")]
    asked = site.page(f"/schedules/bulk?act=pause&id={ids[0]}&id={ids[1]}&id=nonsense&id={new_id()}")
    assert [each.text for each in asked.select("ul.named a")] == ["one", "two"]
    answer = post(site, asked, "main form", reason="database upgrade", length="60")
    assert "Paused 2 schedules." in text(site.page(answer.location))
    with reading(site.engine) as connection:
        rows = connection.execute(select(schedules_table).order_by(schedules_table.c.name)).fetchall()
    assert [(row.name, row.paused_reason) for row in rows] == [
        ("one", "database upgrade"), ("three", None), ("two", "database upgrade"),
    ]  # fmt: skip
    asked = site.page("/schedules/bulk?act=resume&" + "&".join(f"id={each}" for each in ids))
    assert "1 more is not paused." in text(asked)
    assert "Resumed 2 schedules, from now on." in text(site.page(post(site, asked, "main form").location))


def test_a_wrong_end_of_a_pause_of_several_is_told_at_its_field_and_the_choice_is_kept(site):
    ids = [make(site, name) for name in ("one", "two")]
    asked = site.page("/schedules/bulk?act=pause&" + "&".join(f"id={each}" for each in ids))
    answer = post(site, asked, "main form", reason="why", length="at", at="2020-01-01T07:00")
    assert answer.status_code == 422 and "This time has passed." in answer.text
    assert all(each in answer.text for each in ids) and 'value="why"' in answer.text


@pytest.mark.parametrize("act, says", [("pause", "Nothing was chosen."), ("resume", "Nothing was chosen.")])
def test_without_a_choice_the_list_says_so(site, act, says):
    answer = site.client.get(f"/schedules/bulk?act={act}")
    assert answer.status_code == 303 and says in text(site.page(answer.location))


def names(page) -> list[str]:
    return [each.text for each in page.select("tbody tr b a")]


def test_what_fires_next_stands_first_and_what_is_paused_last(site):
    make(site, "a, in 2099", "once", "2099-01-01 03:00")
    paused = make(site, "b, paused", "interval", "1 h")
    make(site, "c, in an hour", "interval", "50 min")
    with writing(site.engine) as connection:
        schedules.pause(connection, paused, "Ada")
    page = site.page("/schedules")
    assert names(page) == ["c, in an hour", "a, in 2099", "b, paused"]
    by_name = next(each for each in page.select(".ranges a") if each.text == "By name")
    assert names(site.page(by_name["href"])) == sorted(names(page))


def test_a_page_of_what_fires_next_begins_where_the_one_before_it_ended(site, monkeypatch):
    monkeypatch.setattr(queries, "MOST_SCHEDULES", 2)
    for number in range(1, 6):
        make(site, f"{9 - number}", "once", f"{2090 + number}-01-01 03:00")
    page, seen = site.page("/schedules"), []
    while page:
        seen += names(page)
        more = next((each for each in page.select(".pages a") if each.text == "More schedules"), None)
        page = site.page(more["href"]) if more else None
    assert seen == ["8", "7", "6", "5", "4"]


@pytest.mark.parametrize("address", ["/schedules", "/schedules?sort=name"])
def test_a_long_list_has_pages_and_is_searched_by_words(site, address):
    with writing(site.engine) as connection:
        for number in range(queries.MOST_SCHEDULES + 2):
            rule = recurrence.parse("cron", "0 3 * * *")
            new = NewSchedule(name=f"nightly {number:03}", job="build_report", rule=rule, args=ARGS)
            schedules.create(connection, new)
    page = site.page(address)
    assert len(page.select("tbody tr")) == queries.MOST_SCHEDULES
    more = next(each for each in page.select(".pages a") if each.text == "More schedules")
    rest = site.page(more["href"])
    assert [each.text for each in rest.select("tbody tr b a")] == ["nightly 050", "nightly 051"]
    found = site.page("/schedules?q=REPORT+04")
    assert len(found.select("tbody tr")) == 11  # 004 and 040 to 049
    assert "No schedule and no job is called so." in text(site.page("/schedules?q=weekly"))


# The calendar


def test_the_calendar_shows_what_was_and_what_is_to_come(site):
    make(site, "hourly", rule="0 * * * *")
    late = make(site, "minutely", kind="interval", rule="60", catchup="none")
    put_back(site, late, 30)
    page = site.page("/schedules/calendar")
    said = {line.select_one("a").text: line.select_one("svg")["aria-label"] for line in page.select(".line:has(a)")}
    assert said["hourly"] in ("24 to come", "25 to come")
    assert re.search(r"14[345]\d to come", said["minutely"].replace("\u202f", ""))
    assert re.search(r"\d\d missed", said["minutely"])
    assert "At most 16 ticks are to come in any quarter of an hour." in text(page)
    assert page.select(".line:has(a) rect.c-hollow") and page.select(".all rect.c-ink")


def test_what_was_skipped_is_neither_the_shape_nor_the_colour_of_what_was_late(site):
    schedule_id, now = make(site), clock.now()
    with writing(site.engine) as connection:
        for age, outcome in enumerate(("fired", "late", "skipped", "missed"), 2):
            row = {"schedule_id": schedule_id, "tick_at": now - age * HOUR, "outcome": outcome, "recorded_at": now}
            connection.execute(insert(ticks_table).values(row))
    page = site.page("/schedules/calendar")
    drawn = {rect.title.text.rpartition(" ")[2]: rect for rect in page.select(".line:has(a) rect")}
    looks = {outcome: (rect["class"][0], rect["height"]) for outcome, rect in drawn.items() if outcome != "come"}
    assert looks == {
        "fired": ("c-done", "10"), "late": ("c-warn", "10"), "skipped": ("c-skip", "6"), "missed": ("c-hollow", "10"),
    }  # fmt: skip
    assert [each.text for each in page.select(".legend span")][:4] == ["fired", "late", "skipped", "missed"]


def test_the_calendar_of_nothing_says_so(site):
    assert "Nothing is scheduled yet" in text(site.page("/schedules/calendar"))


def test_what_is_paused_has_nothing_to_come(site):
    schedule_id = make(site)
    with writing(site.engine) as connection:
        schedules.pause(connection, schedule_id, "ana")
    found = calendars.calendar(site.engine)
    assert [(row.name, row.paused, row.parts) for row in found.rows] == [("nightly", True, ())] and found.all == ()


def test_ticks_before_the_last_day_are_not_in_the_calendar(site):
    schedule_id, now = make(site), clock.now()
    with writing(site.engine) as connection:
        for age in (1, 23, 25, 30):
            row = {"schedule_id": schedule_id, "tick_at": now - age * HOUR, "outcome": "fired", "recorded_at": now}
            connection.execute(insert(ticks_table).values(row))
    (row,) = calendars.calendar(site.engine).rows
    assert sum(dict(part.counts).get("fired", 0) for part in row.parts) == 2


# The next times, where the visitor is, and when clocks change


def test_the_preview_shows_the_visitors_own_time_where_it_knows_the_zone(site):
    query = "kind=cron&rule=0+3+*+*+*&timezone=Europe/Madrid"
    told = previewed(site, query, "Asia/Shanghai")
    assert "Yours: Asia/Shanghai" in told and re.search(r"03:00 CES?T 1?\d:00", told)
    for viewer in ("Europe/Madrid", "Nowhere/City", ""):
        assert "Yours" not in previewed(site, query, viewer)


def previewed(site: Site, query: str, viewer: str) -> str:
    return " ".join(site.page(f"/schedules/preview?{query}&viewer={viewer}").get_text(" ").split())


def at(text: str) -> int:
    return next(recurrence.times(recurrence.parse("once", text, "Europe/Madrid"), 0))


@pytest.mark.parametrize(
    "kind, rule, since, until, says",
    [
        ("cron", "30 2 * * *", "2026-10-24 12:00", "2026-10-26 12:00",
         "go back on 2026-10-25, from 03:00 to 02:00. A time that comes twice fires the first time."),
        ("cron", "*/15 * * * *", "2026-10-24 12:00", "2026-10-26 12:00", "A time that comes twice fires both times."),
        ("interval", "1 h", "2026-10-24 12:00", "2026-10-26 12:00", "An interval goes on as if nothing had happened."),
        ("cron", "30 2 * * *", "2027-03-27 12:00", "2027-03-29 12:00",
         "go forward on 2027-03-28, from 02:00 to 03:00. A time that is left out fires right after that."),
        ("cron", "30 2 * * *", "2026-11-24 12:00", "2026-11-26 12:00", ""),
    ],
)  # fmt: skip
def test_a_change_of_clocks_among_the_next_times_is_told(site, kind, rule, since, until, says):
    with site.app.test_request_context():
        told = clock_changes.note(recurrence.parse(kind, rule, "Europe/Madrid"), at(since), at(until))
    assert told.endswith(says) and bool(told) == bool(says)


def test_the_note_of_a_rule_that_fires_far_apart_looks_a_year_ahead(site):
    rule = recurrence.parse("cron", "0 0 1 1 *", "Europe/Madrid")
    with site.app.test_request_context():
        assert "Clocks of Europe/Madrid go" in fires_of(rule, clock.now()).note
