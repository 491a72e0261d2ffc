"""What the strip on every page says: who beats, how many slots, how much failed."""

from dataclasses import dataclass

from sqlalchemy import Connection, Engine, select

from ledger import clock
from ledger.engine import reading
from ledger.queries.counting import Count, count
from ledger.queries.wanted import first_id_at
from ledger.queries.workers import Process, alive_processes
from ledger.states import State
from ledger.tables import runs

DAY = 24 * 3_600 * clock.SECOND
MOST_FAILED = 999


@dataclass(frozen=True, slots=True)
class System:
    """``scheduler_beat`` is the last sign of life of any scheduler that did not end; None without one."""

    workers: int
    slots: int
    scheduler_ok: bool
    scheduler_beat: int | None
    failed: Count


def system(engine: Engine) -> System:
    with reading(engine) as connection:
        return system_of(connection, clock.now())


def system_of(connection: Connection, now: int) -> System:
    return _system(alive_processes(connection), failed_since(connection, now - DAY))


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


def failed_since(connection: Connection, at: int) -> Count:
    """Runs made since ``at`` that failed or crashed: as the list counts them, so that both agree."""
    made_since = runs.c.id >= first_id_at(at)
    parts = [select(runs.c.id).where(runs.c.state == state, made_since) for state in (State.FAILED, State.DEAD)]
    return sum((count(connection, part, MOST_FAILED) for part in parts), Count())
