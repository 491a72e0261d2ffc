"""Whether those that would take a run have room for it: their slots, and the runs of which queues are in them."""

from collections import Counter
from dataclasses import dataclass

from sqlalchemy import Connection

from ledger.queries.reasons import Why
from ledger.queries.workers import alive_processes, numbers_at_work


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
    mine = [row for row in numbers_at_work(connection) if row.worker_id in slots]
    busy = Counter()
    for row in mine:
        busy[row.worker_id] += row.number
    if not sum(slots.values()) or any(busy[worker] < number for worker, number in slots.items()):
        return None
    return Full(len(slots), sum(slots.values()), sum(row.number for row in mine if row.queue != line.queue))
