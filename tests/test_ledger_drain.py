"""Draining by a person: from its commit on the worker claims nothing, and nobody else is meant."""

import os
from dataclasses import dataclass

from sqlalchemy import Engine, select

from ledger import fleet
from ledger.claims import Claims
from ledger.engine import reading, writing
from ledger.fleet import NewProcess
from ledger.tables import processes
from tests.ledger_steps import (
    claim,
    dispatch,
    finish,
    migrated,  # noqa: F401
    number_of,
    rescue,
    running,
    state,
    stopped,
    succeeded,
    worker,
)
from workers.memory import resident


@dataclass
class Family:
    supervisor: NewProcess
    workers: list[Claims]


def family(engine: Engine, number: int = 2) -> Family:
    supervisor = NewProcess(kind="supervisor")
    fleet.register(engine, supervisor)
    below = [NewProcess(kind="worker", supervisor_id=supervisor.id, jobs=["add"]) for _ in range(number)]
    for each in below:
        fleet.register(engine, each)
    return Family(supervisor, [Claims(each.id, each.name, each.jobs) for each in below])


def ask(engine: Engine, process_id: str) -> int:
    with writing(engine) as connection:
        return fleet.ask_to_drain(connection, process_id, "ana")


def asked(engine: Engine, supervisor: NewProcess) -> set[str]:
    with reading(engine) as connection:
        return fleet.asked_to_drain(connection, supervisor.id)


def forget(engine: Engine, by: Claims) -> bool:
    with writing(engine) as connection:
        return fleet.forget(connection, by.worker_id)


def test_a_worker_that_drains_claims_nothing_and_finishes_what_it_runs(engine: Engine):
    made = family(engine)
    first, second = made.workers
    held = running(engine, first)
    dispatch(engine)
    assert ask(engine, first.worker_id) == 1
    assert claim(engine, first) == []
    assert asked(engine, made.supervisor) == {first.worker_id}
    assert finish(engine, succeeded(held)) == [True]
    assert len(claim(engine, second)) == 1


def test_a_supervisor_drains_with_all_its_workers(engine: Engine):
    made, other = family(engine), worker(engine)
    dispatch(engine)
    assert ask(engine, made.supervisor.id) == 3
    assert len(asked(engine, made.supervisor)) == 3
    assert [claim(engine, each) for each in made.workers] == [[], []]
    assert len(claim(engine, other)) == 1


def test_who_has_ended_or_drains_cannot_be_asked(engine: Engine):
    by = worker(engine)
    assert ask(engine, by.worker_id) == 1
    assert ask(engine, by.worker_id) == 0
    stopped(engine, by)
    assert ask(engine, by.worker_id) == 0


def test_the_runs_of_a_worker_that_dies_while_it_drains_are_rescued(engine: Engine):
    by = worker(engine)
    held = running(engine, by)
    ask(engine, by.worker_id)
    rescue(engine, by)
    assert state(engine, held.id) == "queued"


def test_a_process_is_forgotten_only_when_it_has_ended(engine: Engine):
    by = worker(engine)
    assert not forget(engine, by)
    stopped(engine, by)
    assert forget(engine, by)
    assert number_of(engine, processes) == 0


def test_a_beat_tells_the_memory_of_workers(engine: Engine):
    made = family(engine, 1)
    [by] = made.workers
    with writing(engine) as connection:
        assert fleet.beat(connection, made.supervisor.id, {by.worker_id: resident(os.getpid())})
    with reading(engine) as connection:
        held = connection.scalar(select(processes.c.memory).where(processes.c.id == by.worker_id))
    assert 10_000_000 < held < 10_000_000_000
    assert resident(2**22 + 1) is None
