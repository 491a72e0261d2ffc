"""What the strip on every page says: who beats, how many slots, how much failed."""

from dataclasses import dataclass

from sqlalchemy import Connection, Engine, bindparam, not_, or_, select

from ledger import clock, muting
from ledger.engine import reading
from ledger.prepared import OneOf, Prepared
from ledger.queries.counting import Count, number_of, up_to
from ledger.queries.wanted import first_id_at
from ledger.queries.workers import Process, alive_processes
from ledger.states import State
from ledger.tables import runs

DAY = 24 * 3_600 * clock.SECOND
MOST_FAILED = 999
MOST_LOOKED_AT = 2_000  # failed runs among which those that nobody saw are counted


@dataclass(frozen=True, slots=True)
class System:
    """``workers`` take runs, ``resting`` ones drain or do not beat. ``scheduler_beat`` is the last sign of life of
    any scheduler that did not end; None without one."""

    workers: int
    resting: int
    slots: int
    scheduler_ok: bool
    scheduler_beat: int | None
    failed: Count  # and not seen yet


def system(engine: Engine, seen_at: int = 0) -> System:
    """``seen_at``: when the person who asks last looked at the failures."""
    with reading(engine) as connection:
        return system_of(connection, clock.now(), alive_processes(connection), seen_at)


def system_of(connection: Connection, now: int, alive: tuple[Process, ...], seen_at: int = 0) -> System:
    """``alive``: the live processes."""
    workers = [each for each in alive if each.takes_runs]
    schedulers = [each for each in alive if each.kind == "scheduler"]
    return System(
        workers=len(workers),
        resting=sum(each.kind == "worker" for each in alive) - len(workers),
        slots=sum(each.slots for each in workers),
        scheduler_ok=any(not each.silent for each in schedulers),
        scheduler_beat=max((each.beat_at for each in schedulers), default=None),
        failed=unseen(connection, now - DAY, seen_at),
    )


_lately = select(runs.c.id, runs.c.finished_at, runs.c.fingerprint).where(
    runs.c.state == bindparam("state"), runs.c.id >= bindparam("since")
)
_seen = _lately.order_by(runs.c.id.desc()).limit(MOST_LOOKED_AT).subquery()
_is_heard = or_(_seen.c.fingerprint.is_(None), not_(OneOf(_seen.c.fingerprint, "quiet")))
_failed = Prepared(number_of(_lately.with_only_columns(runs.c.id), MOST_FAILED))
_heard = Prepared(
    number_of(select(_seen.c.id).where(_seen.c.finished_at > bindparam("seen_at"), _is_heard), MOST_FAILED)
)


def unseen(connection: Connection, at: int, seen_at: int) -> Count:
    """Runs made since ``at`` that failed or crashed after ``seen_at``, without muted failures; of the newest."""
    quiet = sorted(muting.quiet(connection))
    statement = _heard if quiet or seen_at else _failed  # by the index alone
    asked = {"since": first_id_at(at), "seen_at": seen_at, "quiet": quiet}
    parts = (statement.run(connection, asked | {"state": state.value}) for state in (State.FAILED, State.DEAD))
    return sum((up_to(MOST_FAILED, part.scalar_one()) for part in parts), Count())
