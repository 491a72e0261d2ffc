"""``python scheduler.py`` as a process: it fires, shares the work with others, rescues, prunes, and ends in order."""

import signal
import time

import pytest
from sqlalchemy import insert, select, update

from ledger import clock, fleet, recurrence, retention, runs, schedules
from ledger.engine import open_engine, reading, writing
from ledger.runs import NewRun
from ledger.schedules import NewSchedule
from ledger.states import Outcome, State
from ledger.tables import artifacts, attempts
from ledger.tables import processes as processes_table
from ledger.tables import runs as runs_table
from ledger.tables import schedules as schedules_table
from ledger.tables import ticks as ticks_table
from tests.ledgers import prepare
from tests.processes import Processes

FIRST = 1_700_000_000 * clock.SECOND


@pytest.fixture
def engine(processes: Processes):
    engine = open_engine(f"sqlite:///{processes.folder}/var/ledger.db")
    with_a_job(engine)
    yield engine
    engine.dispose()


def with_a_job(engine) -> None:
    prepare(engine)
    job = fleet.Job("report", "reports", 0, {"type": "object"}, "", "", {}, "")
    fleet.register(engine, fleet.NewProcess(kind="announcer"), [job])
    end(engine, kind="announcer")


def end(engine, **where) -> None:
    with writing(engine) as connection:
        connection.execute(update(processes_table).filter_by(**where).values(state="stopped", ended_at=clock.now()))


def start(processes: Processes, *arguments, **environment):
    scheduler = processes.python("scheduler.py", *arguments, name="scheduler", **environment)
    scheduler.wait_for_log("is up")
    return scheduler


def make(engine, seconds: int = 1, **changes) -> str:
    rule = recurrence.parse("interval", str(seconds), anchor=FIRST)
    said = {"name": "often", "job": "report", "rule": rule, "overlap": "allow", "catchup": "all"} | changes
    with writing(engine) as connection:
        return schedules.create(connection, NewSchedule(**said), "ana")


def rows(engine, table, *where):
    with reading(engine) as connection:
        return connection.execute(select(table).where(*where)).fetchall()


def run_count(engine) -> int:
    return len(rows(engine, runs_table))


def state_of(engine, run_id: str) -> State:
    (row,) = rows(engine, runs_table, runs_table.c.id == run_id)
    return State(row.state)


def alive(engine, kind: str = "scheduler"):
    return rows(engine, processes_table, processes_table.c.kind == kind, processes_table.c.state == "alive")


def assert_one_run_for_each_tick(engine) -> None:
    ticks = rows(engine, ticks_table)
    times = sorted(tick.tick_at for tick in ticks)
    assert times == list(range(times[0], times[-1] + 1, clock.SECOND))
    fired = sorted(tick.run_id for tick in ticks if tick.run_id)
    assert fired == sorted(run.id for run in rows(engine, runs_table))


def test_a_schedule_makes_runs_and_a_signal_ends_it_in_order(engine, processes):
    make(engine)
    scheduler = start(processes)
    processes.wait_until(lambda: run_count(engine) >= 3, 30, "three runs")
    assert len(alive(engine)) == 1
    assert scheduler.stop(signal.SIGTERM) == 0
    assert alive(engine) == []
    (row,) = rows(engine, processes_table, processes_table.c.kind == "scheduler")
    assert (row.state, row.ended_because) == ("stopped", "stopped")
    assert_one_run_for_each_tick(engine)


def test_an_interrupt_ends_it_too(engine, processes):
    assert start(processes).stop(signal.SIGINT) == 0


def test_two_schedulers_make_one_run_for_each_tick_and_one_goes_on_alone(engine, processes):
    make(engine)
    one, _two = start(processes), start(processes)
    processes.wait_until(lambda: run_count(engine) >= 4, 30, "four runs")
    one.kill()
    with_both = run_count(engine)
    processes.wait_until(lambda: run_count(engine) >= with_both + 3, 30, "three more runs")
    assert_one_run_for_each_tick(engine)


def test_ticks_of_its_absence_are_caught_up_with(engine, processes):
    make(engine)
    scheduler = start(processes)
    processes.wait_until(lambda: run_count(engine) >= 1, 30, "a run")
    scheduler.kill()
    last = max(tick.tick_at for tick in rows(engine, ticks_table))
    processes.wait_until(lambda: clock.now() > last + 8 * clock.SECOND, 30, "eight seconds without a scheduler")
    start(processes)
    processes.wait_until(lambda: run_count(engine) >= 10, 30, "ten runs")
    assert_one_run_for_each_tick(engine)
    assert "late" in {tick.outcome for tick in rows(engine, ticks_table)}


def test_a_tick_that_waits_makes_its_run_when_the_run_before_ends(engine, processes):
    start(processes)
    make(engine, overlap="queue")
    processes.wait_until(lambda: rows(engine, ticks_table, ticks_table.c.outcome == "waiting"), 30, "a tick waits")
    (first,) = rows(engine, runs_table)
    runs.cancel(engine, first.id, "ana")
    processes.wait_until(lambda: run_count(engine) == 2, 30, "its run is made")
    (late,) = rows(engine, ticks_table, ticks_table.c.outcome == "late")
    assert late.reason.endswith("for the run before") and late.run_id != first.id


def test_a_schedule_fires_once_and_others_go_on(engine, processes):
    scheduler = start(processes)
    soon = clock.to_datetime(clock.now() + 3 * clock.SECOND).replace(tzinfo=None, microsecond=0)
    once = make(engine, name="once", rule=recurrence.parse("once", soon.isoformat(" ")))
    processes.wait_until(lambda: rows(engine, runs_table, runs_table.c.schedule_id == once), 30, "it has fired")
    make(engine)
    processes.wait_until(lambda: run_count(engine) >= 4, 30, "the other one fires")
    assert len(rows(engine, runs_table, runs_table.c.schedule_id == once)) == 1
    assert "cannot be read" not in scheduler.log_text()


def test_changes_are_followed_within_a_second(engine, processes):
    start(processes)
    schedule_id = make(engine, seconds=3600)
    with writing(engine) as connection:
        new = NewSchedule(name="often", job="report", rule=recurrence.parse("interval", "1"), overlap="allow")
        schedules.change(connection, schedule_id, new)
    changed_at = time.monotonic()
    processes.wait_until(lambda: run_count(engine) >= 1, 30, "a run by the new rule")
    assert time.monotonic() - changed_at < 30  # it reloads by itself after a minute
    with writing(engine) as connection:
        schedules.pause(connection, schedule_id, "ana")
    paused_with = run_count(engine)
    second = make(engine, name="second")
    processes.wait_until(lambda: of_schedule(engine, second) >= 2, 30, "two runs of another schedule")
    assert of_schedule(engine, schedule_id) == paused_with


def of_schedule(engine, schedule_id: str) -> int:
    return len(rows(engine, runs_table, runs_table.c.schedule_id == schedule_id))


def running_run_of(engine, worker: fleet.NewProcess) -> str:
    """A run as the claim of ``worker`` leaves it."""
    run_id = runs.dispatch(engine, NewRun(job="report", queue="reports", origin="form"))
    now = clock.now()
    with writing(engine) as connection:
        change = update(runs_table).where(runs_table.c.id == run_id)
        connection.execute(change.values(state=State.RUNNING, claim_token="t", worker_id=worker.id, attempt=1))
        attempt = {
            "run_id": run_id, "number": 1, "claim_token": "t", "worker_id": worker.id, "worker": worker.name,
            "started_at": now, "outcome": Outcome.RUNNING,
        }  # fmt: skip
        connection.execute(insert(attempts), [attempt])
    return run_id


def test_a_host_that_beats_no_more_is_gone_and_its_run_is_queued_again(engine, processes):
    supervisor = fleet.NewProcess(kind="supervisor")
    worker = fleet.NewProcess(kind="worker", supervisor_id=supervisor.id)
    fleet.register(engine, supervisor)
    fleet.register(engine, worker)
    run_id = running_run_of(engine, worker)
    start(processes, "--silence", "1.5")
    processes.wait_until(lambda: state_of(engine, run_id) == State.QUEUED, 30, "the rescued run")
    for each in (supervisor, worker):
        (row,) = rows(engine, processes_table, processes_table.c.id == each.id)
        assert (row.state, row.ended_because) == ("gone", "no sign of life for 1.5 s")
    (attempt,) = rows(engine, attempts)
    assert attempt.outcome == Outcome.LOST


def test_a_run_left_behind_by_a_worker_that_ended_is_queued_again(engine, processes):
    worker = fleet.NewProcess(kind="worker")
    fleet.register(engine, worker)
    run_id = running_run_of(engine, worker)
    end(engine, id=worker.id)
    start(processes, "--silence", "1.5")
    processes.wait_until(lambda: state_of(engine, run_id) == State.QUEUED, 30, "the rescued run")


def test_an_offer_that_ran_out_expires(engine, processes):
    start(processes)
    expires_at = clock.now() + clock.SECOND
    run_id = runs.dispatch(engine, NewRun(job="report", queue="reports", origin="form", expires_at=expires_at))
    processes.wait_until(lambda: state_of(engine, run_id) == State.EXPIRED, 30, "the expired run")


def test_what_is_older_than_the_retention_is_pruned_with_its_files(engine, processes):
    folder = processes.folder / "var" / "artifacts"
    old, young = (finished_run(engine, days, folder) for days in (40, 20))
    start(processes)
    processes.wait_until(lambda: not (folder / old).exists(), 30, "the deleted folder of the old run")
    assert [row.id for row in rows(engine, runs_table)] == [young]
    assert (folder / young / "1" / "report.txt").exists() and folder.is_dir()


def finished_run(engine, days: int, folder) -> str:
    run_id = runs.dispatch(engine, NewRun(job="report", queue="reports", origin="form"))
    path = folder / run_id / "1" / "report.txt"
    path.parent.mkdir(parents=True)
    path.write_text("done")
    artifact = {
        "id": run_id, "run_id": run_id, "attempt": 1, "name": path.name, "media_type": "text/plain", "size": 4,
        "path": str(path.relative_to(folder)), "created_at": clock.now(),
    }  # fmt: skip
    with writing(engine) as connection:
        connection.execute(insert(artifacts), [artifact])
        change = update(runs_table).where(runs_table.c.id == run_id)
        finished_at = clock.now() - days * retention.DAY
        connection.execute(change.values(state=State.CANCELED, finished_at=finished_at))
    return run_id


def test_a_scheduler_that_others_took_for_dead_signs_on_again(engine, processes):
    scheduler = start(processes)
    (before,) = processes.wait_until(lambda: alive(engine), 30, "the first beat")
    with writing(engine) as connection:
        fleet.declare_gone(connection, before.id, "no sign of life", 3)
    (after,) = processes.wait_until(lambda: alive(engine), 30, "a new row")
    assert after.id != before.id
    assert scheduler.stop() == 0


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_a_scheduler_that_was_frozen_for_longer_than_loops_may_stand_still_goes_on(processes, postgresql_url):
    # On PostgreSQL, because whoever is frozen in a write transaction on SQLite stops all others too.
    engine = open_engine(postgresql_url)
    with_a_job(engine)
    make(engine)
    frozen, other = (start(processes, DATABASE_URL=postgresql_url) for _ in range(2))
    processes.wait_until(lambda: run_count(engine) >= 1, 30, "a run")
    frozen.send(signal.SIGSTOP)
    frozen_at = clock.now()
    processes.wait_until(lambda: clock.now() > frozen_at + 33 * clock.SECOND, 60, "33 seconds")
    frozen.send(signal.SIGCONT)
    before = run_count(engine)
    processes.wait_until(lambda: run_count(engine) >= before + 3, 60, "three more runs")
    assert (frozen.stop(), other.stop()) == (0, 0)
    assert_one_run_for_each_tick(engine)
    engine.dispose()


def test_a_schedule_that_is_held_holds_up_no_other_and_catches_up(processes, postgresql_url):
    engine = open_engine(postgresql_url)
    with_a_job(engine)
    held, free = make(engine), make(engine, name="free")
    start(processes, DATABASE_URL=postgresql_url)
    processes.wait_until(lambda: of_schedule(engine, held) and of_schedule(engine, free), 30, "runs of both")
    with writing(engine) as holder:
        holder.execute(select(schedules_table).where(schedules_table.c.id == held).with_for_update())
        before = of_schedule(engine, held), of_schedule(engine, free)
        processes.wait_until(lambda: of_schedule(engine, free) >= before[1] + 4, 30, "runs of the free one")
        assert of_schedule(engine, held) == before[0]
    processes.wait_until(lambda: of_schedule(engine, held) >= before[0] + 4, 30, "runs of the held one")
    engine.dispose()


def test_wrong_settings_are_told_whole_before_anything_is_done(processes):
    scheduler = processes.python("scheduler.py", DISPLAY_TIMEZONE="Mars", RETENTION_DAYS=0)
    assert scheduler.wait() == 1
    log = scheduler.log_text()
    assert "DISPLAY_TIMEZONE" in log and "RETENTION_DAYS" in log and "Traceback" not in log
    assert not (processes.folder / "var").exists()


def test_it_waits_for_a_ledger_that_is_away(processes):
    away = "postgresql+psycopg://nobody@127.0.0.1:1/none"
    scheduler = processes.python("scheduler.py", DATABASE_URL=away)
    scheduler.wait_for_log("Waiting for the ledger")
    assert scheduler.stop() == 0


def test_it_goes_on_when_the_ledger_comes_back(postgresql, postgresql_url, processes):
    engine = open_engine(postgresql_url)
    with_a_job(engine)
    make(engine)
    scheduler = start(processes, DATABASE_URL=postgresql_url)
    processes.wait_until(lambda: run_count(engine) >= 1, 30, "a run")
    postgresql.stop()
    scheduler.wait_for_log("waits: the ledger cannot be used now")
    postgresql.start()
    before = run_count(engine)
    processes.wait_until(lambda: run_count(engine) >= before + 3, 60, "runs after the ledger's return")
    assert_one_run_for_each_tick(engine)
    assert scheduler.stop() == 0
    engine.dispose()


def test_hints_are_published_for_runs_that_wait(broker_url, engine, processes):
    run_id = runs.dispatch(engine, NewRun(job="report", queue="reports", origin="form"))
    start(processes, BROKER_URL=broker_url)

    def hinted() -> bool:
        (row,) = rows(engine, runs_table, runs_table.c.id == run_id)
        return row.dispatches > 0

    processes.wait_until(hinted, 30, "a hint by the dispatcher")
