"""What a worker process and one of its cells say to each other, over a pair of sockets: pickled, in order.

Both run the same code for the same person, so pickle opens no door that was shut.
"""

import threading
from dataclasses import dataclass
from multiprocessing.connection import Connection
from typing import Any

from ledger.claims import Claim
from ledger.finishing import Ending
from ledger.writer import GroupFunction


@dataclass(frozen=True, slots=True)
class Perform:
    """To a cell: run this now."""

    claim: Claim


@dataclass(frozen=True, slots=True)
class Stop:
    """To a cell: a person asked the run to stop (``error`` is None), or ``error`` is to be raised in its body."""

    error: type[BaseException] | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """To a cell: what a ``Call`` came to."""

    number: int
    value: Any = None
    error: BaseException | None = None


@dataclass(frozen=True, slots=True)
class Ready:
    """From a cell: the job modules are imported."""


@dataclass(frozen=True, slots=True)
class Started:
    """From a cell: the body starts now. Until this was heard, it has not."""


@dataclass(frozen=True, slots=True)
class Submit:
    """From a cell: let your writer do this; nobody waits for it."""

    act: GroupFunction
    request: Any


@dataclass(frozen=True, slots=True)
class Call:
    """From a cell: let your writer do this, and answer when it is committed."""

    number: int
    act: GroupFunction
    request: Any


@dataclass(frozen=True, slots=True)
class Hint:
    """From a cell: a new run waits in a queue."""

    run_id: str
    job: str
    queue: str


@dataclass(frozen=True, slots=True)
class Done:
    """From a cell: the attempt has ended, and the cell is free."""

    ending: Ending


class Channel:
    """One end. ``say`` from any thread, ``hear`` from one; EOFError or OSError when the other end is gone."""

    def __init__(self, connection: Connection):
        self._connection = connection
        self._speaking = threading.Lock()

    def say(self, message: Any) -> None:
        with self._speaking:
            self._connection.send(message)

    def hear(self, timeout: float | None = None) -> Any:
        """The next message. TimeoutError when none came for ``timeout`` seconds."""
        if timeout is not None and not self._connection.poll(timeout):
            raise TimeoutError
        return self._connection.recv()

    def close(self) -> None:
        self._connection.close()
