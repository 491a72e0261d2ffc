"""What is counted of a finished run: how it ended, how long it waited, how long it took. Sums, and histograms."""

from collections import Counter
from collections.abc import Iterator

from sqlalchemy import BigInteger, ColumnElement, Connection, and_, case, func, literal, select

from ledger import clock
from ledger.states import State
from ledger.tables import runs

MINUTE = 60 * clock.SECOND
#: Upper bounds of the histograms in seconds; what is longer stands in one place more.
WAITS = (0.1, 0.5, 1, 5, 15, 60, 300, 1800, 7200)
TOOKS = (0.01, 0.1, 0.5, 1, 5, 15, 60, 300, 1800, 7200)
SUMS = ("runs", "crashes", "failures", "waited", "took")
_UNMEASURED = -1


def groups(connection: Connection, which: ColumnElement) -> list:
    """Finished runs by minute, job, queue, state and their places in both histograms, with ``SUMS``."""
    keys = (_minute, runs.c.job, runs.c.queue, runs.c.state, _wait_place, _took_place)
    statement = select(*keys, *_sums).where(which)
    return connection.execute(statement.group_by(*[each.name for each in keys])).fetchall()


def counts(group) -> Iterator[tuple[str, int]]:
    """Names and numbers of a group as ``totals`` keeps them: sums, ``wait:3`` and ``took:0``."""
    yield from ((name, int(getattr(group, name))) for name in SUMS)
    if group.wait_place != _UNMEASURED:
        yield f"wait:{group.wait_place}", group.runs
        yield f"took:{group.took_place}", group.runs


def histogram(numbers: Counter, name: str, bounds: tuple[float, ...]) -> list[int]:
    """The numbers of each place of ``wait`` or ``took``."""
    return [numbers[f"{name}:{place}"] for place in range(len(bounds) + 1)]


def _not_negative(microseconds: ColumnElement) -> ColumnElement:
    """Two clocks need not agree."""
    return case((microseconds < 0, _instant(0)), else_=microseconds)


def _instant(microseconds: int) -> ColumnElement:
    """PostgreSQL is told that it is a big number, however small."""
    return literal(microseconds, BigInteger)


def _place(microseconds: ColumnElement, bounds: tuple[float, ...]) -> ColumnElement:
    places = [(microseconds <= _instant(int(each * clock.SECOND)), place) for place, each in enumerate(bounds)]
    return case((_is_measured, case(*places, else_=len(bounds))), else_=_UNMEASURED)


#: Canceled, expired and crashed runs have waited and taken what their end made of it, not what the job takes.
_is_measured = and_(runs.c.started_at.is_not(None), runs.c.state.in_([State.SUCCEEDED, State.FAILED]))
_wait = _not_negative(runs.c.started_at - runs.c.due_at)
_took = _not_negative(runs.c.finished_at - runs.c.started_at)
_minute = (runs.c.finished_at // MINUTE).label("minute")
_wait_place, _took_place = _place(_wait, WAITS).label("wait_place"), _place(_took, TOOKS).label("took_place")
_sums = (
    func.count().label("runs"),
    func.sum(runs.c.crashes).label("crashes"),
    func.sum(runs.c.failures).label("failures"),
    func.sum(case((_is_measured, _wait), else_=0)).label("waited"),
    func.sum(case((_is_measured, _took), else_=0)).label("took"),
)
