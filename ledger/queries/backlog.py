"""What is due and waits, queue by queue, and whether anybody serves it."""

from collections.abc import Iterator
from dataclasses import dataclass

from sqlalchemy import Connection, func, select

from ledger.queries.consumers import consumers
from ledger.queries.counting import Count, count
from ledger.states import State
from ledger.tables import runs

MOST_QUEUES = 50


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
    found = (_waiting(connection, name, served.consume(name), now) for name in _queues(connection))
    return Backlog(tuple(each for each in found if each is not None))


def _queues(connection: Connection) -> Iterator[str]:
    """The queues in which something waits, by skipping along the index from name to name."""
    name = ""
    for _ in range(MOST_QUEUES):
        following = select(func.min(runs.c.queue)).where(runs.c.state == State.QUEUED, runs.c.queue > name)
        name = connection.scalar(following)
        if name is None:
            return
        yield name


def _waiting(connection: Connection, name: str, served: bool, now: int) -> WaitingQueue | None:
    due = (runs.c.state == State.QUEUED, runs.c.queue == name, runs.c.due_at <= now)
    number = count(connection, select(runs.c.id).where(*due))
    if not number:
        return None
    return WaitingQueue(name, number, connection.scalar(select(func.min(runs.c.due_at)).where(*due)), served)
