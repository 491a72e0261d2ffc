"""What the overview, the metrics and the settings ask of the ledger, on both databases."""

import pytest
from sqlalchemy import Engine, insert, update

from ledger import clock, fleet, notes, recurrence, schedules, tally
from ledger.engine import reading, writing
from ledger.fleet import NewProcess
from ledger.queries.about import about
from ledger.queries.counting import Count
from ledger.queries.flow import Host, Source
from ledger.queries.gauges import gauges
from ledger.queries.overview import overview
from ledger.queries.throughput import Range, throughput
from ledger.queries.trouble import trouble
from ledger.queries.upcoming import fires, upcoming
from ledger.tables import processes, runs, ticks
from tests.ledger_steps import (
    HOUR,
    cancel,
    dispatch,
    dispatch_many,
    failed,
    finish,
    migrated,  # noqa: F401
    rescue,
    running,
    statements,
    succeeded,
    worker,
)

DAY = 24 * HOUR


def done(engine: Engine, at: int | None = None, **fields) -> str:
    claimed = running(engine, **fields)
    finish(engine, succeeded(claimed, **({"at": at} if at else {})))
    return claimed.id


def asked(engine: Engine, query, *more):
    with reading(engine) as connection:
        return query(connection, *more)


# Throughput


@pytest.mark.parametrize("wanted", list(Range))
def test_each_range_counts_the_same_before_and_after_counting(engine: Engine, wanted: Range):
    now = clock.now()
    for ago in (0, wanted.length // 2, wanted.length - wanted.step, wanted.length + 2 * wanted.step):
        done(engine, at=now - ago)
    finish(engine, failed(running(engine)))
    before = asked(engine, throughput, wanted, now)
    tally.catch_up(engine)
    after = asked(engine, throughput, wanted, now)
    assert before == after
    assert (after.done, after.failed, after.complete) == (3, 1, True)
    assert len(after.parts) == wanted.length // wanted.step


def test_a_chart_reads_no_run_that_is_counted(engine: Engine):
    done(engine)
    tally.catch_up(engine)
    with writing(engine) as connection:
        connection.execute(runs.delete())
    assert asked(engine, throughput, Range.HOUR, clock.now()).done == 1


# The flow


def test_the_flow_goes_from_origins_through_queues_to_hosts(engine: Engine):
    by = worker(engine)
    dispatch_many(engine, 2, origin="code")
    running(engine, by)
    done(engine)
    cancel(engine, dispatch(engine))
    dispatch(engine, queue="mail", origin="schedule")
    found = overview(engine).flow
    assert Source("code", 2) in found.sources and Source("schedule", 1) in found.sources
    queues = {each.name: each for each in found.queues}
    assert (queues["mail"].waiting, queues["mail"].hosts, queues["mail"].came) == (Count(1), (), 1)
    assert queues["default"].hosts and queues["default"].running == 1
    assert found.came == 6 and found.went == 1  # what was canceled came, but no worker did it
    [host] = found.hosts
    assert isinstance(host, Host) and host.busy == 1


def test_a_rate_of_many_is_that_of_the_newest(engine: Engine, monkeypatch):
    monkeypatch.setattr("ledger.queries.flow.MOST_SAMPLED", 10)
    for _ in range(2):
        dispatch_many(engine, 10)
    with writing(engine) as connection:
        connection.execute(update(runs).values(created_at=clock.now() - 5 * clock.SECOND))
    assert 100 <= overview(engine).flow.came <= 125


def test_the_flow_takes_as_many_statements_for_many_runs_as_for_few(engine: Engine):
    worker(engine)
    dispatch(engine)
    overview(engine)
    with statements(engine) as few:
        overview(engine)
    dispatch_many(engine, 50)
    with statements(engine) as many:
        overview(engine)
    assert len(few) <= len(many) <= len(few) + 8  # the last runs each say why they wait


# What fires next


def schedule(engine: Engine, name: str, rule: str) -> str:
    fleet.register(engine, NewProcess(kind="worker"), [fleet.Job("add", "default", 0, {}, "", "", {}, "")])
    with writing(engine) as connection:
        new = schedules.NewSchedule(name=name, job="add", rule=recurrence.parse("cron", rule))
        return schedules.create(connection, new)


def test_the_coming_hour_names_each_schedule_once_with_its_number(engine: Engine):
    schedule(engine, "often", "*/10 * * * *")
    schedule(engine, "yearly", "0 0 1 1 *")
    found = asked(engine, upcoming, clock.now())
    assert [(each.name, each.number) for each in found.soon] == [("often", 6)]
    assert (found.next.name, found.more) == ("often", 0)


def test_without_a_schedule_nothing_fires(engine: Engine):
    found = asked(engine, upcoming, clock.now())
    assert (found.next, found.soon, found.more) == (None, (), 0)


def test_what_fires_next_moves_on_with_time_and_follows_every_change(engine: Engine):
    schedule_id, now = schedule(engine, "often", "*/10 * * * *"), clock.now()
    often = asked(engine, times, now)
    assert asked(engine, times, often[0] - 1) == often
    assert asked(engine, times, often[0]) == [often[0] + HOUR // 6]
    assert asked(engine, times, now) == often  # a clock that was set back
    schedule(engine, "hourly", "0 * * * *")
    assert len(asked(engine, times, now)) == 2
    with writing(engine) as connection:
        schedules.pause(connection, schedule_id, "ana")
    assert len(asked(engine, times, now)) == 1


def times(connection, now: int) -> list[int | None]:
    return [at for at, _schedule in fires(connection, now)]


# Trouble


def test_workers_that_died_in_the_last_hour_are_counted_with_the_last_reason(engine: Engine):
    for _ in range(2):
        rescue(engine, worker(engine))
    old = worker(engine)
    rescue(engine, old)
    with writing(engine) as connection:
        long_ago = clock.now() - 2 * HOUR
        connection.execute(update(processes).where(processes.c.id == old.worker_id).values(ended_at=long_ago))
    deaths = asked(engine, trouble, clock.now()).deaths
    assert (deaths.number, deaths.because) == (Count(2), "killed by SIGKILL")


def test_missed_ticks_of_the_last_day_are_told_by_schedule(engine: Engine):
    schedule_id, now = schedule(engine, "hourly", "0 * * * *"), clock.now()
    rows = [(HOUR, "missed"), (2 * HOUR, "missed"), (3 * HOUR, "fired"), (2 * DAY, "missed")]
    with writing(engine) as connection:
        of = {"schedule_id": schedule_id, "recorded_at": now}
        connection.execute(insert(ticks), [of | {"tick_at": now - ago, "outcome": how} for ago, how in rows])
    [missed] = asked(engine, trouble, now).missed
    assert (missed.name, missed.number, missed.last_at) == ("hourly", 2, now - HOUR)


def test_a_run_is_stuck_when_it_takes_many_times_as_long_as_usual(engine: Engine):
    done(engine)
    tally.catch_up(engine)
    slow = running(engine)
    running(engine)
    with writing(engine) as connection:
        connection.execute(update(runs).where(runs.c.id == slow.id).values(started_at=clock.now() - 2 * HOUR))
    assert [each.run_id for each in asked(engine, trouble, clock.now()).stuck] == [slow.id]


# Metrics and settings


def test_gauges_tell_what_the_last_day_dropped(engine: Engine):
    by = worker(engine)
    late = running(engine, by)
    rescue(engine, by)
    finish(engine, succeeded(late))
    notes.reject(engine, "default", "no message", b"?")
    found = gauges(engine)
    assert (found.late, found.rejected) == (Count(1), Count(1))


def test_the_ledger_knows_its_size_its_version_and_what_it_forgets_next(engine: Engine):
    finished_at = clock.now() - 29 * DAY - HOUR
    done(engine, at=finished_at)
    dispatch(engine)
    found = about(engine, 30)
    assert found.database.split(" ")[0] in ("SQLite", "PostgreSQL") and found.size > 10_000
    assert (found.runs, found.runs_guessed, found.revision) == (2, False, found.newest)
    assert (found.forgetting.next_at, found.forgetting.of_day) == (finished_at + 30 * DAY, Count(1))
    assert found.uncounted_since == finished_at
    tally.catch_up(engine)
    assert about(engine, 30).uncounted_since is None
