"""What the checker judges: the ledger's rows at the end, the witness, and what the client was told.

Reads the ledger by plain SQL, and nothing of Waybill's own code.
"""

import threading
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, create_engine, text
from sqlalchemy.exc import SQLAlchemyError

from tests.faults import witness
from tests.faults.client import Sent
from tests.faults.witness import Event

TABLES = ("runs", "attempts", "processes", "schedules", "ticks", "rejected")
ENDED = """
    SELECT id, state, attempt, finished_at, result, error_type, error
    FROM runs WHERE state NOT IN ('queued', 'running')
"""
#: Attempts that exceptions may use up, by job, as the jobs' own options say.
TRIES = {"mark": 1, "flaky": 4, "later": 2, "newer": 1, "limited": 1}
GIVEN_UP = ("lost", "interrupted")
LOOK_SECONDS = 0.5


@dataclass
class History:
    runs: list[Any] = field(default_factory=list)
    attempts: list[Any] = field(default_factory=list)
    processes: list[Any] = field(default_factory=list)
    schedules: list[Any] = field(default_factory=list)
    ticks: list[Any] = field(default_factory=list)
    rejected: list[Any] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)
    sent: list[Sent] = field(default_factory=list)
    ended: dict[str, tuple] = field(default_factory=dict)  # each terminal row as it was first seen
    messages_left: int = 0
    files: dict[str, tuple[int, int]] = field(default_factory=dict)  # open files of a process: before and after
    heal_seconds: float | None = None  # from the end of the fault until latency was normal again
    crash_limit: int = 3
    tries: dict[str, int] = field(default_factory=lambda: dict(TRIES))

    @property
    def given_up(self) -> list[Any]:
        """Attempts that were taken from their worker."""
        return [row for row in self.attempts if row.outcome in GIVEN_UP]

    @property
    def starts(self) -> list[Event]:
        return [event for event in self.events if event.word == "start"]


def read(engine: Engine, **more: Any) -> History:
    with engine.connect() as connection:
        tables = {name: list(connection.execute(text(f"SELECT * FROM {name}"))) for name in TABLES}
    return History(**tables, **more)


class Observer(threading.Thread):
    """Notes every terminal row when it is first seen, so that a later change shows."""

    def __init__(self, url: str):
        super().__init__(name="observer", daemon=True)
        self._engine = create_engine(url, pool_size=1)
        self._stopping = threading.Event()
        self.seen: dict[str, tuple] = {}

    def run(self) -> None:
        while not self._stopping.wait(LOOK_SECONDS):
            self.look()

    def look(self) -> None:
        try:
            with self._engine.connect() as connection:
                self.note(tuple(row) for row in connection.execute(text(ENDED)))
        except SQLAlchemyError:
            return  # away, as faults have it

    def note(self, rows: Iterable[tuple]) -> None:
        for row in rows:
            self.seen.setdefault(row[0], row)

    def close(self) -> None:
        self._stopping.set()
        self.join(timeout=10)
        self._engine.dispose()


def events(path: Path) -> list[Event]:
    return witness.read(path)
