"""Why runs fail: the failures of the last hour or longer, those that are of one kind taken together."""

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, replace

from sqlalchemy import Connection, bindparam, func, select

from ledger import clock, muting
from ledger.prepared import OneOf, Prepared
from ledger.queries.counting import Count, count, up_to
from ledger.queries.wanted import first_id_at
from ledger.states import State
from ledger.tables import failures as noted
from ledger.tables import runs

HOUR = 3_600 * clock.SECOND
BUCKETS = 12
MOST_FAILURES = 2_000
MOST_CAUSES = 8
ERROR_READ = 300
FAILED = (State.FAILED, State.DEAD)

#: What differs between two reports of one cause: ids, numbers, and what stands in quotes or after a slash.
VARYING = re.compile(
    r"""0x[0-9a-f]+|[0-9a-f]{8}-[0-9a-f-]{27}|(?<!\w)'[^']*'|"[^"]*"|“[^”]*”|(?<=\s)/\S+|\d[\d.,:-]*\d|\d""",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Cause:
    """``text`` is the newest error with an ellipsis for what differs; ``buckets`` are the time in twelve parts.
    ``first_at`` is when it was first seen at all. A run that failed before there were fingerprints has none: its
    cause is told by that text."""

    job: str
    error_type: str
    text: str
    number: int
    buckets: tuple[int, ...]
    first_at: int
    last_at: int
    fingerprint: str | None = None


@dataclass(frozen=True, slots=True)
class Failures:
    """``muted``: how many of the job's failures nobody wants to be told of; they are not among the causes. ``more``:
    how many causes there are besides."""

    causes: tuple[Cause, ...]
    number: Count
    muted: tuple[tuple[str, int], ...] = ()
    more: int = 0

    def muted_of(self, job: str) -> int:
        return dict(self.muted).get(job, 0)


def failures(connection: Connection, now: int, span: int = HOUR) -> Failures:
    rows = [row for state in FAILED for row in _failed_since(connection, state, now - span)]
    quiet = muting.quiet(connection)
    heard = [row for row in rows if row.fingerprint not in quiet]
    muted = Counter(row.job for row in rows if row.fingerprint in quiet)
    causes = sorted(_causes(heard, now, span), key=lambda cause: (-cause.number, -cause.last_at))
    number, more = up_to(MOST_FAILURES, len(rows)), max(0, len(causes) - MOST_CAUSES)
    return Failures(_since(connection, causes[:MOST_CAUSES]), number, tuple(sorted(muted.items())), more)


_noted = Prepared(
    select(noted.c.fingerprint, noted.c.first_seen_at).where(OneOf(noted.c.fingerprint, "fingerprints"))
)


def _since(connection: Connection, causes: list[Cause]) -> tuple[Cause, ...]:
    """Each with the time that is noted of its kind, which may be older than all that was looked at."""
    fingerprints = [cause.fingerprint for cause in causes if cause.fingerprint]
    first = dict(_noted.run(connection, {"fingerprints": fingerprints}).fetchall()) if fingerprints else {}
    return tuple(replace(cause, first_at=first.get(cause.fingerprint, cause.first_at)) for cause in causes)


_newest = (
    select(
        runs.c.job, runs.c.error_type, func.substr(runs.c.error, 1, ERROR_READ).label("error"), runs.c.finished_at,
        runs.c.fingerprint,
    )
    .where(runs.c.state == bindparam("state"))
    .order_by(runs.c.id.desc())
    .limit(MOST_FAILURES + 1)
    .subquery()
)  # fmt: skip
_failed = Prepared(select(_newest).where(_newest.c.finished_at >= bindparam("since")))


def _failed_since(connection: Connection, state: State, since: int) -> list:
    return _failed.run(connection, {"state": state.value, "since": since}).fetchall()


def _causes(rows: Iterable, now: int, span: int) -> Iterable[Cause]:
    groups: dict[tuple, list] = {}
    for row in rows:
        told_by = row.fingerprint or (row.error_type, pattern_of(row.error))
        groups.setdefault((row.job, told_by), []).append(row)
    return [_cause(rows, now, span) for rows in groups.values()]


def _cause(rows: list, now: int, span: int) -> Cause:
    newest = max(rows, key=lambda row: row.finished_at)
    times = [row.finished_at for row in rows]
    return Cause(
        newest.job, newest.error_type or "", pattern_of(newest.error), len(rows), _buckets(times, now, span),
        min(times), max(times), newest.fingerprint,
    )  # fmt: skip


def pattern_of(error: str | None) -> str:
    """The first line of an error without what differs from run to run."""
    line = (error or "").strip().partition("\n")[0]
    return VARYING.sub("…", line)


def _buckets(times: list[int], now: int, span: int) -> tuple[int, ...]:
    width = span // BUCKETS
    places = [min(BUCKETS - 1, max(0, (now - at) // width)) for at in times]
    return tuple(places.count(BUCKETS - 1 - place) for place in range(BUCKETS))


def same_failures(connection: Connection, row, now: int) -> Count:
    """How many runs failed like ``row`` in the last hour; those with a fingerprint are counted by an index."""
    if row.fingerprint:
        alike = select(runs.c.id).where(runs.c.fingerprint == row.fingerprint, runs.c.id >= first_id_at(now - HOUR))
        return count(connection, alike)
    rows = [each for state in FAILED for each in _failed_since(connection, state, now - HOUR)]
    wanted = (row.job, row.error_type, pattern_of(row.error))
    same = sum((each.job, each.error_type, pattern_of(each.error)) == wanted for each in rows)
    return Count(same, len(rows) > MOST_FAILURES)
