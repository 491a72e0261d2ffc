"""Failures that nobody wants to be told of until they change, and when they have.

Changed means: a version of the code that was not known to fail this way does, or far more runs an hour fail than did
before. A scheduler looks; what came back stays back until it is muted again.
"""

from collections import Counter
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Engine, Row, select, update

from ledger import clock, texts
from ledger.engine import announce, writing
from ledger.errors import FailureNotFound
from ledger.prepared import Prepared
from ledger.tables import failures, processes, runs

HOUR = 3_600 * clock.SECOND
DAY = 24 * HOUR
#: The newest failures of a kind that are looked at: more than that in an hour is much by any measure.
MOST_LOOKED_AT = 2_000
MOST_MUTED = 200
#: So many times the worst hour before, and at least so many in an hour, is far more.
FAR_MORE, FEW = 3, 10
NAME_LIMIT = 200


@dataclass(frozen=True, slots=True)
class Changed:
    """``because`` is ``{"version": "0.4.2"}`` or ``{"number": 120}``; ``muted_at`` guards against a newer muting."""

    fingerprint: str
    muted_at: int
    because: dict[str, Any]


def mute(engine: Engine, fingerprint: str, by: str) -> None:
    """Until it changes from what it is now. Raises FailureNotFound."""
    now = clock.now()
    with writing(engine) as connection:
        rows = newest(connection, fingerprint, now - DAY)
        _change(
            connection, fingerprint, muted_at=now, muted_by=texts.clean(by)[:NAME_LIMIT], returned_at=None,
            returned_because=None, muted_versions=texts.to_json(versions_of(rows)), muted_rate=worst_hour(rows, now),
        )  # fmt: skip


def unmute(engine: Engine, fingerprint: str) -> None:
    """Raises FailureNotFound."""
    gone = ("muted_at", "muted_by", "muted_versions", "muted_rate", "returned_at", "returned_because")
    with writing(engine) as connection:
        _change(connection, fingerprint, **dict.fromkeys(gone))


def _change(connection: Connection, fingerprint: str, **values: Any) -> None:
    statement = update(failures).where(failures.c.fingerprint == fingerprint)
    if not connection.execute(statement.values(**values)).rowcount:
        raise FailureNotFound(fingerprint)
    announce(connection)


#: Muted, and not changed since.
is_quiet = failures.c.muted_at.is_not(None) & failures.c.returned_at.is_(None)


_quiet = Prepared(select(failures.c.fingerprint).where(is_quiet).limit(MOST_MUTED))


def quiet(connection: Connection) -> frozenset[str]:
    """The fingerprints that nobody wants to be told of."""
    return frozenset(_quiet.run(connection, {}).scalars())


def changed(connection: Connection, now: int) -> list[Changed]:
    """The muted ones that are not any more what they were."""
    rows = connection.execute(select(failures).where(is_quiet).limit(MOST_MUTED)).fetchall()
    found = ((row, because(row, newest(connection, row.fingerprint, row.muted_at), now)) for row in rows)
    return [Changed(row.fingerprint, row.muted_at, why) for row, why in found if why]


def because(row: Row, since: list, now: int) -> dict[str, Any]:
    """Why the muted failure ``row`` has changed, by the runs that failed so ``since``; empty when it has not."""
    known = texts.from_json(row.muted_versions) or []
    strange = [version for version in versions_of(since) if version not in known]
    if strange:
        return {"version": strange[0]}
    number = worst_hour(since, now)
    return {"number": number} if number >= max(FEW, FAR_MORE * (row.muted_rate or 0)) else {}


def bring_back(connection: Connection, change: Changed) -> bool:
    """False when somebody muted it anew, or another scheduler was quicker."""
    same = (failures.c.fingerprint == change.fingerprint, failures.c.muted_at == change.muted_at)
    statement = update(failures).where(*same, failures.c.returned_at.is_(None))
    values = {"returned_at": clock.now(), "returned_because": texts.to_json(change.because)}
    if brought := bool(connection.execute(statement.values(**values)).rowcount):
        announce(connection)
    return brought


def newest(connection: Connection, fingerprint: str, since: int) -> list:
    """When each of the newest runs failed so since then, and the version of the code that did, where known."""
    own = select(runs.c.id, runs.c.finished_at, runs.c.worker_id).where(runs.c.fingerprint == fingerprint)
    seen = own.order_by(runs.c.id.desc()).limit(MOST_LOOKED_AT).subquery()
    versions = select(seen.c.finished_at, processes.c.version)
    joined = versions.select_from(seen.outerjoin(processes, processes.c.id == seen.c.worker_id))
    return connection.execute(joined.where(seen.c.finished_at > since).order_by(seen.c.id.desc())).fetchall()


def versions_of(rows: list) -> list[str]:
    """The newest first."""
    return list(dict.fromkeys(row.version for row in rows if row.version))


def worst_hour(rows: list, now: int) -> int:
    """The most in any hour, counted back from now."""
    hours = Counter((now - row.finished_at) // HOUR for row in rows)
    return max(hours.values(), default=0)
