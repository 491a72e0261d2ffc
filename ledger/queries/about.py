"""The ledger about itself: how large it is, which version, what will be forgotten next and when."""

from dataclasses import dataclass

from sqlalchemy import Connection, Engine, func, select

from ledger import clock, revision
from ledger.engine import has_wal_reset_bug, is_sqlite, reading, rows_roughly, size, version
from ledger.queries.counting import CAP, Count, count
from ledger.queries.system import System, system_of
from ledger.queries.workers import alive_processes
from ledger.retention import own_limits
from ledger.tables import runs
from ledger.tally import marks_of

DAY = 24 * 3_600 * clock.SECOND


@dataclass(frozen=True, slots=True)
class Forgetting:
    """``next_at``: when the oldest finished run is forgotten for its age; ``of_day``: how many are in the day from
    now. ``keeps`` are the jobs that say themselves how many runs are kept."""

    next_at: int | None
    of_day: Count
    keeps: tuple[tuple[str, int], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class About:
    """``runs`` is exact, or else a guess when ``runs_guessed``; ``uncounted_since`` is the oldest end that is not
    counted yet."""

    database: str
    has_wal_reset_bug: bool
    revision: str | None
    newest: str
    size: int
    runs: int
    runs_guessed: bool
    forgetting: Forgetting
    uncounted_since: int | None
    system: System


def about(engine: Engine, retention_days: int) -> About:
    with reading(engine) as connection:
        now = clock.now()
        number = count(connection, select(runs.c.id))
        return About(
            database=version(connection),
            has_wal_reset_bug=is_sqlite(connection) and has_wal_reset_bug(),
            revision=revision.of(connection),
            newest=revision.newest(),
            size=size(connection),
            runs=max(rows_roughly(connection, runs), CAP) if number.capped else number.number,
            runs_guessed=number.capped,
            forgetting=_forgetting(connection, retention_days, now),
            uncounted_since=_uncounted_since(connection),
            system=system_of(connection, now, alive_processes(connection)),
        )


def _forgetting(connection: Connection, days: int, now: int) -> Forgetting:
    oldest = connection.scalar(select(func.min(runs.c.finished_at)).where(runs.c.finished_at.is_not(None)))
    of_day = count(connection, select(runs.c.id).where(runs.c.finished_at < now - (days - 1) * DAY))
    next_at = None if oldest is None else oldest + days * DAY
    return Forgetting(next_at, of_day, tuple(sorted(own_limits(connection).items())))


def _uncounted_since(connection: Connection) -> int | None:
    later = select(func.min(runs.c.finished_at)).where(runs.c.finished_at > marks_of(connection).counted_to)
    return connection.scalar(later)
