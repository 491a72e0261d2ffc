"""What finished, minute by minute, and how often each job failed."""

from dataclasses import dataclass

from sqlalchemy import Connection, and_, case, func, select

from ledger import clock
from ledger.states import State
from ledger.tables import runs

MINUTE = 60 * clock.SECOND
#: Finished runs looked at. When an hour has more, fewer minutes are shown, never wrong numbers.
MOST_FINISHED = 30_000
BAD = (State.FAILED, State.DEAD)


@dataclass(frozen=True, slots=True)
class Minute:
    at: int
    done: int
    failed: int

    @property
    def number(self) -> int:
        return self.done + self.failed


@dataclass(frozen=True, slots=True)
class JobShare:
    """How a job fared: ``failed`` of ``finished`` runs."""

    job: str
    finished: int
    failed: int

    @property
    def percent(self) -> int:
        return round(100 * self.failed / self.finished)


@dataclass(frozen=True, slots=True)
class Throughput:
    """Whole minutes, the oldest first; ``complete`` when they cover all the time that was asked for."""

    minutes: tuple[Minute, ...]
    jobs: tuple[JobShare, ...]
    complete: bool

    @property
    def done(self) -> int:
        return sum(each.done for each in self.minutes)

    @property
    def failed(self) -> int:
        return sum(each.failed for each in self.minutes)

    @property
    def peak(self) -> Minute:
        return max(self.minutes, key=lambda each: each.number)


def throughput(connection: Connection, since: int, now: int) -> Throughput:
    first, last = since // MINUTE + 1, now // MINUTE
    newest = select(runs.c.finished_at, runs.c.state, runs.c.job).where(runs.c.finished_at >= first * MINUTE)
    seen = newest.order_by(runs.c.finished_at.desc()).limit(MOST_FINISHED).subquery()
    number, oldest = connection.execute(select(func.count(), func.min(seen.c.finished_at)).select_from(seen)).one()
    complete = number < MOST_FINISHED
    if not complete:
        first = min(oldest // MINUTE + 1, last)  # the minute at the edge is only partly seen
    return Throughput(_minutes(connection, seen, first, last), _shares(connection, seen), complete)


def _minutes(connection: Connection, seen, first: int, last: int) -> tuple[Minute, ...]:
    minute = (seen.c.finished_at // MINUTE).label("minute")
    done, failed = _number(seen.c.state == State.SUCCEEDED), _number(seen.c.state.in_(BAD))
    rows = connection.execute(select(minute, done, failed).group_by(minute))
    found = {row[0]: (int(row[1]), int(row[2])) for row in rows}
    return tuple(Minute(at * MINUTE, *found.get(at, (0, 0))) for at in range(first, last + 1))


def _shares(connection: Connection, seen) -> tuple[JobShare, ...]:
    """Jobs with failures, the most first."""
    failed = _number(seen.c.state.in_(BAD))
    ended = and_(seen.c.state.in_((*BAD, State.SUCCEEDED)))
    grouped = select(seen.c.job, func.count(), failed).where(ended).group_by(seen.c.job)
    rows = connection.execute(grouped.having(failed > 0).order_by(failed.desc()).limit(20))
    return tuple(JobShare(row[0], row[1], int(row[2])) for row in rows)


def _number(condition):
    return func.coalesce(func.sum(case((condition, 1), else_=0)), 0)
