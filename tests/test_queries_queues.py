"""What the pages of the queues are told, on both databases."""

import pytest
from sqlalchemy import Engine

from ledger import clock, fleet, notes, pauses
from ledger.engine import reading
from ledger.errors import QueueNotFound
from ledger.fleet import NewProcess
from ledger.queries import levels, queued
from ledger.queries.counting import Count
from ledger.queries.levels import Levels
from ledger.queries.queues import Queue, queue_page, queues_page
from ledger.queries.rejected import ids_of_kind, rejected_page
from tests.ledger_steps import (
    HOUR,
    cancel,
    claim,
    dispatch,
    dispatch_many,
    expire,
    finish,
    migrated,  # noqa: F401
    running,
    succeeded,
    worker,
)


def queue(engine: Engine, name: str = "default") -> Queue:
    return {each.name: each for each in queues_page(engine).queues}[name]


def level(engine: Engine, after: float, inside: int, name: str = "default") -> levels.Level:
    """As it is seen so many minutes from now."""
    with reading(engine) as connection:
        return Levels(connection, clock.now() + int(after * levels.MINUTE)).of(name, inside)


def test_a_queue_is_known_by_its_runs_its_workers_its_pause_or_its_messages(engine: Engine):
    dispatch(engine, queue="a")
    fleet.register(engine, NewProcess(kind="worker", queues=["b"]))
    pauses.pause(engine, "c", "ana")
    notes.reject(engine, "d.DQ", "it is empty", b"")
    assert [each.name for each in queues_page(engine).queues] == ["a", "b", "c", "d"]
    assert queue(engine, "d").rejected.number == 1


def test_what_waits_what_is_due_later_and_what_runs_are_told_apart(engine: Engine):
    by = worker(engine)
    running(engine, by)
    dispatch_many(engine, 2)
    dispatch(engine, priority=5)
    dispatch(engine, due_at=clock.now() + HOUR)
    found = queue(engine)
    assert (found.waiting.number, found.later.number, found.running, found.workers) == (3, 1, 1, 1)
    assert found.oldest_due <= clock.now()
    assert found.level.inside[-1] == 5


def test_a_queue_of_ever_so_many_priorities_hides_no_other(engine: Engine, monkeypatch):
    monkeypatch.setattr(queued, "MOST_RANGES", 3)
    monkeypatch.setattr(queued, "_due_ones", queued._walk(with_later=False))
    for priority in range(6):
        dispatch(engine, queue="a", priority=priority)
    dispatch(engine, queue="b", priority=7)
    with reading(engine) as connection:
        found = queued.ranges(connection, clock.now())
    assert [(each.queue, each.priority) for each in found] == [("a", 0), ("a", 1), ("a", 2), ("b", 7)]


def test_the_first_queues_are_walked_and_one_of_the_others_when_it_is_asked_for(engine: Engine, monkeypatch):
    monkeypatch.setattr(queued, "MOST_QUEUES", 2)
    for name in "abcd":
        dispatch(engine, queue=name)
        dispatch(engine, queue=name, priority=1, due_at=clock.now() + HOUR)
    with reading(engine) as connection:
        found = queued.ranges(connection, clock.now())
        assert [(each.queue, each.priority) for each in found] == [("a", 0), ("a", 1), ("b", 0), ("b", 1)]
    assert (queue_page(engine, "d").queue.waiting, queue_page(engine, "d").queue.later) == (Count(1), Count(1))


def test_what_came_and_left_gives_how_many_were_inside(engine: Engine):
    by = worker(engine)
    dispatch_many(engine, 6)
    finish(engine, *[succeeded(each) for each in claim(engine, by, 2)])
    dispatch(engine, queue="other")
    seen = level(engine, 2, inside=4)
    assert (seen.came, seen.left) == (6 / levels.RECENT, 2 / levels.RECENT)
    assert seen.inside[-3:] == (4, 4, 4) and seen.inside[0] == 0
    assert level(engine, 90, inside=4).came == 0


def test_runs_that_were_taken_out_are_no_output_of_their_queue(engine: Engine):
    taken = dispatch_many(engine, 4)
    for run_id in taken[:3]:
        cancel(engine, run_id)
    dispatch(engine, expires_at=clock.now())
    expire(engine)
    seen = level(engine, 2, inside=1)
    assert (seen.came, seen.left) == (1 / levels.RECENT, 0)
    assert seen.inside[-1] == 1 and seen.inside[0] == 0


def test_rates_of_more_runs_than_are_looked_at_are_those_of_a_shorter_time(engine: Engine, monkeypatch):
    dispatch_many(engine, 30)
    monkeypatch.setattr(levels, "MOST", 20)
    seen = level(engine, 0.5, inside=30)
    assert 20 <= seen.came <= 60
    assert seen.inside[-1] == 30


def test_the_page_of_a_queue_has_the_first_runs_in_the_order_of_claims(engine: Engine):
    late, first = dispatch(engine, priority=1), dispatch(engine)
    page = queue_page(engine, "default")
    assert [run.id for run in page.following] == [first, late]
    with pytest.raises(QueueNotFound):
        queue_page(engine, "nowhere")


def test_messages_of_a_kind_are_those_that_a_page_showed(engine: Engine):
    for number in range(3):
        notes.reject(engine, "mail", f"its run id is no id: '{number}'", b"x")
    notes.reject(engine, "mail", "something else", b"x")
    kind = rejected_page(engine).kinds[0]
    assert (kind.number, kind.reason) == (3, "its run id is no id: …")
    notes.reject(engine, "mail", "its run id is no id: '9'", b"x")
    with reading(engine) as connection:
        assert len(ids_of_kind(connection, kind.queue, kind.reason, kind.newest)) == 3
