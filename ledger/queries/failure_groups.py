"""Ways of failing, each with its numbers in a range of time: the list, and the page of one."""

from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import Connection, Engine, func, select, union_all

from ledger import clock, muting, texts
from ledger.engine import reading
from ledger.errors import FailureNotFound
from ledger.queries.counting import Count, count
from ledger.queries.failures import FAILED
from ledger.queries.lines import LINE_COLUMNS, RunLine, lines_of
from ledger.queries.run import Traceback
from ledger.queries.wanted import first_id_at
from ledger.tables import attempts, failures, processes, runs

BUCKETS = 24
#: Failed runs that are looked at for the list; the page says so when there were more.
MOST_LOOKED_AT = 5_000
MOST_GROUPS, MOST_KNOWN = 100, 500
MOST_RUNS = 20
MOST_VERSIONS_OF = 500
ERROR_SHOWN = 300


@dataclass(frozen=True, slots=True)
class Mute:
    """``because`` as in ``muting.Changed``, once it came back at ``returned_at``; ``rate`` an hour was known."""

    at: int
    by: str
    rate: int
    returned_at: int | None
    because: dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """``buckets`` are even parts of the range, the oldest first. ``sample_id`` is the newest run of the range, and
    ``error`` what it said. Without a ``fingerprint``: runs that failed before there were any, by job and type."""

    fingerprint: str | None
    job: str
    error_type: str
    place: str = ""
    error: str = ""
    number: Count = Count()
    buckets: tuple[int, ...] = ()
    first_at: int | None = None
    last_at: int | None = None
    sample_id: str | None = None
    versions: tuple[str, ...] = ()
    mute: Mute | None = None

    @property
    def is_quiet(self) -> bool:
        return self.mute is not None and self.mute.returned_at is None


@dataclass(frozen=True, slots=True)
class GroupsPage:
    """Those with the most runs first. ``looked_at`` is set when only the newest failed runs were counted."""

    groups: tuple[Group, ...]
    quiet: tuple[Group, ...]
    looked_at: int | None
    has_any: bool


@dataclass(frozen=True, slots=True)
class GroupPage:
    """``lines`` are its newest runs, of any time; ``traceback`` is of the newest that has one."""

    group: Group
    lines: tuple[RunLine, ...]
    traceback: Traceback | None
    total: Count


def groups_page(engine: Engine, since: int, until: int) -> GroupsPage:
    with reading(engine) as connection:
        candidates = _candidates(since)
        found = _grouped(connection, candidates, since, until)
        looked_at = sum(group.number.number for group in found)
        known = _known(connection, [group.fingerprint for group in found if group.fingerprint])
        groups = [_told(group, known.get(group.fingerprint)) for group in found]
        groups = _with_samples(connection, groups)
        muted = {group.fingerprint: group for group in groups if group.is_quiet}
        return GroupsPage(
            tuple(group for group in groups if not group.is_quiet)[:MOST_GROUPS],
            tuple(muted.get(group.fingerprint, group) for group in _all_quiet(connection)),
            looked_at if looked_at >= MOST_LOOKED_AT else None,
            connection.scalar(select(runs.c.id).where(runs.c.state.in_(FAILED)).limit(1)) is not None,
        )


def _candidates(since: int):
    """The newest runs made since then that failed, so many of each state."""
    columns = (runs.c.id, runs.c.job, runs.c.error_type, runs.c.fingerprint, runs.c.finished_at)
    made_since = runs.c.id >= first_id_at(since)
    newest = [
        select(*columns).where(runs.c.state == state, made_since)
        .order_by(runs.c.id.desc()).limit(MOST_LOOKED_AT).subquery()
        for state in FAILED
    ]  # fmt: skip
    return union_all(*[select(each) for each in newest]).subquery()


def _grouped(connection: Connection, seen, since: int, until: int) -> list[Group]:
    """Numbers by kind and part of the range, put together."""
    width = max(1, (until - since) // BUCKETS)
    bucket = ((seen.c.finished_at - since) // width).label("bucket")
    key = (seen.c.fingerprint, seen.c.job, seen.c.error_type)
    columns = (*key, bucket, func.count().label("number"), func.min(seen.c.finished_at).label("first"))
    newest = (func.max(seen.c.finished_at).label("last"), func.max(seen.c.id).label("sample"))
    parts: dict[tuple, list] = {}
    for row in connection.execute(select(*columns, *newest).group_by(*key, bucket)):
        parts.setdefault((row.fingerprint, row.job, row.error_type), []).append(row)
    groups = [_group(key, rows) for key, rows in parts.items()]
    return sorted(groups, key=lambda group: (-group.number.number, -(group.last_at or 0)))


def _group(key: tuple, rows: list) -> Group:
    buckets = [0] * BUCKETS
    for row in rows:
        buckets[min(BUCKETS - 1, max(0, row.bucket))] += row.number
    fingerprint, job, error_type = key
    return Group(
        fingerprint=fingerprint, job=job, error_type=error_type or "", number=Count(sum(buckets)),
        buckets=tuple(buckets), first_at=min(row.first for row in rows), last_at=max(row.last for row in rows),
        sample_id=max(row.sample for row in rows),
    )  # fmt: skip


def _known(connection: Connection, fingerprints: list[str]) -> dict[str, Any]:
    rows = connection.execute(select(failures).where(failures.c.fingerprint.in_(fingerprints[:MOST_KNOWN])))
    return {row.fingerprint: row for row in rows} if fingerprints else {}


def _told(group: Group, row) -> Group:
    """With what is noted of its kind: where, since when, and whether it is muted."""
    if row is None:
        return group
    return replace(group, place=row.place, error=row.sample, first_at=row.first_seen_at, mute=_mute(row))


def _mute(row) -> Mute | None:
    if row.muted_at is None:
        return None
    because = texts.from_json(row.returned_because) or {}
    return Mute(row.muted_at, row.muted_by or "", row.muted_rate or 0, row.returned_at, because)


def _with_samples(connection: Connection, groups: list[Group]) -> list[Group]:
    """With what the newest run of each said, and the version of the code that it was."""
    ids = [group.sample_id for group in groups[: 2 * MOST_GROUPS]]
    error = func.substr(runs.c.error, 1, ERROR_SHOWN).label("error")
    columns = select(runs.c.id, error, processes.c.version)
    joined = columns.select_from(runs.outerjoin(processes, processes.c.id == runs.c.worker_id))
    said = {row.id: row for row in connection.execute(joined.where(runs.c.id.in_(ids)))} if ids else {}
    return [_with_sample(group, said.get(group.sample_id)) for group in groups]


def _with_sample(group: Group, row) -> Group:
    if row is None:
        return group
    return replace(group, error=row.error or group.error, versions=(row.version,) if row.version else ())


def _all_quiet(connection: Connection) -> list[Group]:
    """The muted ones, whether or not they failed lately."""
    rows = connection.execute(select(failures).where(muting.is_quiet).order_by(failures.c.muted_at.desc()))
    return [_noted(row) for row in rows.fetchmany(MOST_GROUPS)]


def _noted(row) -> Group:
    empty = Group(fingerprint=row.fingerprint, job=row.job, error_type=row.error_type, buckets=(0,) * BUCKETS)
    return _told(empty, row)


def noted(engine: Engine, fingerprint: str) -> Group:
    """What is noted of one, and what its newest run said; without its numbers. Raises FailureNotFound."""
    own = select(func.substr(runs.c.error, 1, ERROR_SHOWN)).where(runs.c.fingerprint == fingerprint)
    with reading(engine) as connection:
        group = _noted(_row(connection, fingerprint))
        return replace(group, error=connection.scalar(own.order_by(runs.c.id.desc()).limit(1)) or group.error)


def _row(connection: Connection, fingerprint: str):
    row = connection.execute(select(failures).where(failures.c.fingerprint == fingerprint)).one_or_none()
    if row is None:
        raise FailureNotFound(fingerprint)
    return row


def group_page(engine: Engine, fingerprint: str, since: int, until: int) -> GroupPage:
    """Raises FailureNotFound."""
    with reading(engine) as connection:
        row = _row(connection, fingerprint)
        own = runs.c.fingerprint == fingerprint
        newest = _newest(connection, own)
        return GroupPage(
            _of_range(connection, row, since, until, newest),
            newest,
            _traceback(connection, newest),
            count(connection, select(runs.c.id).where(own)),
        )


def _newest(connection: Connection, own) -> tuple[RunLine, ...]:
    statement = select(*LINE_COLUMNS).where(own).order_by(runs.c.id.desc()).limit(MOST_RUNS)
    return lines_of(connection, connection.execute(statement).fetchall())


def _of_range(connection: Connection, row, since: int, until: int, newest: tuple[RunLine, ...]) -> Group:
    """One kind is found by an index of its own, however much else failed."""
    columns = (runs.c.id, runs.c.job, runs.c.error_type, runs.c.fingerprint, runs.c.finished_at)
    own = (runs.c.fingerprint == row.fingerprint, runs.c.id >= first_id_at(since))
    seen = select(*columns).where(*own).order_by(runs.c.id.desc()).limit(MOST_LOOKED_AT + 1).subquery()
    found = _grouped(connection, seen, since, until)
    group = _told(found[0], row) if found else _noted(row)
    number = Count(min(MOST_LOOKED_AT, group.number.number), group.number.number > MOST_LOOKED_AT)
    versions = _versions(connection, row.fingerprint)
    error = newest[0].error if newest else row.sample
    last_at = newest[0].finished_at if newest else None
    return replace(group, number=number, versions=versions, error=error or "", last_at=last_at)


def _versions(connection: Connection, fingerprint: str) -> tuple[str, ...]:
    """Of the code that its newest runs failed with, in order."""
    own = select(runs.c.worker_id).where(runs.c.fingerprint == fingerprint).order_by(runs.c.id.desc())
    seen = own.limit(MOST_VERSIONS_OF).subquery()
    known = select(processes.c.version).where(processes.c.id.in_(select(seen.c.worker_id)), processes.c.version != "")
    return tuple(sorted(connection.scalars(known.distinct())))


def _traceback(connection: Connection, newest: tuple[RunLine, ...]) -> Traceback | None:
    ids = [line.id for line in newest]
    own = select(attempts.c.number, attempts.c.traceback).where(attempts.c.run_id.in_(ids))
    found = own.where(attempts.c.traceback.is_not(None)).order_by(attempts.c.run_id.desc(), attempts.c.number.desc())
    row = connection.execute(found.limit(1)).one_or_none() if ids else None
    return Traceback(*row) if row else None


def first_failure_at(now: int, seconds: int) -> int:
    """The begin of a range that ends now, on a whole minute, so that polls of one minute ask the same."""
    minute = 60 * clock.SECOND
    return (now // minute + 1) * minute - seconds * clock.SECOND
