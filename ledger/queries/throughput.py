"""What finished, part by part of a time, and how often each job failed: from the tallies, and from the runs
themselves for the last seconds that are not counted yet."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

from sqlalchemy import BigInteger, Connection, bindparam, func, select

from ledger.prepared import Prepared
from ledger.states import State
from ledger.tables import runs, tallies
from ledger.tally import DAY, HOURS, MINUTE, QUARTER, marks_of

#: Uncounted runs looked at: of more, which needs that no scheduler counts, only the newest are shown.
MOST_UNCOUNTED = 20_000
MOST_JOBS = 20
BAD = (State.FAILED, State.DEAD)


class Range(StrEnum):
    HOUR = "hour"
    DAY = "day"
    WEEK = "week"

    @property
    def length(self) -> int:
        return {Range.HOUR: 60 * MINUTE, Range.DAY: DAY, Range.WEEK: 7 * DAY}[self]

    @property
    def step(self) -> int:
        return {Range.HOUR: MINUTE, Range.DAY: QUARTER, Range.WEEK: HOURS}[self]


@dataclass(frozen=True, slots=True)
class Part:
    """What finished in one step of the range, from the instant ``at`` on."""

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
    """Whole steps, the oldest first; ``complete`` unless more has finished than is counted and looked at."""

    range: Range
    parts: tuple[Part, ...]
    jobs: tuple[JobShare, ...]
    complete: bool

    @property
    def done(self) -> int:
        return sum(each.done for each in self.parts)

    @property
    def failed(self) -> int:
        return sum(each.failed for each in self.parts)

    @property
    def peak(self) -> Part:
        return max(self.parts, key=lambda each: each.number)


class Group(NamedTuple):
    at: int
    state: str
    job: str
    number: int


def throughput(connection: Connection, wanted: Range, now: int) -> Throughput:
    step = wanted.step
    first, last = (now - wanted.length) // step + 1, now // step
    uncounted = _uncounted(connection, step, first * step)
    groups = _counted(connection, step, first * step) + uncounted
    complete = sum(each.number for each in uncounted) < MOST_UNCOUNTED
    return Throughput(wanted, _parts(groups, step, first, last), _shares(groups), complete)


_keys = (tallies.c.at, tallies.c.state, tallies.c.job)
_sums = Prepared(
    select(*_keys, func.sum(tallies.c.number))
    .where(tallies.c.step == bindparam("step"), tallies.c.at >= bindparam("since"))
    .group_by(*_keys)
)


def _counted(connection: Connection, step: int, since: int) -> list[Group]:
    rows = _sums.run(connection, {"step": step, "since": since})
    return [Group(at, state, job, int(number)) for at, state, job, number in rows]


_newest = (
    select(runs.c.finished_at, runs.c.state, runs.c.job)
    .where(runs.c.finished_at > bindparam("after"))
    .order_by(runs.c.finished_at.desc())
    .limit(MOST_UNCOUNTED)
    .subquery()
)
_place = (_newest.c.finished_at // bindparam("step", type_=BigInteger)).label("place")
_grouped = Prepared(
    select(_place, _newest.c.state, _newest.c.job, func.count()).group_by(_place, _newest.c.state, _newest.c.job)
)


def _uncounted(connection: Connection, step: int, since: int) -> list[Group]:
    after = max(since - 1, marks_of(connection).counted_to)
    return [Group(place * step, *rest) for place, *rest in _grouped.run(connection, {"after": after, "step": step})]


def _parts(groups: Iterable[Group], step: int, first: int, last: int) -> tuple[Part, ...]:
    done, failed = Counter(), Counter()
    for each in groups:
        if each.state == State.SUCCEEDED:
            done[each.at] += each.number
        elif each.state in BAD:
            failed[each.at] += each.number
    return tuple(Part(at, done[at], failed[at]) for at in range(first * step, (last + 1) * step, step))


def _shares(groups: Iterable[Group]) -> tuple[JobShare, ...]:
    """Jobs with failures, the most first."""
    finished, failed = Counter(), Counter()
    for each in groups:
        if each.state == State.SUCCEEDED or each.state in BAD:
            finished[each.job] += each.number
            failed[each.job] += each.number if each.state in BAD else 0
    return tuple(JobShare(job, finished[job], number) for job, number in failed.most_common(MOST_JOBS) if number)
