"""What goes wrong without a failed run to show for it: workers that die, ticks that were missed, runs that hang."""

from dataclasses import dataclass

from sqlalchemy import Connection, bindparam, func, literal, select

from ledger import clock
from ledger.prepared import Prepared
from ledger.queries.counting import Count, up_to
from ledger.queries.origins import Fault, Gone, faults, gone
from ledger.tables import is_running, processes, runs, schedules, ticks, totals
from ledger.ticks import TickOutcome

HOUR, DAY = 3_600 * clock.SECOND, 24 * 3_600 * clock.SECOND
MOST_SLOW = 200
MOST_DEATHS = 999
#: A run is stuck when it runs for an hour, and for so many times as long as its job takes on average.
OFTEN = 10


@dataclass(frozen=True, slots=True)
class Deaths:
    """Worker processes that ended without being told to in the last hour; the last one, and why."""

    number: Count
    last_at: int | None = None
    because: str = ""


@dataclass(frozen=True, slots=True)
class Missed:
    """Ticks of a schedule in the last day that made no run because no scheduler was there."""

    schedule_id: str
    name: str
    number: int
    last_at: int


@dataclass(frozen=True, slots=True)
class Stuck:
    run_id: str
    job: str
    started_at: int
    usual: int | None


@dataclass(frozen=True, slots=True)
class Trouble:
    deaths: Deaths
    missed: tuple[Missed, ...]
    stuck: tuple[Stuck, ...]
    gone: tuple[Gone, ...]
    wrong: tuple[Fault, ...]


def trouble(connection: Connection, now: int) -> Trouble:
    deaths, missed = _deaths(connection, now - HOUR), _missed(connection, now - DAY)
    return Trouble(deaths, missed, _stuck(connection, now), gone(connection), faults(connection))


_died = Prepared(
    select(processes.c.ended_at, processes.c.ended_because)
    .where(processes.c.state == literal("gone"), processes.c.kind == literal("worker"))
    .where(processes.c.ended_at >= bindparam("since"))
    .order_by(processes.c.ended_at.desc())
    .limit(MOST_DEATHS + 1)
)


def _deaths(connection: Connection, since: int) -> Deaths:
    rows = _died.run(connection, {"since": since}).fetchall()
    if not rows:
        return Deaths(Count())
    return Deaths(up_to(MOST_DEATHS, len(rows)), rows[0].ended_at, rows[0].ended_because or "")


_name = (schedules.c.id, schedules.c.name)
_missed_ones = Prepared(
    select(*_name, func.count(), func.max(ticks.c.tick_at))
    .join(ticks, ticks.c.schedule_id == schedules.c.id)
    .where(ticks.c.tick_at > bindparam("since"), ticks.c.outcome == literal(TickOutcome.MISSED.value))
    .group_by(*_name)
    .order_by(schedules.c.name)
)


def _missed(connection: Connection, since: int) -> tuple[Missed, ...]:
    return tuple(Missed(*row) for row in _missed_ones.run(connection, {"since": since}))


_slow = Prepared(
    select(runs.c.id, runs.c.job, runs.c.started_at)
    .where(is_running, runs.c.started_at < bindparam("before"))
    .order_by(runs.c.started_at)
    .limit(MOST_SLOW)
)


def _stuck(connection: Connection, now: int) -> tuple[Stuck, ...]:
    """Those that run longest first."""
    rows = _slow.run(connection, {"before": now - HOUR}).fetchall()
    usual = _usual(connection, {row.job for row in rows}) if rows else {}
    found = (Stuck(row.id, row.job, row.started_at, usual.get(row.job)) for row in rows)
    return tuple(each for each in found if now - each.started_at > OFTEN * (each.usual or DAY))


def _usual(connection: Connection, jobs: set[str]) -> dict[str, int]:
    """How long runs of these jobs took on average since the ledger was made."""
    own = select(totals.c.job, totals.c.name, func.sum(totals.c.number)).where(totals.c.job.in_(jobs))
    sums: dict[str, list[int]] = {}
    for job, name, number in connection.execute(own.group_by(totals.c.job, totals.c.name)):
        took, measured = sums.setdefault(job, [0, 0])
        sums[job] = [took + int(number) * (name == "took"), measured + int(number) * name.startswith("took:")]
    return {job: took // measured for job, (took, measured) in sums.items() if measured}
