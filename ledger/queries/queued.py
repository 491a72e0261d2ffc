"""What is queued: skipping along its index, from range to range, in one statement.

A range is what has one queue, one lane and one priority; its runs lie in the order of their due times.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import Connection, Row, text

from ledger.engine import is_sqlite
from ledger.lanes import LOWEST, priority_above
from ledger.prepared import Prepared
from ledger.queries.counting import CAP, Count, up_to
from ledger.tables import is_queued, runs

MOST_QUEUES = 50
MOST_RANGES = 100
MOST_PRIORITIES = 20


@dataclass(frozen=True, slots=True)
class Range:
    """``due`` of its runs could start now, the first of them since ``oldest_due``; ``later`` ones are due later."""

    queue: str
    lane: str
    priority: int
    due: Count
    oldest_due: int | None
    later: Count

    @property
    def conditions(self) -> tuple:
        return in_range(self.queue, self.lane, self.priority)


def in_range(queue: str, lane: str, priority: int) -> tuple:
    """Conditions that one range of the index answers."""
    return is_queued, runs.c.queue == queue, runs.c.lane == lane, runs.c.priority == priority


# Without being told, SQLite would rather read every queued run than skip from name to name.
_INDEX = "INDEXED BY ix_runs_ready"
_NEXT = "(SELECT r.id FROM runs AS r {index} WHERE r.state = 'queued' AND {behind} LIMIT 1)"
_BEHIND_RANGE = """(r.queue, r.lane, r.priority) > (part.queue, part.lane, part.priority)
    ORDER BY r.queue, r.lane, r.priority"""
_BEHIND_QUEUE = "r.queue > part.queue ORDER BY r.queue"
_HERE = """runs AS r {index} WHERE r.state = 'queued'
    AND r.queue = part.queue AND r.lane = part.lane AND r.priority = part.priority"""
_NUMBER = "(SELECT count(*) FROM (SELECT 1 FROM {here} AND r.due_at {when} LIMIT {most}) AS counted)"
_WALK = """\
WITH RECURSIVE part(queue, lane, priority, queues, place) AS (
    SELECT CAST(:queue AS VARCHAR(200)), CAST('' AS VARCHAR(200)), {lowest}, CAST(:queues AS INTEGER), 0
    UNION ALL
    SELECT runs.queue, runs.lane, runs.priority,
        CASE WHEN runs.queue = part.queue THEN part.queues ELSE part.queues + 1 END,
        CASE WHEN runs.queue = part.queue THEN part.place + 1 ELSE 1 END
    FROM part JOIN runs ON runs.id = CASE WHEN part.place < {most_ranges} THEN {next_range} ELSE {next_queue} END
    WHERE part.queues <= :most_queues
)
SELECT queue, lane, priority, {due} AS due, (SELECT min(r.due_at) FROM {here} AND r.due_at <= :now) AS oldest_due,
    {later} AS later
FROM part WHERE place > 0 AND queues <= :most_queues"""


def _walk(with_later: bool) -> Prepared:
    return Prepared(lambda connection: text(_written(_INDEX if is_sqlite(connection) else "", with_later)))


def _written(index: str, with_later: bool) -> str:
    here, most = _HERE.format(index=index), CAP + 1
    due, later = (_NUMBER.format(here=here, when=when, most=most) for when in ("<= :now", "> :now"))
    return _WALK.format(
        here=here, due=due, later=later if with_later else "0", lowest=LOWEST, most_ranges=MOST_RANGES,
        next_range=_NEXT.format(index=index, behind=_BEHIND_RANGE),
        next_queue=_NEXT.format(index=index, behind=_BEHIND_QUEUE),
    )  # fmt: skip


_due_ones, _all_ones = _walk(with_later=False), _walk(with_later=True)


def ranges(connection: Connection, now: int, with_later: bool = False) -> tuple[Range, ...]:
    """By queue; the lane without a name first, the lowest number, which goes first, first. ``later`` is counted when
    it is asked for."""
    asked = {"queue": "", "queues": 0, "most_queues": MOST_QUEUES, "now": now}
    return _ranges((_all_ones if with_later else _due_ones).run(connection, asked))


def ranges_of(connection: Connection, queue: str, now: int) -> tuple[Range, ...]:
    """Those of one queue, with what is due later."""
    return _ranges(_all_ones.run(connection, {"queue": queue, "queues": 1, "most_queues": 1, "now": now}))


def _ranges(rows: Iterable[Row]) -> tuple[Range, ...]:
    return tuple(Range(*row[:3], up_to(CAP, row.due), row.oldest_due, up_to(CAP, row.later)) for row in rows)


def by_queue(parts: Iterable[Range]) -> dict[str, list[Range]]:
    found: dict[str, list[Range]] = {}
    for part in parts:
        found.setdefault(part.queue, []).append(part)
    return found


def priorities(connection: Connection, queue: str, lane: str) -> list[int]:
    """Those of the queued runs of a lane, the lowest number, which goes first, first."""
    found: list[int] = []
    above = priority_above(connection, queue, LOWEST, lane)
    while above is not None and len(found) < MOST_PRIORITIES:
        found.append(above)
        above = priority_above(connection, queue, above, lane)
    return found
