"""What the strip on every page says: who beats, how many slots, how much failed."""

from dataclasses import dataclass

from sqlalchemy import Connection, Engine, or_, select

from ledger import clock, muting
from ledger.engine import reading
from ledger.queries.counting import Count, count
from ledger.queries.wanted import first_id_at
from ledger.queries.workers import Process, alive_processes
from ledger.states import State
from ledger.tables import runs

DAY = 24 * 3_600 * clock.SECOND
MOST_FAILED = 999
MOST_LOOKED_AT = 2_000  # failed runs among which those that nobody saw are counted


@dataclass(frozen=True, slots=True)
class System:
    """``scheduler_beat`` is the last sign of life of any scheduler that did not end; None without one."""

    workers: int
    slots: int
    scheduler_ok: bool
    scheduler_beat: int | None
    failed: Count  # and not seen yet


def system(engine: Engine, seen_at: int = 0) -> System:
    """``seen_at``: when the person who asks last looked at the failures."""
    with reading(engine) as connection:
        return system_of(connection, clock.now(), seen_at)


def system_of(connection: Connection, now: int, seen_at: int = 0) -> System:
    return _system(alive_processes(connection), unseen(connection, now - DAY, seen_at))


def _system(alive: tuple[Process, ...], failed: Count) -> System:
    workers = [each for each in alive if each.takes_runs]
    schedulers = [each for each in alive if each.kind == "scheduler"]
    return System(
        workers=len(workers),
        slots=sum(each.slots for each in workers),
        scheduler_ok=any(not each.silent for each in schedulers),
        scheduler_beat=max((each.beat_at for each in schedulers), default=None),
        failed=failed,
    )


def unseen(connection: Connection, at: int, seen_at: int) -> Count:
    """Runs made since ``at`` that failed or crashed after ``seen_at``, without muted failures; of the newest."""
    quiet = muting.quiet(connection)
    parts = (_unseen(connection, state, at, seen_at, quiet) for state in (State.FAILED, State.DEAD))
    return sum(parts, Count())


def _unseen(connection: Connection, state: State, at: int, seen_at: int, quiet: frozenset[str]) -> Count:
    newest = select(runs.c.id, runs.c.finished_at, runs.c.fingerprint).where(
        runs.c.state == state, runs.c.id >= first_id_at(at)
    )
    if not quiet and not seen_at:  # by the index alone
        return count(connection, newest.with_only_columns(runs.c.id), MOST_FAILED)
    seen = newest.order_by(runs.c.id.desc()).limit(MOST_LOOKED_AT).subquery()
    heard = or_(seen.c.fingerprint.is_(None), seen.c.fingerprint.not_in(quiet))
    return count(connection, select(seen.c.id).where(seen.c.finished_at > seen_at, heard), MOST_FAILED)
