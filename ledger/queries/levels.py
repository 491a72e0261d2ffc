"""What came into each queue and left it, minute by minute, and so how many were in it."""

from collections import Counter
from dataclasses import dataclass

from sqlalchemy import Connection, func, select

from ledger import clock
from ledger.queries.wanted import first_id_at
from ledger.tables import runs

MINUTE = 60 * clock.SECOND
MINUTES = 60
#: Over so many of the last minutes the rates are taken.
RECENT = 5
#: Runs looked at, each way. When an hour has more, fewer minutes are drawn, never wrong numbers.
MOST = 10_000


@dataclass(frozen=True, slots=True)
class Level:
    """``came`` and ``left`` are runs per minute lately; None when there are too many to say. ``inside`` is how many
    runs of the queue were not finished, at the end of each of the last minutes, the oldest first, and now."""

    came: float | None
    left: float | None
    inside: tuple[int, ...]


class Levels:
    """Of all queues at once: two looks at the newest runs and at those that finished last."""

    def __init__(self, connection: Connection, now: int):
        self._minute = now // MINUTE
        first = self._minute - MINUTES + 1
        made = select(runs.c.queue, runs.c.created_at.label("at")).where(runs.c.id >= first_id_at(first * MINUTE))
        ended = select(runs.c.queue, runs.c.finished_at.label("at")).where(runs.c.finished_at >= first * MINUTE)
        self._came, came_first = _numbers(connection, made.order_by(runs.c.id.desc()))
        self._left, left_first = _numbers(connection, ended.order_by(runs.c.finished_at.desc()))
        self._first = max(first, came_first, left_first)

    def names(self) -> set[str]:
        return {queue for queue, _ in (*self._came, *self._left)}

    def of(self, queue: str, inside_now: int) -> Level:
        """``inside_now`` are the queue's runs that are not finished."""
        recent = self._rate(self._came, queue), self._rate(self._left, queue)
        return Level(*recent, self._inside(queue, inside_now))

    def _rate(self, numbers: Counter, queue: str) -> float | None:
        """Of whole minutes: the one that has just begun would make it fall."""
        minutes = range(self._minute - RECENT, self._minute)
        if self._first > minutes[0]:
            return None
        return sum(numbers[queue, minute] for minute in minutes) / RECENT

    def _inside(self, queue: str, inside_now: int) -> tuple[int, ...]:
        """Backwards: before a minute there were those after it, less what came, and what left as well."""
        inside = [inside_now]
        for minute in range(self._minute, self._first, -1):
            inside.append(max(0, inside[-1] - self._came[queue, minute] + self._left[queue, minute]))
        return tuple(reversed(inside))


def _numbers(connection: Connection, newest) -> tuple[Counter, int]:
    """Numbers by queue and minute, and the first minute that was wholly seen."""
    seen = newest.limit(MOST).subquery()
    minute = (seen.c.at // MINUTE).label("minute")
    grouped = select(seen.c.queue, minute, func.count().label("number")).group_by(seen.c.queue, minute)
    rows = connection.execute(grouped).fetchall()
    numbers = Counter({(row.queue, row.minute): row.number for row in rows})
    full = sum(numbers.values()) >= MOST
    return numbers, min(row.minute for row in rows) + 1 if full else 0
