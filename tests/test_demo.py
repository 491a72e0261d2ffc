"""The lived-in ledger has everything that a page can show, on either database, the same each time."""

from pathlib import Path

import pytest
from sqlalchemy import Engine, func, select

from bench.demo import __main__ as demo
from bench.demo import crew, livedin
from ledger import clock, tables
from ledger.engine import reading
from ledger.queries.reasons import Why
from ledger.queries.runs import runs_page
from ledger.queries.wanted import Tab, Wanted
from ledger.reaper import Reaper, reap
from ledger.states import Outcome, State
from ledger.ticks import TickOutcome
from tests.ledger_steps import (
    migrated,  # noqa: F401
    opened,
)

RUNS = 1_000
NOW = 1_795_000_000 * clock.SECOND


def found(engine: Engine, column) -> set:
    with reading(engine) as connection:
        return set(connection.scalars(select(column).distinct()))


def everything(engine: Engine) -> list:
    with reading(engine) as connection:
        return [connection.execute(select(table).order_by(*table.primary_key)).fetchall() for table in FIXED]


#: Tables whose rows say nothing of the moment at which they were filled.
FIXED = (tables.runs, tables.attempts, tables.ticks, tables.schedules, tables.processes, tables.artifacts)


def test_a_lived_in_ledger_has_every_state_outcome_reason_and_leaving(engine: Engine, tmp_path: Path):
    livedin.fill(engine, RUNS, artifacts=tmp_path)
    assert found(engine, tables.runs.c.state) == set(State)
    assert found(engine, tables.attempts.c.outcome) == set(Outcome)
    assert found(engine, tables.ticks.c.outcome) == set(TickOutcome)
    assert found(engine, tables.processes.c.state) == {"alive", "draining", "stopped", "gone"}
    waiting = [runs_page(engine, Wanted(tab=tab)) for tab in (Tab.WAITING, Tab.SCHEDULED, Tab.RETRYING)]
    why = {line.reason.why for page in waiting for line in page.lines}
    assert why >= {Why.NO_WORKER, Why.NOT_DUE, Why.BEHIND}
    with reading(engine) as connection:
        paths = connection.scalars(select(tables.artifacts.c.path)).all()
        counts = [connection.scalar(select(func.count()).select_from(each)) for each in (tables.logs, tables.rejected)]
    assert paths and all((tmp_path / path).stat().st_size for path in paths)
    assert all(counts)


def test_the_same_seed_makes_the_same_week(tmp_path: Path):
    made = []
    for name in ("one", "two"):
        with opened(f"sqlite:///{tmp_path / name}.db") as engine:
            livedin.fill(engine, 200, seed=7, now=NOW)
            made.append(everything(engine))
    assert made[0] == made[1]


def test_as_long_as_the_crew_beats_nobody_is_found_silent(engine: Engine):
    livedin.fill(engine, 100)
    time = [0.0]
    reaper = Reaper(None, limit=30, clock=lambda: time[0])
    for _ in range(12):
        time[0] += 5
        crew.beat(engine)
        assert reap(engine, reaper, 3) == []


def test_a_folder_that_no_demo_has_made_stays_as_it_is(tmp_path: Path):
    (tmp_path / "ledger.db").write_text("mine")
    with pytest.raises(demo.NotOurs):
        demo.prepare(tmp_path)
    assert (tmp_path / "ledger.db").read_text() == "mine"


def test_a_demo_of_before_makes_place(tmp_path: Path):
    demo.prepare(tmp_path / "demo")
    (tmp_path / "demo" / "ledger.db").touch()
    demo.prepare(tmp_path / "demo")
    assert [each.name for each in (tmp_path / "demo").iterdir()] == [demo.MARK]
