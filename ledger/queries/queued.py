"""Skipping along the index of queued runs, from queue to queue, from lane to lane and from priority to priority."""

from collections.abc import Iterator

from sqlalchemy import Connection, func, literal, select, text, union_all

from ledger.engine import is_sqlite
from ledger.lanes import OPEN
from ledger.tables import is_queued, limits, runs

MOST_QUEUES = 50
MOST_LANES = 50
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


def lanes(connection: Connection, queue: str) -> Iterator[str]:
    """The one without a name first, then those of limited jobs that have runs queued in ``queue``."""
    lane = OPEN
    for _ in range(MOST_LANES):
        yield lane
        here = select(func.min(runs.c.lane)).where(is_queued, runs.c.queue == queue, runs.c.lane > lane)
        lane = connection.scalar(here)
        if lane is None:
            return


def priorities(connection: Connection, queue: str, lane: str | None = None) -> list[int]:
    """Those of the queued runs of ``queue``, or of one lane of it, the lowest number, which goes first, first."""
    if lane is None:
        each = (priorities(connection, queue, lane) for lane in lanes(connection, queue))
        return sorted({priority for found in each for priority in found})
    found: list[int] = []
    above = LOWEST
    here = _next_priority.where(is_queued, runs.c.queue == queue, runs.c.lane == lane)
    while len(found) < MOST_PRIORITIES:
        above = connection.scalar(here.where(runs.c.priority > above))
        if above is None:
            break
        found.append(above)
    return found


_any_lane = union_all(select(literal(OPEN)), select(limits.c.job))


def due(queue: str, priority: int, now: int, lane: str | None = None) -> tuple:
    """Conditions that one range of the index answers, or one for each lane."""
    its_lane = runs.c.lane.in_(_any_lane) if lane is None else runs.c.lane == lane
    return (is_queued, runs.c.queue == queue, its_lane, runs.c.priority == priority, runs.c.due_at <= now)


def due_ranges(connection: Connection, queue: str, now: int) -> list[tuple]:
    """``due`` of every lane and priority."""
    found = [(lane, priority) for lane in lanes(connection, queue) for priority in priorities(connection, queue, lane)]
    return [due(queue, priority, now, lane) for lane, priority in found]
