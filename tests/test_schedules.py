"""Schedules in the ledger: which runs a tick makes, what is recorded, and that it happens once."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import insert, select, update

from ledger import clock, fleet, recurrence, runs, schedules
from ledger.engine import reading, writing
from ledger.errors import JobNotFound, ScheduleNotFound
from ledger.schedules import NameTaken, ScheduleBusy
from ledger.states import State
from ledger.tables import runs as runs_table
from ledger.tables import schedules as schedules_table
from ledger.ticks import TICKS_AT_ONCE
from tests.schedule_steps import (
    ANCHOR,
    MINUTE,
    SECOND,
    every_minute,
    finish,
    fire,
    make,
    prepared,
    recorded,
    run_rows,
    set_watermark,
    tick_rows,
    with_jobs,  # noqa: F401
)


def test_a_tick_makes_a_run_as_the_schedule_says(engine):
    schedule_id = make(engine)
    (fired,) = fire(engine, schedule_id, ANCHOR + MINUTE + SECOND)
    (run,) = run_rows(engine)
    assert fired == (run.id, "report", "reports")
    assert (run.priority, run.origin, run.created_by, run.typed) == (5, "schedule", "nightly", True)
    assert (run.schedule_id, run.tick_at, run.state) == (schedule_id, ANCHOR + MINUTE, State.QUEUED)
    assert run.args == '{"args":[],"kwargs":{"month":"2026-01"}}'
    (tick,) = tick_rows(engine, schedule_id)
    assert (tick.tick_at, tick.outcome, tick.run_id, tick.reason) == (ANCHOR + MINUTE, "fired", run.id, None)


def test_nothing_is_due_before_the_first_tick_and_twice_is_once(engine):
    schedule_id = make(engine)
    assert fire(engine, schedule_id, ANCHOR + MINUTE - 1) == []
    assert len(fire(engine, schedule_id, ANCHOR + MINUTE)) == 1
    assert fire(engine, schedule_id, ANCHOR + MINUTE) == []
    assert recorded(engine, schedule_id) == [(1, "fired")]


def test_a_new_schedule_has_no_past(engine):
    with writing(engine) as connection:
        schedule_id = schedules.create(connection, every_minute(), "ana")
        assert schedules.fire(connection, schedule_id, clock.now()) == []


def test_the_schedules_own_queue_and_priority_win(engine):
    schedule_id = make(engine, queue="night", priority=0)
    fire(engine, schedule_id, ANCHOR + MINUTE)
    assert [(run.queue, run.priority) for run in run_rows(engine)] == [("night", 0)]


def test_a_job_that_nobody_announced_any_more_gets_its_run_in_the_default_queue(engine):
    schedule_id = make(engine)
    with writing(engine) as connection:
        connection.execute(
            update(schedules_table).where(schedules_table.c.id == schedule_id).values(job="forgotten")
        )
    assert [fired[1:] for fired in fire(engine, schedule_id, ANCHOR + MINUTE)] == [("forgotten", "default")]


@pytest.mark.parametrize(
    "catchup, outcomes",
    [
        ("none", ["missed", "missed", "missed", "missed", "missed"]),
        ("latest", ["missed", "missed", "missed", "missed", "late"]),
        ("all", ["late", "late", "late", "late", "late"]),
    ],
)
def test_five_ticks_of_downtime_follow_the_policy(engine, catchup, outcomes):
    schedule_id = make(engine, catchup=catchup)
    fired = fire(engine, schedule_id, ANCHOR + 5 * MINUTE + 30 * SECOND)
    assert recorded(engine, schedule_id) == list(enumerate(outcomes, 1))
    assert len(fired) == len(run_rows(engine)) == outcomes.count("late")


@pytest.mark.parametrize("catchup", ["none", "latest", "all"])
def test_a_punctual_tick_fires_whatever_the_policy(engine, catchup):
    schedule_id = make(engine, catchup=catchup)
    fire(engine, schedule_id, ANCHOR + 2 * MINUTE + SECOND)
    assert recorded(engine, schedule_id)[-1] == (2, "fired")


def test_late_and_missed_ticks_say_by_how_much(engine):
    schedule_id = make(engine)
    fire(engine, schedule_id, ANCHOR + 2 * MINUTE + 30 * SECOND)
    missed, late = tick_rows(engine, schedule_id)
    assert missed.reason == "noticed 1 min 30 s behind; only the latest missed tick is made up for"
    assert late.reason == "30 s behind"
    assert missed.run_id is None and late.run_id is not None


@pytest.mark.parametrize("catchup, made", [("none", 0), ("latest", 1), ("all", TICKS_AT_ONCE)])
def test_a_month_of_downtime_is_summed_up(engine, catchup, made):
    schedule_id = make(engine, catchup=catchup)
    minutes = 30 * 24 * 60
    fired = fire(engine, schedule_id, ANCHOR + minutes * MINUTE + 30 * SECOND)
    ticks = tick_rows(engine, schedule_id)
    assert len(fired) == made
    assert len(ticks) == TICKS_AT_ONCE
    assert ticks[-1].tick_at == ANCHOR + minutes * MINUTE
    assert "10,000 or more earlier ticks, from 2026-01-01 00:01:00 UTC on, were missed" in ticks[0].reason
    assert fire(engine, schedule_id, ANCHOR + minutes * MINUTE + 31 * SECOND) == []


def test_earlier_ticks_are_counted(engine):
    schedule_id = make(engine)
    fire(engine, schedule_id, ANCHOR + (TICKS_AT_ONCE + 7) * MINUTE)
    assert "7 earlier ticks, from 2026-01-01 00:01:00 UTC on, were missed" in tick_rows(engine, schedule_id)[0].reason


def test_exactly_as_many_ticks_as_are_recorded_leave_nothing_to_sum_up(engine):
    schedule_id = make(engine)
    fire(engine, schedule_id, ANCHOR + TICKS_AT_ONCE * MINUTE)
    assert "earlier" not in tick_rows(engine, schedule_id)[0].reason


def test_an_unfinished_run_skips_the_next_tick_until_it_ends(engine):
    schedule_id = make(engine, overlap="skip")
    (first,) = fire(engine, schedule_id, ANCHOR + MINUTE)
    assert fire(engine, schedule_id, ANCHOR + 2 * MINUTE) == []
    finish(engine, first.run_id)
    assert len(fire(engine, schedule_id, ANCHOR + 3 * MINUTE)) == 1
    assert recorded(engine, schedule_id) == [(1, "fired"), (2, "skipped"), (3, "fired")]
    assert tick_rows(engine, schedule_id)[1].reason == "the run before was not finished"


def test_a_run_made_by_hand_counts_as_unfinished_too(engine):
    schedule_id = make(engine, overlap="skip")
    with writing(engine) as connection:
        runs.insert(connection, [schedules.request(connection, schedule_id, "ana")])
    assert fire(engine, schedule_id, ANCHOR + MINUTE) == []
    assert recorded(engine, schedule_id) == [(1, "skipped")]


def test_runs_of_other_schedules_do_not_count(engine):
    fire(engine, make(engine, name="other", overlap="skip"), ANCHOR + MINUTE)
    assert len(fire(engine, make(engine, overlap="skip"), ANCHOR + MINUTE)) == 1


def test_catching_up_with_all_and_skipping_overlaps_makes_one_run(engine):
    schedule_id = make(engine, overlap="skip", catchup="all")
    assert len(fire(engine, schedule_id, ANCHOR + 3 * MINUTE + 30 * SECOND)) == 1
    assert recorded(engine, schedule_id) == [(1, "late"), (2, "skipped"), (3, "skipped")]


def test_a_paused_schedule_makes_no_run_and_goes_on_from_its_resumption(engine):
    schedule_id = make(engine, since=clock.now() - 5 * MINUTE)
    with writing(engine) as connection:
        schedules.pause(connection, schedule_id, "ana")
    assert fire(engine, schedule_id, clock.now()) == []
    assert recorded(engine, schedule_id) == []
    before = clock.now()
    with writing(engine) as connection:
        schedules.resume(connection, schedule_id)
    assert fire(engine, schedule_id, before) == []
    assert {(tick.outcome, tick.reason, tick.run_id) for tick in tick_rows(engine, schedule_id)} == {
        ("skipped", "it was paused", None)
    }
    assert len(tick_rows(engine, schedule_id)) in (5, 6)
    (fired,) = fire(engine, schedule_id, clock.now() + MINUTE)
    assert run_rows(engine)[0].tick_at > before


def test_pausing_twice_keeps_the_first_person_and_resuming_twice_the_first_time(engine):
    schedule_id = make(engine)
    with writing(engine) as connection:
        schedules.pause(connection, schedule_id, "ana")
        schedules.pause(connection, schedule_id, "ben")
        row = connection.execute(select(schedules_table)).one()
        assert row.paused_by == "ana"
        schedules.resume(connection, schedule_id)
        watermark = connection.scalar(select(schedules_table.c.watermark))
        schedules.resume(connection, schedule_id)
        assert connection.scalar(select(schedules_table.c.watermark)) == watermark


def test_an_edited_rule_begins_now(engine):
    schedule_id = make(engine)
    before = clock.now()
    with writing(engine) as connection:
        schedules.change(connection, schedule_id, every_minute(rule=recurrence.parse("cron", "@hourly")))
    assert fire(engine, schedule_id, before) == []
    assert recorded(engine, schedule_id) == []


def test_an_edit_that_keeps_the_rule_keeps_what_is_due(engine):
    schedule_id = make(engine)
    with writing(engine) as connection:
        schedules.change(connection, schedule_id, every_minute(job="mail", args={"to": "ben"}))
    (fired,) = fire(engine, schedule_id, ANCHOR + MINUTE)
    assert fired.job == "mail" and "ben" in run_rows(engine)[0].args


def test_names_are_unique_and_jobs_must_be_known(engine):
    make(engine, name="one")
    two = make(engine, name="two")
    with pytest.raises(NameTaken, match="'one'"), writing(engine) as connection:
        schedules.create(connection, every_minute(name="one"))
    with pytest.raises(NameTaken, match="'one'"), writing(engine) as connection:
        schedules.change(connection, two, every_minute(name="one"))
    with pytest.raises(JobNotFound), writing(engine) as connection:
        schedules.create(connection, every_minute(name="three", job="nonsense"))
    with pytest.raises(JobNotFound), writing(engine) as connection:
        schedules.change(connection, two, every_minute(name="two", job="nonsense"))


@pytest.mark.parametrize(
    "act",
    [
        lambda connection: schedules.pause(connection, "nobody", "ana"),
        lambda connection: schedules.resume(connection, "nobody"),
        lambda connection: schedules.remove(connection, "nobody"),
        lambda connection: schedules.change(connection, "nobody", every_minute()),
        lambda connection: schedules.request(connection, "nobody", "ana"),
    ],
)
def test_what_is_not_there_is_not_found(engine, act):
    with pytest.raises(ScheduleNotFound), writing(engine) as connection:
        act(connection)


def test_a_removed_schedule_leaves_its_runs_and_fires_no_more(engine):
    schedule_id = make(engine)
    fire(engine, schedule_id, ANCHOR + MINUTE)
    with writing(engine) as connection:
        schedules.remove(connection, schedule_id)
    assert fire(engine, schedule_id, ANCHOR + 2 * MINUTE) == []
    assert tick_rows(engine, schedule_id) == [] and len(run_rows(engine)) == 1


def test_every_change_shows_in_the_newest_change(engine):
    def newest():
        with reading(engine) as connection:
            return schedules.newest_change(connection)

    def told(act):
        before = newest()
        with writing(engine) as connection:
            act(connection)
        return newest() != before

    schedule_id = make(engine)
    assert told(lambda connection: schedules.pause(connection, schedule_id, "ana"))
    assert told(lambda connection: schedules.resume(connection, schedule_id))
    assert told(lambda connection: schedules.change(connection, schedule_id, every_minute(queue="x")))
    assert told(lambda connection: schedules.create(connection, every_minute(name="second")))
    assert told(lambda connection: schedules.remove(connection, schedule_id))
    assert not told(lambda connection: schedules.fire(connection, schedule_id, clock.now()))


def test_a_change_shows_even_if_it_was_made_before_the_newest_one(engine):
    """Of two changes, the one that was made first may be committed last."""
    one, _two = make(engine, name="one"), make(engine, name="two")
    with writing(engine) as connection:
        before = schedules.newest_change(connection)
        mine = schedules_table.c.id == one
        connection.execute(update(schedules_table).where(mine).values(changed_at=schedules_table.c.changed_at + 1))
        assert before[:2] == schedules.newest_change(connection)[:2] and before != schedules.newest_change(connection)


def test_enabled_schedules_leave_out_the_paused(engine):
    one = make(engine, name="one")
    with writing(engine) as connection:
        schedules.pause(connection, two := make_in(connection, "two"), "ana")
    with reading(engine) as connection:
        assert [each.name for each in schedules.enabled(connection)] == ["one"]
        assert [each.name for each in schedules.enabled(connection, [one, two, "nobody"])] == ["one"]
        assert schedules.enabled(connection, []) == []
        assert list(schedules.changes(connection)) == [one]


def make_in(connection, name: str) -> str:
    return schedules.create(connection, every_minute(name=name))


def test_a_tick_that_was_recorded_makes_no_second_run_even_if_the_watermark_goes_back(engine):
    schedule_id = make(engine)
    fire(engine, schedule_id, ANCHOR + 2 * MINUTE)
    set_watermark(engine, schedule_id, ANCHOR)
    assert fire(engine, schedule_id, ANCHOR + 2 * MINUTE) == []
    assert len(run_rows(engine)) == 1


def test_a_run_of_the_tick_that_is_there_already_stays_the_only_one(engine):
    schedule_id = make(engine)
    earlier = runs.NewRun(job="report", queue="x", origin="schedule", schedule_id=schedule_id, tick_at=ANCHOR + MINUTE)
    with writing(engine) as connection:
        connection.execute(insert(runs_table), [runs.row_of(earlier, clock.now())])
    fire(engine, schedule_id, ANCHOR + MINUTE)
    assert [run.id for run in run_rows(engine)] == [earlier.id]


def test_a_clock_that_went_back_fires_nothing_again(engine):
    schedule_id = make(engine)
    fire(engine, schedule_id, ANCHOR + 60 * MINUTE)
    assert fire(engine, schedule_id, ANCHOR + 30 * MINUTE) == []


@pytest.mark.parametrize("catchup", ["latest", "all"])
def test_many_schedulers_make_one_run_for_each_tick(engine, catchup):
    schedule_id = make(engine, catchup=catchup)
    together = threading.Barrier(6)

    def scheduler() -> list:
        fired = []
        for minute in range(1, 9):
            together.wait(timeout=60)
            fired += fire(engine, schedule_id, ANCHOR + minute * MINUTE)
        return fired

    with ThreadPoolExecutor(6) as pool:
        futures = [pool.submit(scheduler) for _ in range(6)]
        fired = [each for future in futures for each in future.result(timeout=120)]
    assert [run.tick_at for run in run_rows(engine)] == [ANCHOR + minute * MINUTE for minute in range(1, 9)]
    assert sorted(each.run_id for each in fired) == sorted(run.id for run in run_rows(engine))
    assert recorded(engine, schedule_id) == [(minute, "fired") for minute in range(1, 9)]


def test_a_schedule_that_somebody_holds_is_busy_for_whoever_does_not_wait(postgresql_url):
    engine = prepared(postgresql_url)
    schedule_id = make(engine)
    with writing(engine) as holder:
        holder.execute(select(schedules_table).with_for_update())
        with pytest.raises(ScheduleBusy), writing(engine) as connection:
            schedules.fire(connection, schedule_id, ANCHOR + MINUTE, wait=False)
    with writing(engine) as connection:
        assert len(schedules.fire(connection, schedule_id, ANCHOR + MINUTE, wait=False)) == 1
        assert schedules.fire(connection, "nobody", ANCHOR + MINUTE, wait=False) == []
    engine.dispose()


def test_a_pause_waits_for_a_firing_and_is_final(engine):
    """Whoever pauses and is told so sees no run after that, however many schedulers are firing."""
    schedule_id = make(engine)
    stop = threading.Event()

    def scheduler() -> None:
        minute = 0
        while not stop.is_set():
            minute += 1
            fire(engine, schedule_id, ANCHOR + minute * MINUTE)

    with ThreadPoolExecutor(2) as pool:
        futures = [pool.submit(scheduler) for _ in range(2)]
        while not run_rows(engine):
            pass
        with writing(engine) as connection:
            schedules.pause(connection, schedule_id, "ana")
        paused_with = len(run_rows(engine))
        stop.set()
        for future in futures:
            future.result(timeout=60)
    assert len(run_rows(engine)) == paused_with


def test_a_tick_whose_run_would_be_equal_to_another_says_so(engine):
    unique = {"while": "active", "seconds": None, "by": None, "on_duplicate": "skip"}
    told = fleet.Job("report", "reports", 5, {"type": "object"}, "", "", {"unique": unique}, "")
    fleet.register(engine, fleet.NewProcess(kind="worker"), [told])
    schedule_id = make(engine)
    (first,) = fire(engine, schedule_id, ANCHOR + MINUTE)
    assert fire(engine, schedule_id, ANCHOR + 2 * MINUTE) == []
    assert recorded(engine, schedule_id) == [(1, "fired"), (2, "skipped")]
    assert tick_rows(engine, schedule_id)[1].run_id == first.run_id
