"""Which claimed runs have begun, in memory that outlives a worker process that is killed.

The worker notes a run before its body starts and forgets it when the ledger has its ending; its supervisor, which holds
the same memory, reads what stands there when the worker is dead. A claim that never began is then no crash of its run.
"""

import mmap
import os
import tempfile
import threading

PLACE = 64  # bytes for one run
ID = 36  # of which its id takes so many
PLACES_PER_SLOT = 16  # bodies that run, and endings that wait for the ledger while it is away
UNKNOWN = b"!"  # first byte: more runs were at work than there are places, so nothing here is known


class Beginnings:
    """``size`` bytes behind the file descriptor ``fd``: a header, then one place per run."""

    def __init__(self, fd: int):
        self.fd = fd
        self._memory = mmap.mmap(fd, os.fstat(fd).st_size)
        self._free = list(range(PLACE, len(self._memory), PLACE))
        self._taken: dict[tuple[str, str], int] = {}
        self._lock = threading.Lock()

    @classmethod
    def of_slots(cls, slots: int) -> "Beginnings":
        with tempfile.TemporaryFile() as file:
            file.truncate(PLACE * (1 + PLACES_PER_SLOT * slots))
            return cls(os.dup(file.fileno()))

    def note(self, key: tuple[str, str]) -> None:
        with self._lock:
            if not self._free:
                self._memory[:1] = UNKNOWN
                return
            place = self._taken[key] = self._free.pop()
            self._memory[place : place + ID] = key[0].encode()

    def forget(self, key: tuple[str, str]) -> None:
        with self._lock:
            if (place := self._taken.pop(key, None)) is not None:
                self._memory[place : place + ID] = bytes(ID)
                self._free.append(place)

    def begun(self) -> frozenset[str] | None:
        """Ids of the runs whose body may have started; None when that is not known."""
        if self._memory[:1] == UNKNOWN:
            return None
        places = range(PLACE, len(self._memory), PLACE)
        found = (self._memory[place : place + ID] for place in places)
        return frozenset(text.decode() for text in found if any(text))

    def close(self) -> None:
        self._memory.close()
        os.close(self.fd)
