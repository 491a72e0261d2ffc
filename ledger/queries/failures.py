"""Why runs fail: the failures of the last hour or longer, those that say the same thing taken together."""

import re
from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import Connection, func, select

from ledger import clock
from ledger.queries.counting import Count, up_to
from ledger.states import State
from ledger.tables import runs

HOUR = 3_600 * clock.SECOND
BUCKETS = 12
MOST_FAILURES = 2_000
MOST_CAUSES = 8
ERROR_READ = 300

#: What differs between two reports of one cause: ids, numbers, and what stands in quotes or after a slash.
VARYING = re.compile(
    r"""0x[0-9a-f]+|[0-9a-f]{8}-[0-9a-f-]{27}|'[^']*'|"[^"]*"|“[^”]*”|(?<=\s)/\S+|\d[\d.,:-]*\d|\d""",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Cause:
    """``text`` is the error with an ellipsis for what differs; ``buckets`` are the time in twelve parts."""

    job: str
    error_type: str
    text: str
    number: int
    buckets: tuple[int, ...]
    first_at: int
    last_at: int


@dataclass(frozen=True, slots=True)
class Failures:
    causes: tuple[Cause, ...]
    number: Count


def failures(connection: Connection, now: int, span: int = HOUR) -> Failures:
    rows = [row for state in (State.FAILED, State.DEAD) for row in _failed_since(connection, state, now - span)]
    causes = sorted(_causes(rows, now, span), key=lambda cause: (-cause.number, -cause.last_at))
    return Failures(tuple(causes[:MOST_CAUSES]), up_to(MOST_FAILURES, len(rows)))


def _failed_since(connection: Connection, state: State, since: int) -> list:
    error = func.substr(runs.c.error, 1, ERROR_READ).label("error")
    newest = select(runs.c.job, runs.c.error_type, error, runs.c.finished_at).where(runs.c.state == state)
    candidates = newest.order_by(runs.c.id.desc()).limit(MOST_FAILURES + 1).subquery()
    return connection.execute(select(candidates).where(candidates.c.finished_at >= since)).fetchall()


def _causes(rows: Iterable, now: int, span: int) -> Iterable[Cause]:
    groups: dict[tuple, list[int]] = {}
    for row in rows:
        groups.setdefault((row.job, row.error_type or "", pattern_of(row.error)), []).append(row.finished_at)
    return [_cause(key, times, _buckets(times, now, span)) for key, times in groups.items()]


def _cause(key: tuple, times: list[int], buckets: tuple[int, ...]) -> Cause:
    return Cause(*key, len(times), buckets, min(times), max(times))


def pattern_of(error: str | None) -> str:
    """The first line of an error without what differs from run to run."""
    line = (error or "").strip().partition("\n")[0]
    return VARYING.sub("…", line)


def _buckets(times: list[int], now: int, span: int) -> tuple[int, ...]:
    width = span // BUCKETS
    places = [min(BUCKETS - 1, max(0, (now - at) // width)) for at in times]
    return tuple(places.count(BUCKETS - 1 - place) for place in range(BUCKETS))


def same_failures(connection: Connection, job: str, error_type: str | None, error: str | None, now: int) -> Count:
    """How many runs of ``job`` failed in this way in the last hour."""
    rows = [row for state in (State.FAILED, State.DEAD) for row in _failed_since(connection, state, now - HOUR)]
    wanted = (job, error_type, pattern_of(error))
    same = sum((row.job, row.error_type, pattern_of(row.error)) == wanted for row in rows)
    return Count(same, len(rows) > MOST_FAILURES)
