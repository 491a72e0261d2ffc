"""What finished, minute by minute, and how often each job failed."""

from collections import Counter
from dataclasses import dataclass

from sqlalchemy import Connection, func, select

from ledger import clock
from ledger.states import State
from ledger.tables import runs

MINUTE = 60 * clock.SECOND
#: Finished runs looked at. When an hour has more, fewer minutes are shown, never wrong numbers.
MOST_FINISHED = 20_000
MOST_JOBS = 20
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
    groups = _groups(connection, first)
    complete = sum(each.number for each in groups) < MOST_FINISHED
    if not complete:
        first = min(min(each.minute for each in groups) + 1, last)  # the oldest minute is only partly seen
    return Throughput(_minutes(groups, first, last), _shares(groups), complete)


def _groups(connection: Connection, first: int) -> list:
    """Numbers by minute, state and job, of the newest finished runs."""
    newest = select(runs.c.finished_at, runs.c.state, runs.c.job).where(runs.c.finished_at >= first * MINUTE)
    seen = newest.order_by(runs.c.finished_at.desc()).limit(MOST_FINISHED).subquery()
    minute, number = (seen.c.finished_at // MINUTE).label("minute"), func.count().label("number")
    grouped = select(minute, seen.c.state, seen.c.job, number).group_by(minute, seen.c.state, seen.c.job)
    return connection.execute(grouped).fetchall()


def _minutes(groups: list, first: int, last: int) -> tuple[Minute, ...]:
    done, failed = Counter(), Counter()
    for each in groups:
        if each.state == State.SUCCEEDED:
            done[each.minute] += each.number
        elif each.state in BAD:
            failed[each.minute] += each.number
    return tuple(Minute(at * MINUTE, done[at], failed[at]) for at in range(first, last + 1))


def _shares(groups: list) -> tuple[JobShare, ...]:
    """Jobs with failures, the most first."""
    finished, failed = Counter(), Counter()
    for each in groups:
        if each.state == State.SUCCEEDED or each.state in BAD:
            finished[each.job] += each.number
            failed[each.job] += each.number if each.state in BAD else 0
    return tuple(JobShare(job, finished[job], number) for job, number in failed.most_common(MOST_JOBS) if number)
