"""What is due and waits, queue by queue, and whether anybody serves it."""

from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import Connection

from ledger import pauses
from ledger.pauses import Pause
from ledger.queries.consumers import consumers
from ledger.queries.counting import Count
from ledger.queries.queued import Range, by_queue, ranges


@dataclass(frozen=True, slots=True)
class WaitingQueue:
    """Runs of one queue that could start now; ``oldest_due`` is since when the longest waits, None without any."""

    name: str
    waiting: Count
    oldest_due: int | None
    served: bool
    pause: Pause | None = None


@dataclass(frozen=True, slots=True)
class Backlog:
    queues: tuple[WaitingQueue, ...]

    @property
    def waiting(self) -> Count:
        return sum((each.waiting for each in self.queues), Count())

    @property
    def oldest_due(self) -> int | None:
        return min((each.oldest_due for each in self.queues), default=None)

    @property
    def unserved(self) -> tuple[WaitingQueue, ...]:
        """Those in which runs wait for a worker that is not there; not for the end of a pause."""
        return tuple(each for each in self.queues if not each.served and not each.pause)

    @property
    def paused(self) -> tuple[WaitingQueue, ...]:
        return tuple(each for each in self.queues if each.pause)


def backlog(connection: Connection, now: int) -> Backlog:
    return backlog_of(connection, ranges(connection, now), now)


def backlog_of(connection: Connection, parts: Iterable[Range], now: int) -> Backlog:
    """``parts`` are the ranges of all queues."""
    served, paused = consumers(connection, now), pauses.paused(connection, now)
    found = (
        waiting_in(name, its_parts, served.consume(name), paused.get(name))
        for name, its_parts in by_queue(parts).items()
    )
    return Backlog(tuple(each for each in found if each.waiting))


def waiting_in(name: str, parts: Iterable[Range], served: bool, pause: Pause | None) -> WaitingQueue:
    """What waits in the queue, whose ranges ``parts`` are."""
    oldest = min((each.oldest_due for each in parts if each.due), default=None)
    return WaitingQueue(name, sum((each.due for each in parts), Count()), oldest, served, pause)
