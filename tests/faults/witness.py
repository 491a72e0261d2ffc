"""What job bodies really did, whatever any ledger says: one line per event, one O_APPEND write per line.

Times are nanoseconds of the monotonic clock, the same in all processes of a machine and out of reach for clock
faults. Needs only the standard library: bodies of every system under test write here.
"""

import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

VARIABLE = "WITNESS"


@dataclass(frozen=True, slots=True)
class Event:
    word: str  # start, end, or what else a body has to say
    key: str  # the client's name for the run
    run_id: str
    attempt: int
    pid: int
    at: int
    detail: str = "-"


def note(word: str, key: str, run_id: str, attempt: int, detail: str = "-") -> None:
    line = f"{word} {key} {run_id} {attempt} {os.getpid()} {time.monotonic_ns()} {detail}\n"
    file = os.open(os.environ[VARIABLE], os.O_APPEND | os.O_CREAT | os.O_WRONLY)
    os.write(file, line.encode())
    os.close(file)


def read(path: Path) -> list[Event]:
    """All events so far, in the order in which they were written."""
    lines = path.read_text().splitlines() if path.exists() else []
    return [event_of(line) for line in lines]


def keep(path: Path, wanted: Callable[[Event], bool]) -> None:
    """Forgets all other events. Nobody may be writing."""
    lines = path.read_text().splitlines(keepends=True)
    path.write_text("".join(line for line in lines if wanted(event_of(line.rstrip("\n")))))


def event_of(line: str) -> Event:
    word, key, run_id, attempt, pid, at, detail = line.split(" ", 6)
    return Event(word, key, run_id, int(attempt), int(pid), int(at), detail)
