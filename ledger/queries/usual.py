"""How long runs of a job usually take."""

from collections import defaultdict
from collections.abc import Iterable
from functools import cache
from statistics import median_low

from sqlalchemy import Connection, Select, bindparam, literal, literal_column, select, union_all

from ledger import clock
from ledger.prepared import Prepared
from ledger.queries.lines import RunLine
from ledger.queries.status import AT_WORK
from ledger.states import State
from ledger.tables import runs

#: It is taken from so many of the newest runs.
LOOKED_AT = 100
#: Of what runs for less, nobody asks whether it is late.
WONDER = 5 * clock.SECOND


@cache
def _took(number: int) -> Prepared:
    """The durations of successful ones among the newest of so many jobs, each with its job's place."""
    return Prepared(union_all(*(_took_at(place) for place in range(number))))


def _took_at(place: int) -> Select:
    newest = (
        select(runs.c.state, runs.c.started_at, runs.c.finished_at)
        .where(runs.c.job == bindparam(f"job{place}"))
        .order_by(runs.c.id.desc())
        .limit(LOOKED_AT)
        .subquery()
    )
    took = newest.c.finished_at - newest.c.started_at
    return select(literal_column(str(place)), took).where(newest.c.state == literal(State.SUCCEEDED.value))


def usual(connection: Connection, job: str) -> int | None:
    """The middle duration of the successful ones, in microseconds."""
    return usual_of(connection, {job})[job]


def usual_at_work(connection: Connection, lines: Iterable[RunLine], now: int) -> dict[str, int | None]:
    """The same of the jobs of those runs that are at work, long enough for somebody to wonder whether they are late."""
    return usual_of(connection, {each.job for each in lines if each.status in AT_WORK and _wonders(each, now)})


def _wonders(line: RunLine, now: int) -> bool:
    return line.started_at is not None and now - line.started_at > WONDER


def usual_of(connection: Connection, jobs: Iterable[str]) -> dict[str, int | None]:
    """The same of a few jobs, in one statement."""
    names, durations = sorted(jobs), defaultdict(list)
    if names:
        asked = {f"job{place}": name for place, name in enumerate(names)}
        for place, took in _took(len(names)).run(connection, asked):
            durations[names[place]].append(took)
    return {name: median_low(durations[name]) if durations[name] else None for name in names}
