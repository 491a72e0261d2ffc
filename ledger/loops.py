"""Threads that do one thing again and again, and never die silently."""

import logging
import threading
import time
from collections.abc import Callable

from ledger.errors import LedgerAway

log = logging.getLogger(__name__)

AFTER_FAULT_SECONDS = 1.0
SLICE_SECONDS = 1.0  # a loop that only waits shows that it lives so often
SHORTEST_PAUSE_SECONDS = 0.02  # news may come by the thousand; fifty rounds a second are enough
STALLED_SECONDS = 30.0


class Loop(threading.Thread):
    """Calls ``act``, which answers how many seconds it can wait, until ``stop`` is set.

    With a ``wait`` like ``Watch.wait``, news end a pause early, but not before ``shortest`` seconds. A fault is
    logged and the turn repeated; a turn that failed for another reason than the ledger does not count as one,
    so that a loop which only fails is found ``stalled`` after ``patience`` seconds.
    """

    def __init__(
        self,
        name: str,
        act: Callable[[], float],
        stop: threading.Event,
        wait: Callable[[int, float], int] | None = None,
        shortest: float = SHORTEST_PAUSE_SECONDS,
        patience: float = STALLED_SECONDS,
    ):
        super().__init__(name=name, daemon=True)
        self._act, self._stopping, self._wait = act, stop, wait
        self._seen = 0
        self._shortest, self._patience = shortest, patience
        self._ledger_away = self._failing = False
        self.turned()

    def turned(self) -> None:
        """Notes that it lives."""
        self._turned_at = time.monotonic()

    @property
    def stalled(self) -> bool:
        return not self.is_alive() or time.monotonic() - self._turned_at > self._patience

    def run(self) -> None:
        while not self._stopping.is_set():
            self._pause(self._turn())

    def _turn(self) -> float:
        try:
            seconds = self._act()
        except LedgerAway as error:
            self._note_away(error)
            seconds = AFTER_FAULT_SECONDS
        except Exception:
            log.exception("The loop %s failed; it tries again.", self.name)
            self._failing = True
            return AFTER_FAULT_SECONDS
        else:
            self._note_back()
        self._failing = False
        self.turned()
        return seconds

    def _note_away(self, error: LedgerAway) -> None:
        if not self._ledger_away:
            log.warning("The loop %s waits: %s", self.name, error)
        self._ledger_away = True

    def _note_back(self) -> None:
        if self._ledger_away:
            log.info("The loop %s goes on: the ledger answers.", self.name)
        self._ledger_away = False

    def _pause(self, seconds: float) -> None:
        until = time.monotonic() + max(seconds, self._shortest)
        self._stopping.wait(self._shortest)
        while (rest := until - time.monotonic()) > 0 and not self._stopping.is_set():
            if self._news_or_timeout(min(rest, SLICE_SECONDS)):
                return
            if not self._failing:
                self.turned()

    def _news_or_timeout(self, seconds: float) -> bool:
        if self._wait is None:
            self._stopping.wait(seconds)
            return False
        before, self._seen = self._seen, self._wait(self._seen, seconds)
        return self._seen != before


class Guard:
    """Says which loops have stalled; forgives them all when it was itself held up, as the whole process was."""

    def __init__(self, loops: list[Loop], patience: float = 5.0):
        self._loops, self._patience = loops, patience
        self._looked_at = time.monotonic()

    def stalled(self) -> list[str]:
        now = time.monotonic()
        if now - self._looked_at > self._patience:
            for loop in self._loops:
                loop.turned()
        self._looked_at = now
        return [loop.name for loop in self._loops if loop.stalled]
