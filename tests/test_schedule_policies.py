"""What a schedule may say besides its rule: what a tick does while another runs, when it begins and ends, how long
its runs are worth starting, and how long it rests."""

import pytest
from sqlalchemy import update

from ledger import clock, recurrence, retention, runs, schedules, upkeep
from ledger.engine import reading, writing
from ledger.recurrence import RuleError
from ledger.schedules import NewSchedule
from ledger.tables import runs as runs_table
from ledger.tables import schedules as schedules_table
from tests.schedule_steps import (
    ANCHOR,
    MINUTE,
    SECOND,
    every_minute,
    finish,
    fire,
    make,
    recorded,
    run_rows,
    set_watermark,
    tick_rows,
    with_jobs,  # noqa: F401
)

HOUR = 60 * MINUTE


# While the run before is not finished


def test_a_tick_that_is_to_wait_makes_its_run_when_the_run_before_has_finished(engine):
    schedule_id = make(engine, overlap="queue")
    (first,) = fire(engine, schedule_id, ANCHOR + MINUTE)
    assert fire(engine, schedule_id, ANCHOR + 2 * MINUTE) == fire(engine, schedule_id, ANCHOR + 3 * MINUTE) == []
    assert recorded(engine, schedule_id) == [(1, "fired"), (2, "waiting"), (3, "waiting")]
    finish(engine, first.run_id)
    (second,) = fire(engine, schedule_id, ANCHOR + 3 * MINUTE + SECOND)
    assert recorded(engine, schedule_id) == [(1, "fired"), (2, "late"), (3, "waiting")]
    assert tick_rows(engine, schedule_id)[1].reason == "waited 1 min 1 s for the run before"
    assert [run.tick_at for run in run_rows(engine)] == [ANCHOR + MINUTE, ANCHOR + 2 * MINUTE]
    assert fire(engine, schedule_id, ANCHOR + 3 * MINUTE + 2 * SECOND) == []
    finish(engine, second.run_id)
    fire(engine, schedule_id, ANCHOR + 3 * MINUTE + 3 * SECOND)
    assert recorded(engine, schedule_id) == [(1, "fired"), (2, "late"), (3, "late")]


def test_a_tick_that_comes_while_others_wait_waits_behind_them(engine):
    schedule_id = make(engine, overlap="queue")
    (first,) = fire(engine, schedule_id, ANCHOR + MINUTE)
    fire(engine, schedule_id, ANCHOR + 2 * MINUTE)
    finish(engine, first.run_id)
    (second,) = fire(engine, schedule_id, ANCHOR + 3 * MINUTE)
    assert recorded(engine, schedule_id) == [(1, "fired"), (2, "late"), (3, "waiting")]
    assert run_rows(engine)[1].id == second.run_id


def test_no_more_than_a_hundred_ticks_wait(engine):
    schedule_id = make(engine, overlap="queue", catchup="all")
    fire(engine, schedule_id, ANCHOR + MINUTE)
    fire(engine, schedule_id, ANCHOR + 90 * MINUTE)
    fire(engine, schedule_id, ANCHOR + 110 * MINUTE)
    outcomes = [outcome for _, outcome in recorded(engine, schedule_id)]
    assert outcomes == ["fired"] + ["waiting"] * 100 + ["skipped"] * 9
    assert tick_rows(engine, schedule_id)[-1].reason == "100 ticks were waiting already"


def test_ticks_that_wait_are_skipped_when_the_policy_is_changed(engine):
    schedule_id = make(engine, overlap="queue")
    fire(engine, schedule_id, ANCHOR + MINUTE)
    fire(engine, schedule_id, ANCHOR + 2 * MINUTE)
    with writing(engine) as connection:
        connection.execute(update(schedules_table).values(overlap="skip"))
    fire(engine, schedule_id, ANCHOR + 2 * MINUTE + SECOND)
    assert recorded(engine, schedule_id) == [(1, "fired"), (2, "skipped")]


def test_a_paused_schedule_lets_its_ticks_wait_on(engine):
    schedule_id = make(engine, overlap="queue")
    (first,) = fire(engine, schedule_id, ANCHOR + MINUTE)
    fire(engine, schedule_id, ANCHOR + 2 * MINUTE)
    finish(engine, first.run_id)
    with writing(engine) as connection:
        schedules.pause(connection, schedule_id, "ana")
    assert fire(engine, schedule_id, ANCHOR + 3 * MINUTE) == []
    assert recorded(engine, schedule_id) == [(1, "fired"), (2, "waiting")]


def test_a_newer_run_cancels_the_older_one(engine):
    schedule_id = make(engine, overlap="cancel")
    fire(engine, schedule_id, ANCHOR + MINUTE)
    fire(engine, schedule_id, ANCHOR + 2 * MINUTE)
    older, newer = run_rows(engine)
    assert (older.state, older.canceled_by, newer.state) == ("canceled", "nightly", "queued")
    assert recorded(engine, schedule_id) == [(1, "fired"), (2, "fired")]


def test_a_newer_run_asks_one_that_runs_to_stop(engine):
    schedule_id = make(engine, overlap="cancel")
    (first,) = fire(engine, schedule_id, ANCHOR + MINUTE)
    with writing(engine) as connection:
        connection.execute(update(runs_table).values(state="running", claim_token="t", attempt=1))
    fire(engine, schedule_id, ANCHOR + 2 * MINUTE)
    older = run_rows(engine)[0]
    assert (older.id, older.state, older.canceled_by) == (first.run_id, "running", "nightly")
    assert older.cancel_requested_at is not None


def test_of_many_that_are_caught_up_with_the_newest_alone_is_made(engine):
    schedule_id = make(engine, overlap="cancel", catchup="all")
    assert len(fire(engine, schedule_id, ANCHOR + 3 * MINUTE + 30 * SECOND)) == 1
    assert recorded(engine, schedule_id) == [(1, "skipped"), (2, "skipped"), (3, "late")]
    assert tick_rows(engine, schedule_id)[0].reason == "a newer tick took its place"


# Beginning, end, once


def test_no_tick_lies_before_the_beginning_or_after_the_end(engine):
    rule = recurrence.parse("interval", "60", anchor=ANCHOR)
    bounded = recurrence.Rule(
        rule.kind, rule.text, rule.timezone, rule.anchor, starts=ANCHOR + 2 * MINUTE, ends=ANCHOR + 4 * MINUTE
    )
    schedule_id = make(engine, rule=bounded, catchup="all")
    fire(engine, schedule_id, ANCHOR + 9 * MINUTE)
    assert [minute for minute, _ in recorded(engine, schedule_id)] == [2, 3, 4]
    assert recurrence.next_after(bounded, ANCHOR + 4 * MINUTE) is None
    assert recurrence.upcoming(bounded, 0, 9) == [ANCHOR + minute * MINUTE for minute in (2, 3, 4)]


def test_once_is_once(engine):
    rule = recurrence.parse("once", "2026-01-01 01:00", "Europe/Madrid")
    schedule_id = make(engine, rule=rule, since=ANCHOR - HOUR)
    fire(engine, schedule_id, ANCHOR + SECOND)
    fire(engine, schedule_id, ANCHOR + 9 * HOUR)
    assert recorded(engine, schedule_id) == [(0, "fired")]
    assert recurrence.in_words(rule) == "Once, on 2026-01-01 at 01:00"


@pytest.mark.parametrize("text", ["", "tomorrow", "2026-01-01", "2026-13-01 03:00", "2026-01-01 03:00+01:00", "03:00"])
def test_what_is_no_time_is_refused_in_words(text):
    with pytest.raises(RuleError, match="write it like 2026-10-31 03:00"):
        recurrence.parse("once", text)


def test_a_time_that_clocks_skip_is_the_first_instant_after_the_gap():
    rule = recurrence.parse("once", "2026-03-29 02:30", "Europe/Madrid")
    assert clock.to_datetime(recurrence.next_after(rule, 0)).isoformat() == "2026-03-29T01:00:00+00:00"


# How long a run is worth starting, and when it is due


def test_a_run_expires_so_long_after_its_tick(engine):
    schedule_id = make(engine, expires_after=10 * MINUTE)
    fire(engine, schedule_id, ANCHOR + MINUTE + 30 * SECOND)
    (run,) = run_rows(engine)
    assert run.expires_at == ANCHOR + 11 * MINUTE


def test_a_tick_whose_run_would_have_expired_is_missed(engine):
    schedule_id = make(engine, expires_after=2 * MINUTE, catchup="all")
    fire(engine, schedule_id, ANCHOR + 5 * MINUTE + 30 * SECOND)
    assert [outcome for _, outcome in recorded(engine, schedule_id)] == ["missed"] * 3 + ["late"] * 2
    assert tick_rows(engine, schedule_id)[0].reason == "noticed 4 min 30 s behind, when its run would have expired"


def test_a_tick_that_waited_until_its_run_would_have_expired_is_missed(engine):
    schedule_id = make(engine, overlap="queue", expires_after=2 * MINUTE)
    (first,) = fire(engine, schedule_id, ANCHOR + MINUTE)
    for minute in (2, 3, 4):
        fire(engine, schedule_id, ANCHOR + minute * MINUTE)
    finish(engine, first.run_id)
    fire(engine, schedule_id, ANCHOR + 4 * MINUTE + 30 * SECOND)
    assert [outcome for _, outcome in recorded(engine, schedule_id)] == ["fired", "missed", "late", "waiting"]


def test_jitter_spreads_runs_evenly_and_is_the_same_for_whoever_fires(engine):
    schedule_id = make(engine, jitter=30 * SECOND, catchup="all")
    fire(engine, schedule_id, ANCHOR + 100 * MINUTE)
    late = [run.due_at - run.tick_at for run in run_rows(engine)]
    assert all(0 <= each < 30 * SECOND for each in late)
    assert max(late) > 25 * SECOND and min(late) < 5 * SECOND and 10 * SECOND < sum(late) / 100 < 20 * SECOND
    assert late[0] == schedules_offset(schedule_id)


def schedules_offset(schedule_id: str) -> int:
    from ledger.firing import offset

    return offset(schedule_id, ANCHOR + MINUTE, 30 * SECOND)


# Pauses


def test_a_pause_has_a_reason_and_an_end(engine):
    schedule_id = make(engine)
    end = clock.now() + HOUR
    with writing(engine) as connection:
        schedules.pause(connection, schedule_id, "ana", "DB upgrade", end)
        assert schedules.next_resumption(connection) == end
        assert schedules.end_overdue_pauses(connection) == []
        connection.execute(update(schedules_table).values(resumes_at=clock.now() - 1))
    assert upkeep.end_pauses(engine) == 0.0
    with reading(engine) as connection:
        row = connection.execute(schedules_table.select()).one()
    assert (row.paused_at, row.paused_by, row.paused_reason, row.resumes_at) == (None, None, None, None)


def test_a_tick_at_the_very_end_of_a_pause_fires(engine):
    schedule_id = make(engine)
    with writing(engine) as connection:
        schedules.pause(connection, schedule_id, "ana", resumes_at=ANCHOR + 3 * MINUTE)
        assert schedules.end_overdue_pauses(connection) == ["nightly"]
    fire(engine, schedule_id, ANCHOR + 3 * MINUTE + SECOND)
    assert recorded(engine, schedule_id) == [(1, "skipped"), (2, "skipped"), (3, "fired")]


# Retention


def test_the_newest_runs_of_a_schedule_are_kept_whatever_their_age(engine, monkeypatch):
    schedule_id = make(engine, keep_runs=2, catchup="all", overlap="allow")
    fire(engine, schedule_id, ANCHOR + 5 * MINUTE)
    other = make(engine, name="other", catchup="all", since=ANCHOR)
    fire(engine, other, ANCHOR + 2 * MINUTE)
    monkeypatch.setattr(clock, "now", lambda: ANCHOR + HOUR)
    for run in run_rows(engine):
        runs.cancel(engine, run.id, "ana")
    monkeypatch.undo()
    with writing(engine) as connection:
        connection.exec_driver_sql(f"UPDATE tally_marks SET counted_to = {clock.now()}, closed_to = {clock.now()}")
    with reading(engine) as connection:
        old = set(retention.expired(connection, 1))
    mine = [run.id for run in run_rows(engine) if run.schedule_id == schedule_id]
    assert not old.isdisjoint(mine[:3]) and old.isdisjoint(mine[3:])
    assert len(old) == 5


def test_what_was_said_is_kept(engine):
    said = {"jitter": SECOND, "expires_after": HOUR, "keep_runs": 3, "overlap": "queue", "catchup": "all"}
    schedule_id = make(engine, **said)
    set_watermark(engine, schedule_id, clock.now())
    with writing(engine) as connection:
        row = connection.execute(schedules_table.select()).one()
        assert {name: getattr(row, name) for name in said} == said
        schedules.change(connection, schedule_id, every_minute())
        row = connection.execute(schedules_table.select()).one()
    assert (row.jitter, row.expires_after, row.keep_runs) == (None, None, None)
    assert isinstance(every_minute(), NewSchedule)
