"""Slows down whoever tries passwords: a few wrong tries, then a wait. Kept in memory, bounded."""

import threading
import time
from collections import OrderedDict, deque
from math import ceil

MOST_ADDRESSES = 10_000


class Throttle:
    """After ``tries`` wrong tries within ``seconds``, an address waits until the oldest is that old."""

    def __init__(self, tries: int, seconds: float):
        self._tries, self._seconds = tries, seconds
        self._wrong: OrderedDict[str, deque[float]] = OrderedDict()
        self._lock = threading.Lock()

    def wait(self, address: str | None) -> int:
        """Seconds until the address may try again; 0 for now."""
        with self._lock:
            times = self._wrong.get(address or "", ())
            if len(times) < self._tries:
                return 0
            return max(0, ceil(times[0] + self._seconds - time.monotonic()))

    def note(self, address: str | None) -> None:
        """Counts a wrong try."""
        with self._lock:
            times = self._wrong.setdefault(address or "", deque(maxlen=self._tries))
            times.append(time.monotonic())
            self._wrong.move_to_end(address or "")
            if len(self._wrong) > MOST_ADDRESSES:
                self._wrong.popitem(last=False)
