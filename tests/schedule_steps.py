"""What tests of schedules say: make, fire, and what is on record then."""

import pytest
from sqlalchemy import select, update

from ledger import clock, fleet, recurrence, runs, schedules
from ledger.engine import open_engine, reading, writing
from ledger.schedules import NewSchedule
from ledger.tables import runs as runs_table
from ledger.tables import schedules as schedules_table
from ledger.tables import ticks as ticks_table
from tests.ledgers import prepare

SECOND, MINUTE = clock.SECOND, 60 * clock.SECOND
ANCHOR = 1_767_225_600 * SECOND  # 2026-01-01


@pytest.fixture(name="engine")
def with_jobs(database_url):
    engine = prepared(database_url)
    yield engine
    engine.dispose()


def prepared(url: str):
    engine = open_engine(url)
    prepare(engine)
    fleet.register(engine, fleet.NewProcess(kind="worker"), [job("report", "reports", 5), job("mail", "mail", 0)])
    return engine


def job(name: str, queue: str, priority: int) -> fleet.Job:
    return fleet.Job(name, queue, priority, {"type": "object"}, "", "", {}, "")


def every_minute(**changes) -> NewSchedule:
    said = {"name": "nightly", "job": "report", "rule": recurrence.parse("interval", "60", anchor=ANCHOR)}
    return NewSchedule(**said | {"args": {"month": "2026-01"}, "overlap": "allow"} | changes)


def make(engine, *, since: int = ANCHOR, **changes) -> str:
    """A schedule that ticks every minute from ``since`` on, as if it were as old as that."""
    with writing(engine) as connection:
        schedule_id = schedules.create(connection, every_minute(**changes), "ana")
    set_watermark(engine, schedule_id, since)
    return schedule_id


def set_watermark(engine, schedule_id: str, at: int) -> None:
    with writing(engine) as connection:
        connection.execute(
            update(schedules_table).where(schedules_table.c.id == schedule_id).values(watermark=at)
        )


def fire(engine, schedule_id: str, now: int) -> list[schedules.Fired]:
    with writing(engine) as connection:
        return schedules.fire(connection, schedule_id, now)


def recorded(engine, schedule_id: str) -> list[tuple[int, str]]:
    """Minutes since the anchor, and what became of that tick."""
    return [((row.tick_at - ANCHOR) // MINUTE, row.outcome) for row in tick_rows(engine, schedule_id)]


def tick_rows(engine, schedule_id: str):
    own = select(ticks_table).where(ticks_table.c.schedule_id == schedule_id)
    with reading(engine) as connection:
        return connection.execute(own.order_by(ticks_table.c.tick_at)).fetchall()


def run_rows(engine):
    with reading(engine) as connection:
        return connection.execute(select(runs_table).order_by(runs_table.c.tick_at)).fetchall()


def finish(engine, run_id: str) -> None:
    runs.cancel(engine, run_id, "ana")
