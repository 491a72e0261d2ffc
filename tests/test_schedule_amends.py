"""Every tick is accounted for: those of a pause, and those that were missed until somebody runs them."""

import pytest
from sqlalchemy import select

from ledger import clock, recurrence, schedules, ticks
from ledger.engine import writing
from ledger.errors import ScheduleNotFound
from ledger.ids import new_id
from ledger.tables import runs as runs_table
from ledger.tables import schedules as schedules_table
from tests.schedule_steps import (
    ANCHOR,
    MINUTE,
    fire,
    make,
    recorded,
    run_rows,
    tick_rows,
    with_jobs,  # noqa: F401
)


def run_missed(engine, schedule_id: str, *minutes: int, by: str = "ana"):
    with writing(engine) as connection:
        return schedules.run_missed(connection, schedule_id, [ANCHOR + each * MINUTE for each in minutes], by)


def test_what_passed_in_a_long_pause_is_summed_up_and_the_last_hundred_stand_alone(engine):
    schedule_id = make(engine)
    with writing(engine) as connection:
        schedules.pause(connection, schedule_id, "ana", resumes_at=ANCHOR + 300 * MINUTE)
        schedules.end_overdue_pauses(connection)
    rows = tick_rows(engine, schedule_id)
    assert [row.tick_at for row in rows] == [ANCHOR + minute * MINUTE for minute in range(200, 300)]
    said = "it was paused; 199 earlier ticks, from 2026-01-01 00:01:00 UTC on, passed in the pause"
    assert rows[0].reason == said and rows[1].reason == "it was paused"
    assert not run_rows(engine)


def test_a_schedule_that_is_resumed_twice_records_its_pause_once(engine):
    schedule_id = make(engine, since=clock.now() - 3 * MINUTE)
    with writing(engine) as connection:
        schedules.pause(connection, schedule_id, "ana")
        schedules.resume(connection, schedule_id)
        schedules.resume(connection, schedule_id)
    assert {row.outcome for row in tick_rows(engine, schedule_id)} == {"skipped"}


def test_missed_ticks_are_run_when_somebody_asks_and_only_those(engine):
    schedule_id = make(engine, catchup="none")
    fire(engine, schedule_id, ANCHOR + 4 * MINUTE)
    assert recorded(engine, schedule_id) == [(1, "missed"), (2, "missed"), (3, "missed"), (4, "fired")]
    fired = run_missed(engine, schedule_id, 1, 3, 4, 9)
    assert recorded(engine, schedule_id) == [(1, "late"), (2, "missed"), (3, "late"), (4, "fired")]
    rows = {row.tick_at: row for row in run_rows(engine)}
    assert sorted(rows) == [ANCHOR + minute * MINUTE for minute in (1, 3, 4)]
    assert {each.run_id for each in fired} == {rows[ANCHOR + minute * MINUTE].id for minute in (1, 3)}
    first = rows[ANCHOR + MINUTE]
    assert (first.created_by, first.origin, first.schedule_id, first.expires_at) == ("ana", "form", schedule_id, None)
    assert first.due_at <= clock.now()
    assert tick_rows(engine, schedule_id)[0].run_id == first.id
    assert tick_rows(engine, schedule_id)[0].reason.startswith("run by ana, ")


def test_a_missed_tick_is_run_once_however_often_somebody_asks(engine):
    schedule_id = make(engine, catchup="none")
    fire(engine, schedule_id, ANCHOR + 3 * MINUTE)
    assert len(run_missed(engine, schedule_id, 1, 2)) == 2
    assert run_missed(engine, schedule_id, 1, 2, by="ben") == []
    assert {row.created_by for row in run_rows(engine)} == {"ana", "nightly"}


def test_only_ticks_that_were_missed_can_be_run_and_only_of_a_schedule_that_is_there(engine):
    schedule_id = make(engine, overlap="skip")
    fire(engine, schedule_id, ANCHOR + MINUTE)
    fire(engine, schedule_id, ANCHOR + 2 * MINUTE)
    assert recorded(engine, schedule_id) == [(1, "fired"), (2, "skipped")]
    assert run_missed(engine, schedule_id, 1, 2) == []
    with pytest.raises(ScheduleNotFound):
        run_missed(engine, new_id(), 1)


def test_the_run_of_a_missed_tick_does_not_expire_although_its_schedules_runs_do(engine):
    schedule_id = make(engine, catchup="none", expires_after=MINUTE)
    fire(engine, schedule_id, ANCHOR + 3 * MINUTE)
    (fired,) = run_missed(engine, schedule_id, 1)
    with writing(engine) as connection:
        assert connection.scalar(select(runs_table.c.expires_at).where(runs_table.c.id == fired.run_id)) is None


def test_running_missed_ticks_moves_no_watermark(engine):
    schedule_id = make(engine, catchup="none")
    fire(engine, schedule_id, ANCHOR + 3 * MINUTE)
    run_missed(engine, schedule_id, 1)
    with writing(engine) as connection:
        assert connection.scalar(select(schedules_table.c.watermark)) == ANCHOR + 3 * MINUTE


def test_the_next_time_is_remembered_between_two_times_and_asked_anew_outside_them():
    rule = recurrence.parse("cron", "*/15 * * * *", "Europe/Madrid")
    quarter = 15 * MINUTE
    for at in (ANCHOR, ANCHOR + 1, ANCHOR + quarter - 1, ANCHOR + quarter, ANCHOR - 1, ANCHOR + 2, ANCHOR - quarter):
        assert recurrence.next_after(rule, at) == next(recurrence.times(rule, at))


def test_no_tick_is_recorded_when_none_passed(engine):
    make(engine, since=clock.now())
    with writing(engine) as connection:
        assert ticks.record(connection, [], clock.now()) == []
