"""Ways of failing: noted once, counted from the runs, muted until they change."""

from typing import Any

from sqlalchemy import Engine, select, update

from ledger import clock, failures, fleet, muting, retention, upkeep
from ledger.claims import Claims
from ledger.engine import reading, writing
from ledger.errors import FailureNotFound
from ledger.finishing import Ending
from ledger.fleet import NewProcess
from ledger.queries.failure_groups import Group, group_page, groups_page
from ledger.queries.overview import overview
from ledger.queries.system import system
from ledger.tables import failures as failures_table
from ledger.tables import runs as runs_table
from tests.ledger_steps import (
    HOUR,
    JOB,
    QUEUE,
    failed,
    finish,
    migrated,  # noqa: F401
    rescue,
    retried,
    row,
    running,
    statements,
    succeeded,
)

PLACE = "jobs/billing.py, in charge"
MARK = failures.fingerprint(JOB, "ValueError", PLACE)
DAY = 24 * HOUR


def marked(claim, error: str = "card declined", **more: Any) -> Ending:
    return failed(claim, error=error, fingerprint=MARK, place=PLACE, **more)


def fail(engine: Engine, by: Claims | None = None, **more: Any) -> str:
    claim = running(engine, by)
    finish(engine, marked(claim, **more))
    return claim.id


def worker_of(engine: Engine, version: str) -> Claims:
    process = NewProcess(kind="worker", jobs=[JOB], queues=[QUEUE], version=version)
    fleet.register(engine, process)
    return Claims(process.id, process.name, process.jobs)


def noted(engine: Engine) -> list:
    with reading(engine) as connection:
        return connection.execute(select(failures_table)).fetchall()


def groups(engine: Engine) -> list[Group]:
    return list(groups_page(engine, clock.now() - DAY, clock.now()).groups)


def test_a_way_of_failing_is_noted_once_and_counted_from_the_runs(engine: Engine):
    first = fail(engine, error="order 1")
    with statements(engine) as sent:
        last = fail(engine, error="order 2")
    assert not any("UPDATE failures" in statement for statement, _ in sent)
    [note] = noted(engine)
    assert (note.fingerprint, note.job, note.place) == (MARK, JOB, PLACE)
    assert (note.sample, note.first_run_id) == ("order 1", first)
    [group] = groups(engine)
    assert (group.number.number, group.error, group.sample_id, sum(group.buckets)) == (2, "order 2", last, 2)


def test_what_succeeds_or_is_tried_again_writes_nothing_of_it(engine: Engine):
    with statements(engine) as sent:
        finish(engine, succeeded(running(engine)), retried(running(engine), fingerprint=MARK))
    assert not any("failures SET" in text or "INTO failures" in text or "fingerprint=" in text for text, _ in sent)
    assert noted(engine) == []


def test_runs_whose_worker_died_are_a_group(engine: Engine):
    claims = [running(engine), running(engine)]
    for claim in claims:
        rescue(engine, row(engine, claim.id).worker_id, crash_limit=1)
    [group] = groups(engine)
    assert (group.error_type, group.number.number) == ("WorkerDied", 2)


def test_failures_without_a_fingerprint_still_stand_in_the_list(engine: Engine):
    finish(engine, failed(running(engine)))
    [group] = groups(engine)
    assert (group.fingerprint, group.error_type, group.number.number) == (None, "ValueError", 1)
    assert [cause.text for cause in causes(engine)] == ["no"]


def causes(engine: Engine) -> tuple:
    return overview(engine).failures.causes


def test_different_messages_of_one_way_are_one_cause(engine: Engine):
    for error in ("card declined", "no such customer"):
        fail(engine, error=error)
    [cause] = causes(engine)
    assert (cause.number, cause.fingerprint, cause.text) == (2, MARK, "no such customer")


def test_the_page_of_one_has_its_runs_its_traceback_and_its_versions(engine: Engine):
    ids = [fail(engine, worker_of(engine, version), traceback=f"Traceback {version}") for version in ("1.0", "1.1")]
    page = group_page(engine, MARK, clock.now() - DAY, clock.now())
    assert [line.id for line in page.lines] == ids[::-1]
    assert page.traceback.text == "Traceback 1.1"
    assert (page.group.versions, page.total.number) == (("1.0", "1.1"), 2)


def test_a_muted_failure_leaves_overview_and_badge(engine: Engine):
    fail(engine)
    assert system(engine).failed.number == 1
    muting.mute(engine, MARK, "ana")
    assert system(engine).failed.number == 0
    assert causes(engine) == () and overview(engine).failures.muted_of(JOB) == 1
    page = groups_page(engine, clock.now() - DAY, clock.now())
    assert (page.groups, [group.number.number for group in page.quiet]) == ((), [1])
    fail(engine)
    upkeep.bring_back(engine)
    assert system(engine).failed.number == 0


def test_it_comes_back_when_a_new_version_of_the_code_fails_that_way(engine: Engine):
    fail(engine, worker_of(engine, "1.0"))
    muting.mute(engine, MARK, "ana")
    fail(engine, worker_of(engine, "1.0"))
    upkeep.bring_back(engine)
    assert groups(engine) == []
    fail(engine, worker_of(engine, "1.1"))
    upkeep.bring_back(engine)
    [group] = groups(engine)
    assert (group.mute.because, group.is_quiet) == ({"version": "1.1"}, False)


def test_it_comes_back_when_far_more_fail_and_stays_back_until_it_is_muted_again(engine: Engine):
    fail(engine)
    muting.mute(engine, MARK, "ana")
    for _ in range(muting.FEW):
        fail(engine)
    upkeep.bring_back(engine)
    upkeep.bring_back(engine)
    [group] = groups(engine)
    assert group.mute.because == {"number": muting.FEW}
    muting.mute(engine, MARK, "ana")
    for _ in range(muting.FEW):
        fail(engine)
    upkeep.bring_back(engine)
    assert groups(engine) == []  # it is known now how often it fails


def test_unmuting_tells_of_it_again(engine: Engine):
    fail(engine)
    muting.mute(engine, MARK, "ana")
    muting.unmute(engine, MARK)
    assert [group.mute for group in groups(engine)] == [None]


def test_a_change_that_was_found_before_a_new_muting_brings_nothing_back(engine: Engine):
    fail(engine)
    muting.mute(engine, MARK, "ana")
    old = muting.Changed(MARK, noted(engine)[0].muted_at - 1, {"number": 99})
    with writing(engine) as connection:
        assert muting.bring_back(connection, old) is False


def test_nobody_mutes_what_never_failed(engine: Engine):
    try:
        muting.mute(engine, "0" * 32, "ana")
    except FailureNotFound as error:
        assert "0" * 32 in str(error)
    else:
        raise AssertionError("it was muted")


def test_the_badge_counts_what_failed_after_a_person_looked(engine: Engine):
    fail(engine)
    seen_at = clock.now()
    assert system(engine, seen_at).failed.number == 0
    fail(engine)
    assert system(engine, seen_at).failed.number == 1


def test_a_way_of_failing_is_forgotten_with_its_last_run_unless_it_is_muted(engine: Engine):
    fail(engine)
    with writing(engine) as connection:
        connection.execute(update(failures_table).values(first_seen_at=clock.now() - 2 * DAY))
        retention.forget_rest(connection, 1)
    assert len(noted(engine)) == 1
    muting.mute(engine, MARK, "ana")
    with writing(engine) as connection:
        connection.execute(runs_table.delete())
        retention.forget_rest(connection, 1)
    assert len(noted(engine)) == 1
    muting.unmute(engine, MARK)
    with writing(engine) as connection:
        retention.forget_rest(connection, 1)
    assert noted(engine) == []
