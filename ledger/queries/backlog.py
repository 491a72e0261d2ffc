"""What is due and waits, queue by queue, and whether anybody serves it."""

from dataclasses import dataclass

from sqlalchemy import Connection, func, select

from ledger.queries.consumers import consumers
from ledger.queries.counting import Count, count
from ledger.queries.queued import due_ranges, queues
from ledger.tables import runs


@dataclass(frozen=True, slots=True)
class WaitingQueue:
    """Runs of one queue that could start now; ``oldest_due`` is since when the longest waits."""

    name: str
    waiting: Count
    oldest_due: int
    served: bool


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
        return tuple(each for each in self.queues if not each.served)


def backlog(connection: Connection, now: int) -> Backlog:
    served = consumers(connection, now)
    found = (_waiting(connection, name, served.consume(name), now) for name in queues(connection))
    return Backlog(tuple(each for each in found if each is not None))


def _waiting(connection: Connection, name: str, served: bool, now: int) -> WaitingQueue | None:
    ranges = due_ranges(connection, name, now)
    number = sum((count(connection, select(runs.c.id).where(*each)) for each in ranges), Count())
    if not number:
        return None
    oldest = (connection.scalar(select(func.min(runs.c.due_at)).where(*each)) for each in ranges)
    return WaitingQueue(name, number, min(at for at in oldest if at is not None), served)
