"""A scheduler that is measured: how it gets its schedules, how it starts, and when others can see what it made."""

import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable
from contextlib import ExitStack
from dataclasses import dataclass
from statistics import quantiles
from typing import ClassVar, Self

from bench.ticks.load import SECOND, Load
from bench.usage import cpu_seconds, memory
from tests.servers import Process, Processes

BUSY = 0.5  # of the last second before
UNSETTLED = "it was not ready in time: more --settle is needed"
LATEST = 60  # seconds after the measured time, for ticks that are that late


@dataclass(frozen=True, slots=True)
class Punctuality:
    """``p50``, ``p99`` and ``most`` are milliseconds from a nominal time to when its run could be seen; ``cpu`` is
    the part of one core; ``memory`` the most megabytes."""

    due: int
    made: int
    p50: float
    p99: float
    most: float
    cpu: float
    memory: float


class Timekeeper(ABC):
    name: ClassVar[str]
    label: ClassVar[str]

    def __init__(self, make_load: Callable[[], Load]):
        self._make_load = make_load

    def __enter__(self) -> Self:
        with ExitStack() as stack:
            self.processes = stack.enter_context(Processes())
            self.prepare(stack)
            self.load = self._make_load()  # not before, for servers take their time to start
            self.process = self.start()
            if time.time() * SECOND > self.load.starts:
                raise RuntimeError(UNSETTLED)
            self._stack = stack.pop_all()
        return self

    def __exit__(self, *error) -> None:
        self._stack.__exit__(*error)

    @abstractmethod
    def prepare(self, stack: ExitStack) -> None:
        """Servers; ``stack`` ends them."""

    @abstractmethod
    def start(self) -> Process:
        """The scheduler itself, as its users start it, with the schedules of ``load``."""

    @abstractmethod
    def seen(self) -> Iterable[int]:
        """Numbers of the schedules that others can see to have fired since the last call. Blocks for a moment."""

    def measure(self) -> Punctuality:
        due, late = self.load.due(), {}
        begins, ends = self.load.starts / SECOND, self.load.ends / SECOND
        self._settle(begins)
        before = cpu_seconds([self.process.pid])
        self._note(late, due, lambda: time.time() < ends)
        cpu = (cpu_seconds([self.process.pid]) - before) / (time.time() - begins)
        self._note(late, due, lambda: len(late) < len(due) and time.time() < ends + LATEST)
        if not self.process.running:
            raise RuntimeError(f"it ended: {self.process}")
        return Punctuality(len(due), len(late), *figures(late), cpu, memory([self.process.pid], "VmHWM"))

    def _settle(self, begins: float) -> None:
        """Until then; what still takes over its schedules would be measured for something else."""
        time.sleep(max(0.0, begins - 1 - time.time()))
        before = cpu_seconds([self.process.pid])
        time.sleep(max(0.0, begins - time.time()))
        if cpu_seconds([self.process.pid]) - before > BUSY:
            raise RuntimeError(UNSETTLED)

    def _note(self, late: dict[int, float], due: dict[int, int], goes_on: Callable[[], bool]) -> None:
        """Milliseconds by number, of those that are seen while it ``goes_on``."""
        while goes_on():
            for number in self.seen():
                if number in due:
                    late.setdefault(number, (time.time() * SECOND - due[number]) / 1_000)


def figures(late: dict[int, float]) -> tuple[float, float, float]:
    """The middle one, the 99th of a hundred, the worst."""
    cuts = quantiles(late.values(), n=100, method="inclusive")
    return cuts[49], cuts[98], max(late.values())
