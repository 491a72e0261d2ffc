"""What came into each queue and left it, minute by minute, and so how many were in it."""

from collections import Counter
from dataclasses import dataclass

from sqlalchemy import Connection, Select, case, func, select

from ledger import clock
from ledger.queries.wanted import first_id_at
from ledger.states import State
from ledger.tables import runs

MINUTE = 60 * clock.SECOND
MINUTES = 60
#: Over so many of the last minutes the rates are taken.
RECENT = 5
#: Runs looked at, each way. When an hour has more, fewer minutes are drawn, never wrong numbers.
MOST = 4_000
#: Who ended so was taken out of the queue by a person or by time. No worker did it, so it tells nothing of a rate.
TAKEN_OUT = (State.CANCELED, State.EXPIRED)


@dataclass(frozen=True, slots=True)
class Level:
    """``came`` and ``left`` are runs per minute lately, without those that were canceled or expired. ``inside`` is how
    many runs of the queue were not finished, at the end of each of the last minutes, the oldest first, and now."""

    came: float
    left: float
    inside: tuple[int, ...]


class Levels:
    """Of all queues at once: two looks at the newest runs and at those that finished last."""

    def __init__(self, connection: Connection, now: int):
        self._minute = now // MINUTE
        first = self._minute - MINUTES + 1
        made = select(runs.c.queue, runs.c.state, runs.c.created_at.label("at"))
        made = made.where(runs.c.id >= first_id_at(first * MINUTE))
        ended = select(runs.c.queue, runs.c.state, runs.c.finished_at.label("at"))
        ended = ended.where(runs.c.finished_at >= first * MINUTE)
        self._came = _Seen(connection, made.order_by(runs.c.id.desc()), now)
        self._left = _Seen(connection, ended.order_by(runs.c.finished_at.desc()), now)
        self._first = max(first, self._came.first_minute, self._left.first_minute)

    def names(self) -> set[str]:
        return self._came.names() | self._left.names()

    def of(self, queue: str, inside_now: int) -> Level:
        """``inside_now`` are the queue's runs that are not finished."""
        return Level(self._came.rate(queue), self._left.rate(queue), self._inside(queue, inside_now))

    def _inside(self, queue: str, inside_now: int) -> tuple[int, ...]:
        """Backwards: before a minute there were those after it, less what came, and what left as well."""
        inside, came, left = [inside_now], self._came.numbers, self._left.numbers
        for minute in range(self._minute, self._first, -1):
            inside.append(max(0, inside[-1] - came[queue, minute] + left[queue, minute]))
        return tuple(reversed(inside))


class _Seen:
    """The newest of some runs: ``numbers`` by queue and minute, ``worked`` without those that were taken out.
    ``first_minute`` is the first that was wholly seen."""

    def __init__(self, connection: Connection, newest: Select, now: int):
        self._now = now
        rows = connection.execute(_by_minute(newest)).fetchall()
        self.numbers = Counter({(row.queue, row.minute): row.number for row in rows})
        self.worked = Counter({(row.queue, row.minute): row.worked for row in rows})
        self._oldest = min((row.oldest for row in rows), default=now)
        self._is_full = sum(self.numbers.values()) >= MOST
        self.first_minute = self._oldest // MINUTE + 1 if self._is_full else 0

    def names(self) -> set[str]:
        return {queue for queue, _ in self.numbers}

    def rate(self, queue: str) -> float:
        """Per minute, of the last whole minutes: the one that has just begun would make it fall. When there are too
        many for that, of the time in which those came that were seen."""
        last = self._now // MINUTE
        if self.first_minute <= last - RECENT:
            return sum(self.worked[queue, minute] for minute in range(last - RECENT, last)) / RECENT
        total = sum(number for (name, _), number in self.worked.items() if name == queue)
        return total * MINUTE / max(clock.SECOND, self._now - self._oldest)


def _by_minute(newest: Select) -> Select:
    seen = newest.limit(MOST).subquery()
    minute = (seen.c.at // MINUTE).label("minute")
    worked = func.sum(case((seen.c.state.in_(TAKEN_OUT), 0), else_=1)).label("worked")
    columns = (seen.c.queue, minute, func.count().label("number"), worked, func.min(seen.c.at).label("oldest"))
    return select(*columns).group_by(seen.c.queue, minute)
