"""Schedules whose tick has come: one thread fires them in small groups, each group in one transaction.

What comes meanwhile waits for the next group: the more falls due at once, the fewer commits there are. A group that
fails is done again one by one, and what somebody else holds is left for later: none waits for another.
"""

import logging
import threading
import time
from collections.abc import Callable, Iterable
from itertools import islice

from ledger import clock, schedules
from ledger.engine import Engine, without_waiting, writing
from ledger.errors import LedgerAway

log = logging.getLogger(__name__)

GROUP_LIMIT = 50
IDLE_SECONDS = 1.0
AGAIN_SECONDS = 60.0


class Due:
    """``fire`` is the turn of a loop, which ``wait`` wakes when something is added."""

    def __init__(self, engine: Engine, hint: Callable[[str, str, str], None]):
        self._engine, self._hint = engine, hint
        self._waiting: dict[str, None] = {}  # in order
        self._held: set[str] = set()
        self._broken: set[str] = set()
        self._tried_at = time.monotonic()
        self._size = GROUP_LIMIT
        self._changed = threading.Condition()
        self._version = 0

    def add(self, ids: Iterable[str] = ()) -> None:
        """With none it only wakes who waits."""
        with self._changed:
            self._waiting |= dict.fromkeys(ids)
            self._version += 1
            self._changed.notify_all()

    def try_again(self) -> None:
        """Adds those that somebody else held, and once in a while those that could not be fired for another reason."""
        again, self._held = self._held, set()
        if time.monotonic() - self._tried_at > AGAIN_SECONDS:
            self._tried_at = time.monotonic()
            again, self._broken = again | self._broken, set()
        if again:
            self.add(again)

    def wait(self, seen: int, timeout: float) -> int:
        """Blocks until something was added after ``seen``, or for ``timeout`` seconds; the newest version."""
        with self._changed:
            self._changed.wait_for(lambda: self._version != seen, timeout)
            return self._version

    def fire(self) -> float:
        """The next group; the seconds until there is more to do. Raises LedgerAway, and nothing is forgotten then."""
        group = self._take()
        try:
            self._fire(group)
        except LedgerAway:
            self._size = 1  # it may have no answer for one of them only
            self.add(group)
            raise
        self._size = min(2 * self._size, GROUP_LIMIT)
        return 0 if self._waiting else IDLE_SECONDS

    def _take(self) -> list[str]:
        with self._changed:
            group = list(islice(self._waiting, self._size))
            for each in group:
                del self._waiting[each]
        return group

    def _fire(self, group: list[str]) -> None:
        try:
            self._fire_together(group)
        except LedgerAway:
            raise
        except Exception:  # one broken schedule is no reason to stop the others
            if len(group) > 1:
                for each in group:
                    self._fire([each])
            else:
                log.exception("Schedule %s could not fire, it is tried again.", *group)
                self._broken.update(group)

    def _fire_together(self, group: list[str]) -> None:
        if not group:
            return
        with writing(self._engine) as connection:
            without_waiting(connection)
            fired, held = schedules.fire_all(connection, group, clock.now())
        self._held.update(held)
        for run in fired:
            log.info("Scheduled: run_id=%s job=%s queue=%s", run.run_id, run.job, run.queue)
            self._hint(run.run_id, run.job, run.queue)
