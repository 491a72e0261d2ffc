"""Skipping along the index of queued runs, from queue to queue and from priority to priority."""

from collections.abc import Iterator

from sqlalchemy import Connection, func, select, text

from ledger.engine import is_sqlite
from ledger.tables import is_queued, runs

MOST_QUEUES = 50
MOST_PRIORITIES = 20
LOWEST = -(2**31)

# Without being told, SQLite would rather read every queued run than skip from name to name.
_NEXT_QUEUE = "SELECT min(queue) FROM runs {} WHERE state = 'queued' AND queue > :above"
_BY_INDEX = "INDEXED BY ix_runs_ready"
_next_priority = select(func.min(runs.c.priority))


def queues(connection: Connection) -> Iterator[str]:
    """Those in which something is queued, by name."""
    following = text(_NEXT_QUEUE.format(_BY_INDEX if is_sqlite(connection) else ""))
    name = ""
    for _ in range(MOST_QUEUES):
        name = connection.scalar(following, {"above": name})
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
