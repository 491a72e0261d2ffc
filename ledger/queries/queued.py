"""Skipping along the index of queued runs: from queue to queue, and from range to range of one.

A range is what has one lane and one priority; its runs lie in the order of their due times.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from sqlalchemy import Connection, bindparam, func, literal, select, text, tuple_

from ledger.engine import is_sqlite
from ledger.lanes import LOWEST, OPEN, priority_above
from ledger.prepared import Prepared
from ledger.queries.counting import CAP, Count, up_to
from ledger.tables import is_queued, runs

MOST_QUEUES = 50
MOST_RANGES = 100
MOST_PRIORITIES = 20

# Without being told, SQLite would rather read every queued run than skip from name to name.
_NEXT_QUEUE = "SELECT min(queue) FROM runs {} WHERE state = 'queued' AND queue > :above"
_BY_INDEX = "INDEXED BY ix_runs_ready"


def queues(connection: Connection) -> Iterator[str]:
    """Those in which something is queued, by name."""
    following = text(_NEXT_QUEUE.format(_BY_INDEX if is_sqlite(connection) else ""))
    name = ""
    for _ in range(MOST_QUEUES):
        name = connection.scalar(following, {"above": name})
        if name is None:
            return
        yield name


@dataclass(frozen=True, slots=True)
class Range:
    queue: str
    lane: str
    priority: int

    @property
    def conditions(self) -> tuple:
        """That one range of the index answers."""
        return is_queued, runs.c.queue == self.queue, runs.c.lane == self.lane, runs.c.priority == self.priority


_next_range = Prepared(
    select(runs.c.lane, runs.c.priority)
    .where(
        is_queued,
        runs.c.queue == bindparam("the_queue"),
        tuple_(runs.c.lane, runs.c.priority) > tuple_(bindparam("lane"), bindparam("priority")),
    )
    .order_by(runs.c.lane, runs.c.priority)
    .limit(1)
)


def ranges(connection: Connection, queue: str) -> Iterator[Range]:
    """Those in which something is queued; the lane without a name first, the lowest number, which goes first, first."""
    lane, priority = OPEN, LOWEST
    for _ in range(MOST_RANGES):
        found = _next_range.run(connection, {"the_queue": queue, "lane": lane, "priority": priority}).first()
        if found is None:
            return
        lane, priority = found
        yield Range(queue, lane, priority)


def priorities(connection: Connection, queue: str, lane: str) -> list[int]:
    """Those of the queued runs of a lane, the lowest number, which goes first, first."""
    found: list[int] = []
    above = priority_above(connection, queue, LOWEST, lane)
    while above is not None and len(found) < MOST_PRIORITIES:
        found.append(above)
        above = priority_above(connection, queue, above, lane)
    return found


_here = (
    is_queued,
    runs.c.queue == bindparam("the_queue"),
    runs.c.lane == bindparam("lane"),
    runs.c.priority == bindparam("priority"),
)
_is_due, _is_later = runs.c.due_at <= bindparam("now"), runs.c.due_at > bindparam("now")


def _number(condition):
    some = select(literal(1)).select_from(runs).where(*_here, condition).limit(CAP + 1).subquery()
    return select(func.count()).select_from(some).scalar_subquery()


_oldest = select(runs.c.due_at).where(*_here, _is_due).order_by(runs.c.due_at).limit(1).scalar_subquery()
_due, _later = Prepared(select(_number(_is_due), _oldest)), Prepared(select(_number(_is_later)))


def due(connection: Connection, part: Range, now: int) -> tuple[Count, int | None]:
    """How many of it could start now, and since when the first of them."""
    number, oldest = _due.run(connection, _asked(part, now)).one()
    return up_to(CAP, number), oldest


def later(connection: Connection, part: Range, now: int) -> Count:
    """How many of it are due later."""
    return up_to(CAP, _later.run(connection, _asked(part, now)).scalar_one())


def _asked(part: Range, now: int) -> dict:
    return {"the_queue": part.queue, "lane": part.lane, "priority": part.priority, "now": now}
