"""Skipping along the index of queued runs, from queue to queue and from priority to priority."""

from collections.abc import Iterator

from sqlalchemy import Connection, func, select

from ledger.tables import is_queued, runs

MOST_QUEUES = 50
MOST_PRIORITIES = 20
LOWEST = -(2**31)

# Without a hint SQLite would rather read every queued run than skip from name to name.
_next_queue = select(func.min(runs.c.queue)).with_hint(runs, "INDEXED BY ix_runs_ready", "sqlite")
_next_priority = select(func.min(runs.c.priority))


def queues(connection: Connection) -> Iterator[str]:
    """Those in which something is queued, by name."""
    name = ""
    for _ in range(MOST_QUEUES):
        name = connection.scalar(_next_queue.where(is_queued, runs.c.queue > name))
        if name is None:
            return
        yield name


def priorities(connection: Connection, queue: str) -> Iterator[int]:
    """Those of the queued runs of ``queue``, the lowest number, which goes first, first."""
    above = LOWEST
    for _ in range(MOST_PRIORITIES):
        here = _next_priority.where(is_queued, runs.c.queue == queue)
        above = connection.scalar(here.where(runs.c.priority > above))
        if above is None:
            return
        yield above


def due(queue: str, priority: int, now: int) -> tuple:
    """Conditions that one range of the index answers."""
    return (is_queued, runs.c.queue == queue, runs.c.priority == priority, runs.c.due_at <= now)
