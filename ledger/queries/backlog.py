"""What is due and waits, queue by queue, and whether anybody serves it."""

from dataclasses import dataclass

from sqlalchemy import Connection, func, select

from ledger import pauses
from ledger.pauses import Pause
from ledger.queries.consumers import consumers
from ledger.queries.counting import Count, count
from ledger.queries.queued import due_ranges, queues
from ledger.tables import runs


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
    served, paused = consumers(connection, now), pauses.paused(connection, now)
    found = (
        waiting_in(connection, name, served.consume(name), paused.get(name), now) for name in queues(connection)
    )
    return Backlog(tuple(each for each in found if each is not None))


def waiting_in(connection: Connection, name: str, served: bool, pause: Pause | None, now: int) -> WaitingQueue | None:
    """What is due in the queue; None when nothing is."""
    ranges = due_ranges(connection, name, now)
    number = sum((count(connection, select(runs.c.id).where(*each)) for each in ranges), Count())
    if not number:
        return None
    oldest = (connection.scalar(select(func.min(runs.c.due_at)).where(*each)) for each in ranges)
    return WaitingQueue(name, number, min(at for at in oldest if at is not None), served, pause)
