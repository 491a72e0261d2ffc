"""The list of runs, the page of each kind of run, and what can be done there."""

import json
from urllib.parse import quote_plus

import pytest
from sqlalchemy import select

from ledger import clock, fleet, notes
from ledger.claims import Claim
from ledger.engine import reading, writing
from ledger.ids import new_id
from ledger.notes import LogLine
from ledger.progress import Progress, report
from ledger.queries import tabs
from ledger.tables import runs
from tests.ledger_steps import (
    HOUR,
    age,
    brought_to,
    cancel,
    dispatch,
    dispatch_many,
    failed,
    finish,
    rescue,
    retried,
    running,
    state,
    succeeded,
    worker,
)
from tests.test_web_jobs import announced
from tests.web_steps import (
    Site,
    buttons,
    cells,
    text,
    visited,  # noqa: F401
)

MINUTE = 60 * clock.SECOND
TRACEBACK = """Traceback (most recent call last):
  File "/venv/lib/python3.11/site-packages/dramatiq/actor.py", line 182, in __call__
    return self.fn(*args, **kwargs)
  File "/app/jobs/billing.py", line 25, in charge
    raise ValueError("card declined")
ValueError: card declined
"""


def run(site: Site, run_id: str):
    return site.page(f"/runs/{run_id}")


def heading(page) -> str:
    return text(page.h1)


# The list


def test_an_empty_list_says_how_to_begin(site: Site):
    page = site.page("/runs")
    assert "Nothing has run yet" in text(page.main) and page.select_one("main a.btn")["href"] == "/jobs"


def test_a_run_stands_in_the_list_with_state_arguments_and_reason(site: Site):
    dispatch(site.engine, args=(10472,), kwargs={"width": 320}, queue="mail")
    page = site.page("/runs")
    assert cells(page, 0) == ["Queued"]
    assert cells(page, 2) == ["10472, width=320"]
    assert cells(page, 3) == ["no worker serves “mail”"]


def test_a_failed_run_stands_in_the_list_with_its_error(site: Site):
    finish(site.engine, failed(running(site.engine), error="card declined\nin detail"))
    assert cells(site.page("/runs?tab=failed"), 3) == ["ValueError: card declined"]


def test_the_filter_is_in_the_address_and_stays_in_the_form(site: Site):
    dispatch(site.engine, queue="mail")
    page = site.page("/runs?queue=mail&q=declined&age=day")
    assert page.select_one("input[name=q]")["value"] == "declined"
    assert text(page.select_one("select[name=queue] option[selected]")) == "mail"
    assert "No runs on “mail” with “declined”, last 24 h" in text(page.main)


def test_what_is_listed_is_counted_although_a_filter_counts_among_the_newest_runs(site: Site, monkeypatch):
    monkeypatch.setattr(tabs, "CAP", 2)
    for _ in range(2):
        finish(site.engine, failed(running(site.engine, kwargs={"subject": 42})))
    dispatch_many(site.engine, 4)
    page = site.page("/runs?tab=failed&q=subject+%3D+42")
    assert text(page.select_one(".tabs [aria-current]")) == "Failed 2" and "2 of 2" in text(page.main)


def test_tabs_keep_the_filter(site: Site):
    dispatch(site.engine)
    page = site.page("/runs?job=add")
    assert {link["href"] for link in page.select(".tabs a")} >= {"/runs?job=add", "/runs?tab=failed&job=add"}


@pytest.mark.parametrize(
    "query", ["tab=nonsense", "before=nonsense", "age=nonsense", "q=%00", "job=%00%ff", "up_to=x"]
)
def test_an_address_that_makes_no_sense_still_gives_a_list(site: Site, query: str):
    dispatch(site.engine)
    site.page(f"/runs?{query}")


def test_older_runs_are_a_link_away(site: Site, monkeypatch):
    monkeypatch.setattr("ledger.queries.runs.PAGE", 2)
    made = sorted((dispatch(site.engine) for _ in range(3)), reverse=True)
    page = site.page("/runs")
    older = next(link for link in page.select(".pages a") if text(link) == "Older runs")
    rows = site.page(older["href"]).select("tbody tr")
    assert [row["id"] for row in rows] == [f"run-{made[2]}"]


# The page of one


def test_a_waiting_run_says_why_and_can_be_canceled(site: Site):
    run_id = dispatch(site.engine)
    page = run(site, run_id)
    assert heading(page) == "add Queued"
    assert "Why not yet: no worker serves “default”" in text(page.main)
    assert "python -m workers --queues default" in text(page.main)
    assert buttons(page) == ["Cancel"]


def test_a_scheduled_run_says_when(site: Site):
    page = run(site, dispatch(site.engine, due_at=clock.now() + HOUR))
    assert heading(page) == "add Scheduled"
    assert "due in 59 min" in text(page.main)


def test_a_retrying_run_says_what_went_wrong_and_what_comes(site: Site):
    claimed = running(site.engine)
    finish(site.engine, retried(claimed, retry_at=clock.now() + HOUR, max_attempts=4))
    page = run(site, claimed.id)
    assert heading(page) == "add Retrying"
    assert "OSError: busy" in text(page.main)
    assert "attempt 2 of 4, next in 59 min" in text(page.main)


def test_a_running_run_shows_how_far_it_is_and_what_it_says(site: Site):
    claimed = running(site.engine)
    with writing(site.engine) as connection:
        report(connection, [Progress(claimed, 48, 400, "slice 48 of 400")])
        notes.add_logs(connection, [LogLine(claimed.id, 1, "WARNING", "jobs", "careful")])
    page = run(site, claimed.id)
    assert heading(page) == "add Running"
    assert (page.progress["value"], page.progress["max"]) == ("48", "400")
    assert "12 % – slice 48 of 400" in text(page.main)
    assert "careful" in text(page.select_one(".log li.warning"))
    assert buttons(page) == ["Cancel"]


def test_a_run_leads_to_its_job_and_its_worker_as_long_as_they_are_known(site: Site):
    def add(): ...

    by = worker(site.engine)
    claimed = running(site.engine, by)
    link = run(site, claimed.id).select_one(".attempts a")
    assert link["href"] == f"/workers#process-{by.worker_id}"
    facts = run(site, claimed.id).select_one("aside .kv")
    assert text(facts.select("dd")[1]) == "add" and not facts.select("dd")[1].a
    announced(site, add)
    assert run(site, claimed.id).select_one("aside .kv dd a")["href"] == "/jobs/add"
    rescue(site.engine, by)
    assert run(site, claimed.id).select_one(".attempts a")
    with writing(site.engine) as connection:
        fleet.forget(connection, by.worker_id)
    assert run(site, claimed.id).select_one(".attempts a") is None


def test_where_a_run_is_from_is_said_once(site: Site):
    said = text(run(site, dispatch(site.engine, origin="schedule")).select_one("aside .kv"))
    assert "Origin by its schedule" in said


def test_why_a_run_waits_is_apart_from_what_helps(site: Site):
    alert = run(site, dispatch(site.engine, queue="mail")).select_one(".alert")
    assert "”. To serve it:" in " ".join(alert.get_text().split())


@pytest.mark.parametrize(("at_work", "said"), [(False, "The run that waits stays:"), (True, "That run goes on:")])
def test_editing_what_has_not_ended_says_that_it_stays(site: Site, at_work: bool, said: str):
    def add(): ...

    announced(site, add)
    run_id = running(site.engine).id if at_work else dispatch(site.engine)
    page = run(site, run_id)
    edit = next(link["href"] for link in page.select(".head a") if text(link) == "Edit and run")
    assert f"linked to it. {said}" in " ".join(site.page(edit).select_one("#start .alert").get_text().split())
    cancel(site.engine, run_id)
    assert (said in text(site.page(edit).main)) == at_work


def test_a_run_that_outlasts_its_job_says_so_instead_of_a_few_seconds_left(site: Site):
    usual = running(site.engine)
    age(site.engine, usual.id, started_at=clock.now() - 2 * MINUTE)
    finish(site.engine, succeeded(usual))
    claimed = at_percent(site, 99, started_at=clock.now() - MINUTE)
    assert "usually 2 min" not in text(run(site, claimed.id).main)
    assert "about 1 s left" in text(run(site, claimed.id).main)
    age(site.engine, claimed.id, started_at=clock.now() - 4 * MINUTE - 10 * clock.SECOND)  # clocks are set, too
    said = text(run(site, claimed.id).main)
    assert "longer than usual: 4 min , usually 2 min" in said and "left" not in said
    assert "longer than usual: 4 min , usually 2 min" in text(site.page("/").main)
    [note] = cells(site.page("/runs?tab=running"), 3)
    assert note == "99 % longer than usual: 4 min , usually 2 min"
    at_percent(site, 25, claimed)
    assert "about 12 min left" in text(run(site, claimed.id).main)
    assert "12 min left" in text(site.page("/").main)


def test_without_a_usual_time_a_run_near_its_end_guesses_nothing(site: Site):
    assert "left" not in text(run(site, at_percent(site, 95).id).main)


def at_percent(site: Site, percent: int, claimed: Claim | None = None, **columns: int) -> Claim:
    claimed = claimed or running(site.engine)
    age(site.engine, claimed.id, **columns) if columns else None
    with writing(site.engine) as connection:
        report(connection, [Progress(claimed, percent, 100, "")])
    return claimed


def test_a_run_that_was_asked_to_stop_says_by_whom(site: Site):
    claimed = running(site.engine)
    cancel(site.engine, claimed.id)
    page = run(site, claimed.id)
    assert heading(page) == "add Canceling"
    assert "by Ada" in text(page.main) and buttons(page) == []


def test_a_failed_run_shows_where_and_how_often(site: Site):
    first, second = running(site.engine), running(site.engine)
    for claimed in (first, second):
        finish(site.engine, failed(claimed, error="card declined", traceback=TRACEBACK))
    page = run(site, first.id)
    assert heading(page) == "add Failed"
    alert = text(page.select_one(".alert"))
    assert "ValueError: card declined" in alert
    assert "/app/jobs/billing.py line 25, in charge" in alert
    assert "1 other run failed the same way in the last hour" in alert
    assert text(page.select_one(".trace details summary")) == "1 frame of dramatiq"
    assert "billing.py" in page.select_one(".trace pre.us").get_text()


def test_see_them_leads_to_the_runs_that_failed_the_same_way(site: Site):
    claims = [running(site.engine) for _ in range(3)]
    for number, claimed in enumerate(claims):
        finish(site.engine, failed(claimed, error=f"order {number} declined" if number < 2 else "away"))
    there = run(site, claims[0].id).select_one(".alert a.btn")["href"]
    assert len(site.page(there).select("tbody tr")) == 2


def test_a_crashed_run_says_so(site: Site):
    by = worker(site.engine)
    claimed = running(site.engine, by)
    rescue(site.engine, by, crash_limit=1)
    page = run(site, claimed.id)
    assert heading(page) == "add Crashed"
    assert "Its worker died while running it." in text(page.main)
    assert "Crashed" in text(page.select_one(".attempts"))


@pytest.mark.parametrize(
    ("to", "word"), [("canceled", "Canceled"), ("expired", "Expired"), ("succeeded", "Done")]
)
def test_finished_runs_can_be_run_again_and_do_not_poll(site: Site, to: str, word: str):
    page = run(site, brought_to(site.engine, to).id)
    assert heading(page) == f"add {word}"
    assert buttons(page) == ["Run again"]
    assert not page.select_one("#live").has_attr("hx-get")


@pytest.mark.parametrize(
    ("result", "shown"),
    [
        ({"mean": 31.84, "shape": "1x2"}, "mean 31.84 shape 1x2"),
        ([{"a": 1, "b": "x"}, {"a": 2, "b": "y"}], "a b 1 x 2 y"),
        ("a plain text", "a plain text"),
        ([1, 2], "[ 1, 2 ]"),
        ("<script>alert(1)</script>", "<script>alert(1)</script>"),
    ],
)
def test_a_result_is_shown_in_its_own_form(site: Site, result, shown: str):
    claimed = running(site.engine)
    finish(site.engine, succeeded(claimed, result=json.dumps(result)))
    page = run(site, claimed.id)
    section = next(each for each in page.select("section") if text(each.h2) == "Result")
    assert text(section).startswith(f"Result {shown}") and not section.select("script")
    assert site.client.get(f"/runs/{claimed.id}/result.json").json == result


def test_arguments_are_shown_by_name(site: Site):
    page = run(site, dispatch(site.engine, args=("first",), kwargs={"order": 7, "nested": {"a": [1]}}))
    shown = [text(each) for each in page.select("aside .card:first-child :is(dt, dd)")]
    assert shown == ["1.", "first", "order", "7", "nested", '{"a": [1]}']


def test_relatives_are_links(site: Site):
    parent = dispatch(site.engine)
    page = run(site, dispatch(site.engine, parent_id=parent, caller_id=parent))
    assert page.select_one(f'aside a[href="/runs/{parent}"]')
    assert "Edited and run by someone" in text(run(site, parent).select_one("aside .events"))


def test_edit_and_run_leads_to_the_form(site: Site):
    run_id = dispatch(site.engine)
    link = next(each for each in run(site, run_id).select(".head a") if text(each) == "Edit and run")
    assert link["href"] == f"/jobs/add/start?from={run_id}"


UNKNOWN = {"nonsense": "nonsense", "id": new_id(), "nul": "%00", "long": "a" * 5000}


@pytest.mark.parametrize("run_id", UNKNOWN.values(), ids=UNKNOWN)
def test_a_run_that_is_not_there_may_have_been_pruned(site: Site, run_id: str):
    page = site.page(f"/runs/{run_id}", 404)
    assert "pruned after 30 days" in text(page.main)


# What can be done


def test_a_waiting_run_is_canceled(site: Site):
    run_id = dispatch(site.engine)
    response = site.press(run(site, run_id), "Cancel")
    assert (response.status_code, response.location) == (303, f"/runs/{run_id}")
    page = run(site, run_id)
    assert heading(page) == "add Canceled"
    assert "Canceled." in text(page.select_one("[role=status].note"))
    assert "by someone" in text(page.main)


def test_a_running_run_is_asked_to_stop(site: Site):
    claimed = running(site.engine)
    site.press(run(site, claimed.id), "Cancel")
    assert heading(run(site, claimed.id)) == "add Canceling"


def test_what_is_finished_cannot_be_canceled_and_the_page_says_why(site: Site):
    claimed = running(site.engine)
    page = run(site, claimed.id)
    finish(site.engine, succeeded(claimed))
    answer = site.press(page, "Cancel")
    assert answer.status_code == 409 and "done by now" in answer.text
    assert state(site.engine, claimed.id) == "succeeded"


def rerun_of(site: Site, page) -> str:
    response = site.press(page, "Run again")
    assert response.status_code == 303
    return response.location.rpartition("/")[2]


def test_run_again_makes_a_new_run_with_the_same_arguments(site: Site):
    first = brought_to(site.engine, "failed").id
    again = rerun_of(site, run(site, first))
    with reading(site.engine) as connection:
        row = connection.execute(select(runs).where(runs.c.id == again)).one()
    assert (row.parent_id, row.origin, row.created_by) == (first, "rerun", "someone")


def test_a_double_click_runs_again_once(site: Site):
    page = run(site, brought_to(site.engine, "failed").id)
    assert rerun_of(site, page) == rerun_of(site, page)


def test_run_again_on_a_fresh_page_is_another_run(site: Site):
    first = brought_to(site.engine, "failed").id
    assert rerun_of(site, run(site, first)) != rerun_of(site, run(site, first))


@pytest.mark.parametrize("what", ["cancellation", "reruns"])
def test_nothing_changes_by_looking(site: Site, what: str):
    site.page(f"/runs/{dispatch(site.engine)}/{what}", 405)


# Searching by a name and a value, and what was run again


@pytest.mark.parametrize(
    ("asked", "meant"),
    [
        ("subject 42", "subject = 42"),
        ("subject:42", "subject = 42"),
        ("color:dark red", 'color = "dark red"'),
        ("width = 3 subject 42", "width = 3 subject = 42"),
        ("card declined", None),
        ("subject", None),
    ],
)
def test_a_search_for_a_name_and_a_value_that_finds_nothing_offers_the_one_that_would(site: Site, asked, meant):
    def scan(subject: int): ...

    announced(site, scan)
    dispatch(site.engine, kwargs={"subject": 42})
    page = site.page(f"/runs?tab=waiting&q={quote_plus(asked)}")
    links = page.select("main .empty p:not(:last-child) a")
    assert [text(link) for link in links] == ([meant] if meant else [])
    if meant == "subject = 42":
        assert len(site.page(links[0]["href"]).select("table.runs tbody tr")) == 1


def test_a_run_that_was_run_again_says_in_the_list_what_became_of_the_newest_and_leads_to_it(site: Site):
    first, other = (running(site.engine) for _ in range(2))
    finish(site.engine, failed(first), failed(other))
    dispatch(site.engine, parent_id=first.id, origin="rerun")
    newest = dispatch(site.engine, parent_id=first.id, origin="rerun")
    page = site.page("/runs?tab=failed")
    [link] = page.select("table.runs small a")
    assert (text(link), link["href"]) == ("rerun: waiting", f"/runs/{newest}")
    assert link.find_parent("tr")["id"] == f"run-{first.id}"
    cancel(site.engine, newest)
    assert text(site.page("/runs?tab=failed").select_one("table.runs small a")) == "rerun: canceled"


def test_the_question_before_a_rerun_says_how_many_were_run_again_already(site: Site):
    first, other = (running(site.engine) for _ in range(2))
    finish(site.engine, failed(first), failed(other))
    assert "already" not in text(site.page("/actions/new?action=rerun&tab=failed").main)
    dispatch(site.engine, parent_id=first.id, origin="rerun")
    assert "1 of 2 was run again already." in text(site.page("/actions/new?action=rerun&tab=failed").main)
    assert "already" not in text(site.page("/actions/new?action=discard&tab=failed").main)


@pytest.mark.parametrize(
    ("ending", "first"),
    [
        ({"error_type": "Declined", "max_attempts": 4}, "Edit and run"),
        ({"error_type": "ValueError", "max_attempts": 1}, "Edit and run"),
        ({"error_type": "OSError", "max_attempts": 1}, "Run again"),
        ({"error_type": "OSError"}, "Run again"),
    ],
    ids=str,
)
def test_what_would_fail_again_is_edited_first(site: Site, ending: dict, first: str):
    claim = running(site.engine)
    finish(site.engine, failed(claim, **ending))
    page = run(site, claim.id)
    assert text(page.select_one(".actions .pri")) == text(page.select_one(".actions .btn")) == first
    assert ("Edit them first." in text(page.select_one(".alert"))) == (first == "Edit and run")
    assert {"Run again", "Edit and run"} == {text(each) for each in page.select(".actions .btn")}
