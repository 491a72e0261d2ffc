"""The queues: who waits in each, how long, who serves it, how fast it empties, and whether a person paused it."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import Connection, Engine, func, select

from ledger import clock, pauses
from ledger.engine import reading
from ledger.errors import QueueNotFound
from ledger.pauses import Pause
from ledger.queries.backlog import waiting_in
from ledger.queries.consumers import consumers
from ledger.queries.counting import Count, count
from ledger.queries.levels import Level, Levels
from ledger.queries.lines import LINE_COLUMNS, RunLine, lines_of
from ledger.queries.queued import Range, by_queue, ranges, ranges_of
from ledger.queries.workers import Process, alive_processes
from ledger.states import State
from ledger.tables import jobs, rejected, runs

MOST_QUEUES = 100
MOST_NEXT = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Queue:
    """``waiting`` could start now, the longest since ``oldest_due``; ``later`` are due later; ``workers`` are the
    processes that serve it; ``rejected`` are messages on it that nobody could read."""

    name: str
    waiting: Count
    oldest_due: int | None
    later: Count
    running: int
    workers: int
    level: Level
    pause: Pause | None
    rejected: Count


@dataclass(frozen=True, slots=True)
class QueuesPage:
    queues: tuple[Queue, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class QueuePage:
    queue: Queue
    following: tuple[RunLine, ...]  # the first that wait, in the order of claims
    workers: tuple[Process, ...]
    jobs: tuple[str, ...]


def queues_page(engine: Engine) -> QueuesPage:
    with reading(engine) as connection:
        now = clock.now()
        look = _Look(connection, now, ranges(connection, now, with_later=True))
        return QueuesPage(tuple(look.at(name) for name in look.names()[:MOST_QUEUES]))


def queue_page(engine: Engine, name: str) -> QueuePage:
    """Raises QueueNotFound."""
    with reading(engine) as connection:
        now = clock.now()
        parts = ranges_of(connection, name, now)
        look = _Look(connection, now, parts)
        if name not in look.names():
            raise QueueNotFound(name)
        return QueuePage(
            queue=look.at(name),
            following=_following(connection, parts, now),
            workers=tuple(each for each in look.processes if name in each.queues),
            jobs=tuple(each for each, queue in look.jobs if queue == name),
        )


class _Look:
    """What is asked once, for all queues; ``parts`` are the ranges of those that are looked at."""

    def __init__(self, connection: Connection, now: int, parts: Iterable[Range]):
        self._connection = connection
        self._parts = by_queue(parts)
        self.processes = [each for each in alive_processes(connection) if each.kind == "worker"]
        self.jobs = connection.execute(select(jobs.c.name, jobs.c.queue).order_by(jobs.c.name)).fetchall()
        self._served = consumers(connection, now)
        self._paused = pauses.paused(connection, now)
        at_work = select(runs.c.queue, func.count()).where(runs.c.state == State.RUNNING).group_by(runs.c.queue)
        self._running = Counter(dict(connection.execute(at_work).fetchall()))
        self._levels = Levels(connection, now)
        kept = select(rejected.c.queue).distinct()
        self._rejected = {_own_name(queue) for queue in connection.scalars(kept)}

    def names(self) -> list[str]:
        announced = {queue for _, queue in self.jobs} | {queue for each in self.processes for queue in each.queues}
        seen = self._parts.keys() | self._running.keys() | self._levels.names() | self._rejected
        return sorted(announced | seen | self._paused.keys())

    def at(self, name: str) -> Queue:
        parts = self._parts.get(name, [])
        pause, served = self._paused.get(name), self._served.consume(name)
        waiting = waiting_in(name, parts, served, pause)
        later = sum((each.later for each in parts), Count())
        inside = waiting.waiting.number + later.number + self._running[name]
        return Queue(
            name=name,
            waiting=waiting.waiting,
            oldest_due=waiting.oldest_due,
            later=later,
            running=self._running[name],
            workers=sum(each.takes_runs and name in each.queues for each in self.processes),
            level=self._levels.of(name, inside),
            pause=pause,
            rejected=self._rejected_on(name),
        )

    def _rejected_on(self, name: str) -> Count:
        if name not in self._rejected:
            return Count()
        lay = rejected.c.queue.in_([name, f"{name}.DQ"])
        return count(self._connection, select(rejected.c.id).where(lay))


def _own_name(queue: str) -> str:
    """Delayed messages of others lie in a queue's ``.DQ``."""
    return queue.removesuffix(".DQ")


def _following(connection: Connection, parts: Iterable[Range], now: int) -> tuple[RunLine, ...]:
    rows: list = []
    for part in parts:
        due = select(*LINE_COLUMNS).where(*part.conditions, runs.c.due_at <= now)
        rows += connection.execute(due.order_by(runs.c.due_at, runs.c.id).limit(MOST_NEXT)).fetchall()
    return lines_of(connection, sorted(rows, key=lambda row: (row.priority, row.due_at, row.id))[:MOST_NEXT])
