"""What pages ask of the ledger, on both databases."""

from contextlib import contextmanager

import pytest
from sqlalchemy import Engine, update

from ledger import clock, fleet, notes
from ledger.claims import Claims
from ledger.engine import is_sqlite, open_engine, writing
from ledger.errors import RunNotFound
from ledger.fleet import NewProcess
from ledger.ids import new_id
from ledger.notes import LogLine, NewArtifact
from ledger.progress import Progress, report
from ledger.queries import places
from ledger.queries import run as one_run
from ledger.queries import runs as the_list
from ledger.queries.counting import Count
from ledger.queries.failures import pattern_of
from ledger.queries.looking import MOST_FOUND
from ledger.queries.overview import overview
from ledger.queries.reasons import Why
from ledger.queries.reruns import Rerun, repeat_of
from ledger.queries.run import result_of, run_page
from ledger.queries.runs import runs_page
from ledger.queries.schema import SchemaMissing, require_schema
from ledger.queries.slots import Full
from ledger.queries.status import Status
from ledger.queries.system import system
from ledger.queries.wanted import Tab, Wanted, first_id_at
from ledger.queries.workers import workers_page
from ledger.tables import processes
from tests.ledger_steps import (
    CRASH_LIMIT,
    HOUR,
    cancel,
    claim,
    dispatch,
    dispatch_many,
    failed,
    finish,
    migrated,  # noqa: F401
    plan,
    rescue,
    retried,
    running,
    statements,
    succeeded,
    worker,
)

MINUTE = 60 * clock.SECOND


def ids(engine: Engine, **wanted) -> list[str]:
    return [line.id for line in runs_page(engine, Wanted(**wanted)).lines]


def done(engine: Engine, **fields) -> str:
    claimed = running(engine, **fields)
    finish(engine, succeeded(claimed, result='{"n":1}'))
    return claimed.id


def broken(engine: Engine, error: str = "no", **fields) -> str:
    claimed = running(engine, **fields)
    finish(engine, failed(claimed, error=error))
    return claimed.id


def one_of_each(engine: Engine) -> dict[Tab, str]:
    again = running(engine)
    finish(engine, retried(again, retry_at=clock.now() + HOUR, max_attempts=4))
    canceled = dispatch(engine)
    cancel(engine, canceled)
    return {
        Tab.WAITING: dispatch(engine),
        Tab.SCHEDULED: dispatch(engine, due_at=clock.now() + HOUR),
        Tab.RETRYING: again.id,
        Tab.RUNNING: running(engine).id,
        Tab.FAILED: broken(engine),
        Tab.DONE: done(engine),
        Tab.CANCELED: canceled,
    }


# The list


def test_every_run_stands_in_one_tab_and_in_all(engine: Engine):
    made = one_of_each(engine)
    for tab, run_id in made.items():
        assert ids(engine, tab=tab) == [run_id]
    assert ids(engine) == sorted(made.values(), reverse=True)


@pytest.mark.parametrize("narrowed", [{}, {"job": "add"}, {"queue": "default"}], ids=["all", "job", "queue"])
def test_tabs_count_what_they_list(engine: Engine, narrowed: dict):
    made = one_of_each(engine)
    counts = runs_page(engine, Wanted(**narrowed)).counts
    assert counts == dict.fromkeys(Tab, Count(1)) | {Tab.ALL: Count(len(made))}


def test_a_filter_that_fits_nothing_counts_nothing(engine: Engine):
    one_of_each(engine)
    for narrowed in ({"job": "other"}, {"queue": "other"}, {"text": "nowhere"}):
        page = runs_page(engine, Wanted(**narrowed))
        assert page.lines == () and page.has_any and set(page.counts.values()) == {Count(0)}


def test_crashed_and_expired_runs_stand_with_failed_and_canceled_ones(engine: Engine):
    by = worker(engine)
    crashed = running(engine, by)
    rescue(engine, by, crash_limit=1)
    [line] = runs_page(engine, Wanted(tab=Tab.FAILED)).lines
    assert (line.id, line.status) == (crashed.id, Status.DEAD)


def test_pages_follow_each_other_without_gap_or_repeat(engine: Engine, monkeypatch):
    monkeypatch.setattr(the_list, "PAGE", 3)
    made = sorted(dispatch_many(engine, 8), reverse=True)
    seen, before = [], ""
    while before is not None:
        page = runs_page(engine, Wanted(before=before))
        seen += [line.id for line in page.lines]
        before = page.older
    assert seen == made


def test_the_newest_repetition_of_each_run_is_known_by_one_statement(engine: Engine):
    first, other = broken(engine), broken(engine)
    dispatch(engine, parent_id=first, origin="rerun")
    newest = dispatch(engine, parent_id=first, origin="rerun")
    with statements(engine) as sent:
        page = runs_page(engine, Wanted(tab=Tab.FAILED))
    assert [line.id for line in page.lines] == [other, first] and page.again == {first: Rerun(newest, Status.QUEUED)}
    assert sum("parent_id" in statement for statement, _parameters in sent) == 1


def test_a_page_that_was_shown_does_not_get_new_rows_but_their_number(engine: Engine):
    first = dispatch(engine)
    dispatch_many(engine, 2)
    page = runs_page(engine, Wanted(up_to=first))
    assert [line.id for line in page.lines] == [first]
    assert page.newer == Count(2)


def test_runs_are_found_by_age(engine: Engine):
    dispatch(engine)
    assert ids(engine, since=clock.now() - MINUTE) and not ids(engine, since=clock.now() + MINUTE)


def test_an_age_is_a_range_of_ids():
    assert first_id_at(clock.now() - clock.SECOND) < new_id() < first_id_at(clock.now() + clock.SECOND)


@pytest.mark.parametrize("words", ["order 77", "ORDER", "café", "100 %", "a_b", "ValueError", "no … left"])
def test_text_is_found_in_arguments_and_errors(engine: Engine, words: str):
    wanted = broken(engine, error="no 17 left", kwargs={"note": "order 77 at the café, 100 %, a_b"})
    finish(engine, failed(running(engine, kwargs={"note": "another"}), error_type="OSError", error="axb 100"))
    assert ids(engine, text=words) == [wanted]


def test_a_run_is_found_by_the_end_of_its_id(engine: Engine):
    wanted = dispatch(engine)
    dispatch(engine)
    assert ids(engine, text=wanted[-8:]) == [wanted]


def test_a_search_says_how_far_it_looked_and_goes_on_from_there(engine: Engine, monkeypatch):
    monkeypatch.setattr(places, "WINDOW", 4)
    oldest = dispatch(engine, kwargs={"note": "needle"})
    dispatch_many(engine, 5)
    page = runs_page(engine, Wanted(text="needle"))
    assert (page.lines, page.looked_at) == ((), 4)
    assert ids(engine, text="needle", before=page.older) == [oldest]


# Why a run waits


def test_a_run_that_waits_for_a_slot_knows_whether_one_is_free(engine: Engine):
    process = NewProcess(kind="worker", jobs=["add"], queues=["default", "mail"], slots=2)
    fleet.register(engine, process)
    by = Claims(process.id, process.name, process.jobs)
    dispatch(engine, queue="mail")
    dispatch(engine)
    claim(engine, by, 1, "mail")
    waiting = dispatch(engine)
    assert run_page(engine, waiting).full is None
    claim(engine, by)
    assert run_page(engine, waiting).full == Full(workers=1, slots=2, others=1)


def why(engine: Engine, run_id: str):
    return run_page(engine, run_id).line.reason


def test_nobody_consumes_the_queue(engine: Engine):
    worker(engine)
    assert why(engine, dispatch(engine, queue="mail")).why == Why.NO_WORKER


def test_nobody_knows_the_job(engine: Engine):
    worker(engine)
    assert why(engine, dispatch(engine, job="unheard")).why == Why.UNKNOWN_JOB


def test_a_worker_that_was_not_heard_of_for_long_counts_as_none(engine: Engine):
    worker(engine)
    run_id = dispatch(engine)
    assert why(engine, run_id).why == Why.NEXT
    with writing(engine) as connection:
        connection.execute(update(processes).values(beat_at=clock.now() - MINUTE))
    assert why(engine, run_id).why == Why.NO_WORKER


def test_places_in_the_queue_are_those_of_claims(engine: Engine):
    worker(engine)
    made = [dispatch(engine) for _ in range(3)]
    first = dispatch(engine, priority=-5)
    assert why(engine, first).why == Why.NEXT
    assert [why(engine, run_id).ahead for run_id in made] == [Count(1), Count(2), Count(3)]
    assert [why(engine, run_id).newer for run_id in (first, *made)] == [0, 1, 1, 1]


def test_a_run_due_later_says_when(engine: Engine):
    due_at = clock.now() + HOUR
    reason = why(engine, dispatch(engine, due_at=due_at, queue="mail"))
    assert (reason.why, reason.due_at, reason.attempt) == (Why.NOT_DUE, due_at, None)


def test_a_retry_says_which_attempt_is_next(engine: Engine):
    claimed = running(engine)
    finish(engine, retried(claimed, retry_at=clock.now() + HOUR, max_attempts=4))
    reason = why(engine, claimed.id)
    assert (reason.why, reason.attempt, reason.attempts) == (Why.NOT_DUE, 2, 4)


# One run


def test_a_run_that_is_not_there(engine: Engine):
    for ask in (run_page, result_of):
        with pytest.raises(RunNotFound):
            ask(engine, new_id())


def test_a_run_shows_its_attempts_and_one_traceback(engine: Engine):
    claimed = running(engine)
    finish(engine, retried(claimed, traceback="first", max_attempts=2))
    [again] = claim(engine, worker(engine))
    finish(engine, failed(again, traceback="second"))
    page = run_page(engine, claimed.id)
    assert [(each.number, each.outcome, each.has_traceback) for each in page.attempts] == [
        (2, "failed", True),
        (1, "failed", True),
    ]
    assert (page.traceback.attempt, page.traceback.text) == (2, "second")
    assert run_page(engine, claimed.id, attempt=1).traceback.text == "first"


def test_a_run_shows_its_result_and_its_relatives(engine: Engine):
    parent = done(engine)
    child = dispatch(engine, caller_id=parent)
    again = dispatch(engine, parent_id=parent)
    page = run_page(engine, parent)
    assert (page.result.text, page.result.is_cut) == ('{"n":1}', False)
    assert [each.id for each in page.children.runs] == [child]
    assert [each.id for each in page.reruns.runs] == [again]
    assert run_page(engine, again).parent.id == parent
    assert run_page(engine, child).caller.id == parent


def test_a_long_result_is_cut_and_can_be_had_whole(engine: Engine, monkeypatch):
    monkeypatch.setattr(one_run, "RESULT_SHOWN", 100)
    claimed = running(engine)
    finish(engine, succeeded(claimed, result='"' + "x" * 500 + '"'))
    result = run_page(engine, claimed.id).result
    assert result.is_cut and (len(result.text), result.size) == (100, 502)
    assert len(result_of(engine, claimed.id)) == 502


def test_the_end_of_a_long_log_is_shown_and_the_rest_counted(engine: Engine):
    claimed = running(engine)
    with writing(engine) as connection:
        notes.add_logs(connection, [LogLine(claimed.id, 1, "INFO", "job", f"line {i}") for i in range(503)])
    logs = run_page(engine, claimed.id).logs
    assert (logs.lines[0].message, logs.lines[-1].message, logs.earlier) == ("line 3", "line 502", Count(3))


def test_artifacts_are_those_of_the_last_attempt_that_made_any(engine: Engine):
    run_id = dispatch(engine)
    with writing(engine) as connection:
        made = [artifact(run_id, attempt) for attempt in (1, 2)]
        notes.add_artifacts(connection, made)
    assert [each.id for each in run_page(engine, run_id).artifacts] == [made[1].id]


def artifact(run_id: str, attempt: int) -> NewArtifact:
    return NewArtifact(
        run_id=run_id, attempt=attempt, name="a.png", title="", media_type="image/png", size=1,
        path=f"{attempt}/a.png",
    )  # fmt: skip


def test_progress_is_shown_while_it_works(engine: Engine):
    claimed = running(engine)
    with writing(engine) as connection:
        report(connection, [Progress(claimed, 48, 400, "slice 48 of 400")])
    progress = run_page(engine, claimed.id).line.progress
    assert (progress.percent, progress.note) == (12, "slice 48 of 400")
    finish(engine, succeeded(claimed))
    assert run_page(engine, claimed.id).line.progress is None


def test_others_that_failed_in_the_same_way_are_counted(engine: Engine):
    first, _, _ = (broken(engine, error=f"order {n} declined") for n in (1, 2, 3))
    broken(engine, error="something else")
    assert run_page(engine, first).same_failures == Count(2)


def test_running_again_copies_what_was_asked_for(engine: Engine):
    asked = {
        "args": (1, "a"),
        "kwargs": {"b": [2]},
        "typed": True,
        "options": {"max_retries": 1},
        "priority": 3,
    }
    first = dispatch(engine, **asked)
    repeat = repeat_of(engine, first, "ana", "key")
    assert {name: getattr(repeat, name) for name in asked} == asked
    assert (repeat.parent_id, repeat.origin, repeat.created_by) == (first, "rerun", "ana")


# Overview and strip


def test_errors_that_differ_in_numbers_and_names_are_one_cause():
    same = [
        "order 17: card 'x' declined",
        "order 4.2: card 'why' declined",
        'order 9: card "z" declined\nmore',
    ]
    assert {pattern_of(error) for error in same} == {"order …: card … declined"}
    assert pattern_of("can't encode 'ñ' in 'mail'") == "can't encode … in …"


def test_failures_are_grouped_by_cause_the_most_frequent_first(engine: Engine):
    for n in range(3):
        broken(engine, error=f"order {n} declined")
    broken(engine, error="gateway away")
    causes = overview(engine).failures.causes
    assert [(cause.text, cause.number, sum(cause.buckets)) for cause in causes] == [
        ("order … declined", 3, 3),
        ("gateway away", 1, 1),
    ]


def test_the_last_hour_is_counted_by_minute_and_by_job(engine: Engine):
    done(engine)
    broken(engine)
    last_hour = overview(engine).throughput
    assert (len(last_hour.parts), last_hour.done, last_hour.failed) == (60, 1, 1)
    assert (last_hour.peak.number, last_hour.complete) == (2, True)
    assert [(share.job, share.percent) for share in last_hour.jobs] == [("add", 50)]


def test_a_backlog_says_who_is_not_served_and_since_when(engine: Engine):
    worker(engine)
    since = clock.now() - HOUR
    dispatch(engine, queue="mail", due_at=since)
    dispatch(engine, queue="mail", priority=7)
    dispatch(engine, queue="mail", due_at=clock.now() + HOUR)
    dispatch(engine)
    backlog = overview(engine).backlog
    assert backlog.waiting == Count(3)
    assert [(each.name, each.waiting, each.oldest_due) for each in backlog.unserved] == [
        ("mail", Count(2), since)
    ]


def test_what_runs_longest_stands_first(engine: Engine):
    longest, latest = running(engine).id, running(engine).id
    found = overview(engine)
    assert [line.id for line in found.at_work] == [longest, latest]
    assert found.running == Count(2)


def test_the_strip_counts_workers_that_take_runs_and_hears_the_scheduler(engine: Engine):
    fleet.register(engine, NewProcess(kind="supervisor"))
    fleet.register(engine, NewProcess(kind="worker", slots=4))
    draining = NewProcess(kind="worker", slots=4)
    fleet.register(engine, draining)
    with writing(engine) as connection:
        fleet.drain(connection, draining.id)
    now = system(engine)
    assert (now.workers, now.slots, now.scheduler_ok, now.scheduler_beat) == (1, 4, False, None)
    fleet.register(engine, NewProcess(kind="scheduler"))
    assert system(engine).scheduler_ok


def test_the_badge_counts_failed_and_crashed_runs(engine: Engine):
    by = worker(engine)
    running(engine, by)
    rescue(engine, by, crash_limit=1)
    broken(engine)
    done(engine)
    assert system(engine).failed == Count(2)


# Workers


def test_workers_show_what_they_do_and_why_they_ended(engine: Engine):
    by, other = worker(engine), worker(engine)
    claimed = running(engine, by)
    rescue(engine, other, CRASH_LIMIT)
    page = workers_page(engine)
    [alive] = page.workers
    assert [line.id for line in alive.running] == [claimed.id]
    assert [(each.state, each.ended_because) for each in page.ended] == [("gone", "killed by SIGKILL")]


# Cost


def test_an_empty_database_is_told_from_a_ledger(empty_database_url: str):
    engine = open_engine(empty_database_url)
    with pytest.raises(SchemaMissing, match="python -m ledger"):
        require_schema(engine)
    engine.dispose()


def test_a_ledger_is_ready(engine: Engine):
    require_schema(engine)


PAGES = {
    "overview": overview,
    "strip": system,
    "workers": workers_page,
    "all": lambda engine: runs_page(engine, Wanted()),
    "waiting": lambda engine: runs_page(engine, Wanted(tab=Tab.WAITING)),
    "failed": lambda engine: runs_page(engine, Wanted(tab=Tab.FAILED)),
    "job": lambda engine: runs_page(engine, Wanted(job="add")),
    "search": lambda engine: runs_page(engine, Wanted(text="needle", queue="mail", tab=Tab.DONE)),
}


@pytest.mark.parametrize("page", PAGES)
def test_no_page_reads_all_runs(engine: Engine, page: str):
    """Whatever chooses among runs goes along an index, however little the database knows of its tables."""
    with many_runs(engine), statements(engine) as sent:
        PAGES[page](engine)
    choosing = [each for each in sent if "FROM runs" in each[0] and "WHERE" in each[0]]
    assert choosing
    for statement, parameters in choosing:
        told = plan(engine, statement, parameters)
        assert "SCAN runs\n" not in f"{told}\n" and "Seq Scan on runs" not in told, f"{statement}\n{told}"


@contextmanager
def many_runs(engine: Engine):
    dispatch_many(engine, 5_000, due_at=clock.now() + HOUR)
    broken(engine)
    if not is_sqlite(engine):
        with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.exec_driver_sql("VACUUM ANALYZE runs")
    yield


@pytest.mark.parametrize("page", PAGES)
def test_a_page_asks_no_more_often_for_many_runs_than_for_few(engine: Engine, page: str):
    dispatch_many(engine, MOST_FOUND)  # beyond which a filter counts in two more, however many there are
    few = number_of_statements(engine, page)
    dispatch_many(engine, 1_000)
    assert number_of_statements(engine, page) <= few


def number_of_statements(engine: Engine, page: str) -> int:
    with statements(engine) as sent:
        PAGES[page](engine)
    return len(sent)


def test_an_answer_stays_the_same_while_the_ledger_stands_still(engine: Engine):
    one_of_each(engine)
    run_id = dispatch(engine)
    for ask in (
        lambda: runs_page(engine, Wanted()),
        lambda: run_page(engine, run_id),
        lambda: workers_page(engine),
    ):
        assert ask() == ask()


def test_a_repeated_member_of_a_group_does_not_count_twice(engine: Engine):
    from ledger.queries.reruns import repeat_of
    from ledger.runs import NewRun
    from ledger.runs import dispatch as accept

    options = {"group_completion_uuid": "g", "group_completion_callbacks": [], "max_retries": 1}
    run_id = accept(engine, NewRun(job="add", queue="default", origin="code", options=options))
    assert repeat_of(engine, run_id, "ana", None).options == options
    with writing(engine) as connection:
        connection.exec_driver_sql("UPDATE runs SET state = 'succeeded'")
    assert repeat_of(engine, run_id, "ana", None).options == {"max_retries": 1}
