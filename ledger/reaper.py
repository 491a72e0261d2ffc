"""Finding processes that died without a word, by beat counts that stand still on the reaper's own clock.

No clock of another machine is read, and no time in the ledger: a count moved since we last looked, or it did not.
Runs whose worker's row ended without giving them back are found the same way, as a count of ``NO_BEATS``.
"""

import logging
import time
from collections.abc import Callable

from sqlalchemy import Connection, Engine, select

from ledger import fleet
from ledger.engine import reading, writing
from ledger.fleet import ALIVE, Rescued
from ledger.states import State
from ledger.tables import processes, runs

log = logging.getLogger(__name__)

SILENT_SECONDS = 30.0
LATE_SECONDS = 10.0  # a reaper that looks so late, or cannot even beat itself, knows nothing about others
NO_BEATS = -1


class Reaper:
    """Remembers each process's beat count with the moment at which it last moved, in seconds of ``clock``.

    ``own_id`` names the process that reaps: it is never found silent, and while its own beats do not reach the
    ledger, nobody is.
    """

    def __init__(self, own_id: str | None, limit: float = SILENT_SECONDS, clock: Callable[[], float] = time.monotonic):
        self.own_id, self.limit = own_id, limit
        self._clock = clock
        self._moved: dict[str, tuple[int, float]] = {}
        self._looked_at = clock()
        self._held_up = False

    def silent(self, beats: dict[str, int]) -> dict[str, int]:
        """Those of ``beats``, as just read, whose count stood still for ``limit`` seconds."""
        now = self._clock()
        self._note(beats, now)
        held_up = now - self._looked_at > LATE_SECONDS or self._own_silence(now) > LATE_SECONDS
        if held_up:
            self._count_anew(now)
        if held_up and not self._held_up:
            log.warning("This reaper or the ledger was held up: it counts everybody's silence anew.")
        self._looked_at, self._held_up = now, held_up
        return {each: count for each, (count, since) in self._moved.items() if self._is_silent(each, now - since)}

    def _note(self, beats: dict[str, int], now: float) -> None:
        known = self._moved
        self._moved = {
            each: known[each] if each in known and known[each][0] == count else (count, now)
            for each, count in beats.items()
        }

    def _own_silence(self, now: float) -> float:
        return now - self._moved[self.own_id][1] if self.own_id in self._moved else 0.0

    def _count_anew(self, now: float) -> None:
        self._moved = {
            each: (count, since if each == self.own_id else now) for each, (count, since) in self._moved.items()
        }

    def _is_silent(self, each: str, seconds: float) -> bool:
        return each != self.own_id and seconds >= self.limit


def reap(engine: Engine, reaper: Reaper, crash_limit: int) -> list[Rescued]:
    """Declares gone whoever is silent, with all workers under it, and gives their runs back. Raises LedgerAway."""
    with reading(engine) as connection:
        seen = orphaned(connection) | fleet.beats(connection)
    rescued = []
    for process_id, count in reaper.silent(seen).items():
        with writing(engine) as connection:
            rescued += declare_gone_if_silent(connection, process_id, count, reaper.limit, crash_limit)
    return rescued


def orphaned(connection: Connection) -> dict[str, int]:
    """Workers that hold running runs though they ended, each with ``NO_BEATS``."""
    ended = ~select(processes.c.id).where(processes.c.id == runs.c.worker_id, processes.c.state.in_(ALIVE)).exists()
    held = select(runs.c.worker_id).where(runs.c.state == State.RUNNING, ended).distinct()
    return dict.fromkeys(connection.scalars(held), NO_BEATS)


def declare_gone_if_silent(
    connection: Connection, process_id: str, count: int, silence: float, crash_limit: int
) -> list[Rescued]:
    """Does nothing when the process has beaten since ``count`` was read."""
    if _beats_now(connection, process_id) != count:
        return []
    because = f"no sign of life for {silence:g} s"
    log.warning("Process %s is gone: %s.", process_id, because)
    below = select(processes.c.id).where(processes.c.supervisor_id == process_id, processes.c.state.in_(ALIVE))
    members = [process_id, *connection.scalars(below.order_by(processes.c.id))]
    return [run for each in members for run in fleet.declare_gone(connection, each, because, crash_limit)]


def _beats_now(connection: Connection, process_id: str) -> int:
    alive = select(processes.c.beats).where(processes.c.id == process_id, processes.c.state.in_(ALIVE))
    count = connection.scalar(alive.with_for_update())
    return NO_BEATS if count is None else count
