"""Whether those that would take a run have room for it: their slots, and the runs of which queues are in them."""

from collections import Counter
from dataclasses import dataclass

from sqlalchemy import Connection, func, select

from ledger.queries.reasons import Why
from ledger.queries.workers import alive_processes
from ledger.tables import is_running, runs


@dataclass(frozen=True, slots=True)
class Full:
    """All ``slots`` of the ``workers`` that serve a queue are busy, ``others`` of them with runs of other queues."""

    workers: int
    slots: int
    others: int


def full(connection: Connection, line) -> Full | None:
    """None while a slot is free for the run, or when it waits for something else than one."""
    if line.reason is None or line.reason.why not in (Why.NEXT, Why.BEHIND):
        return None
    alive = alive_processes(connection)
    slots = {each.id: each.slots for each in alive if each.takes_runs and line.queue in each.queues}
    busy, others = _at_work(connection, list(slots), line.queue)
    if not sum(slots.values()) or any(busy[worker] < number for worker, number in slots.items()):
        return None
    return Full(len(slots), sum(slots.values()), others)


def _at_work(connection: Connection, workers: list[str], queue: str) -> tuple[Counter[str], int]:
    """How many runs each of the workers has, and how many of all of these are of other queues."""
    columns = (runs.c.worker_id, runs.c.queue, func.count())
    own = select(*columns).where(is_running, runs.c.worker_id.in_(workers)).group_by(*columns[:2])
    busy, others = Counter(), 0
    for worker, queue_of_it, number in connection.execute(own):
        busy[worker] += number
        others += number if queue_of_it != queue else 0
    return busy, others
