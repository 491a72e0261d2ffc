"""What is asked again and again reads an index, however many runs wait for another day."""

from sqlalchemy import Engine

from ledger import clock, fleet, recurrence, runs, schedules
from ledger.claims import next_due
from ledger.dispatch import is_overdue, next_dispatch_at
from ledger.engine import is_sqlite, reading, writing
from ledger.queries.schedules import schedules_page
from ledger.runs import NewRun, cancel_requests
from tests.ledger_steps import (
    HOUR,
    claimed_ids,
    dispatch,
    dispatch_many,
    migrated,  # noqa: F401
    plan,
    rescue,
    statements,
    take_hints,
    worker,
)
from tests.schedule_steps import job

DELAYED, TICKED = 20_000, 2_000


def with_many_delayed_runs(engine: Engine) -> None:
    dispatch_many(engine, DELAYED, due_at=clock.now() + HOUR)
    if not is_sqlite(engine):
        with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.exec_driver_sql("VACUUM ANALYZE runs")


def claims(engine: Engine) -> None:
    assert len(claimed_ids(engine, worker(engine), most=8)) == 1


def asks_when_the_next_is_due(engine: Engine) -> None:
    with reading(engine) as connection:
        assert next_due(connection, "default", ["add"]) < clock.now()


def takes_hints(engine: Engine) -> None:
    with reading(engine) as connection:
        assert next_dispatch_at(connection) > clock.now()
    assert take_hints(engine) == []


def asks_what_has_expired(engine: Engine) -> None:
    with reading(engine) as connection:
        assert not is_overdue(connection)


def asks_who_is_to_stop(engine: Engine) -> None:
    by = worker(engine)
    with reading(engine) as connection:
        assert cancel_requests(connection, by.worker_id) == set()
    assert rescue(engine, by) == []


def test_runs_that_wait_for_another_day_are_not_looked_at(engine: Engine):
    with_many_delayed_runs(engine)
    dispatch(engine)
    for ask, index in ASKED.items():
        with statements(engine) as sent:
            ask(engine)
        plans = [plan(engine, *each) for each in sent if "FROM runs" in each[0]]
        assert plans
        assert all(index in each and not reads_all(each) for each in plans), "\n\n".join(plans)


ASKED = {
    asks_what_has_expired: "ix_runs_expires",
    asks_when_the_next_is_due: "ix_runs_ready",
    claims: "ix_runs_ready",
    takes_hints: "ix_runs_dispatch",
    asks_who_is_to_stop: "ix_runs_",  # by worker or by state: few are running
}


def test_the_runs_of_a_schedule_are_found_without_walking_all_runs(engine: Engine):
    schedule_id = with_a_schedule_that_was_never_run_by_hand(engine)
    with statements(engine) as sent:
        page = schedules_page(engine)
        with writing(engine) as connection:
            schedules.fire(connection, schedule_id, clock.now())
    assert page.lines[0].last is not None
    plans = [plan(engine, *each) for each in sent if "tick_at IS NULL" in each[0]]
    assert len(plans) >= 2
    assert all("ux_runs_tick" in each and "pk_runs" not in each and "SCAN runs" not in each for each in plans), plans


def with_a_schedule_that_was_never_run_by_hand(engine: Engine) -> str:
    fleet.register(engine, fleet.NewProcess(kind="worker"), [job("add", "default", 0)])
    rule = recurrence.parse("interval", "60", anchor=0)
    with writing(engine) as connection:
        new = schedules.NewSchedule(name="often", job="add", rule=rule, overlap="skip")
        schedule_id = schedules.create(connection, new)
        own = {"job": "add", "queue": "default", "origin": "schedule", "schedule_id": schedule_id}
        runs.insert(connection, [NewRun(**own, tick_at=number * HOUR) for number in range(TICKED)])
    with_many_delayed_runs(engine)
    return schedule_id


def reads_all(plan: str) -> bool:
    return "SCAN runs" in plan or "Seq Scan on runs" in plan or "TEMP B-TREE" in plan


def test_a_claim_stops_reading_where_the_future_begins(engine: Engine):
    with_many_delayed_runs(engine)
    dispatch(engine)
    with statements(engine) as sent:
        claims(engine)
    [claim] = [plan(engine, *each) for each in sent if "UPDATE runs" in each[0]]
    assert "due_at<?" in claim or "due_at <= " in claim
    assert not reads_all(claim)
