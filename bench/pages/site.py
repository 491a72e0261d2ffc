"""What is visited: a console with so many runs in its history, and a way to let more arrive."""

from abc import ABC, abstractmethod
from contextlib import ExitStack
from typing import ClassVar, Self

from bench.pages.visit import Visitor
from tests.servers import Process, Processes, free_port

#: Rows of a page of a list, everywhere; page 1,000 begins after so many pages.
ROWS = 50
FAR = 999
START_LIMIT = 900


class Site(ABC):
    """Subclasses say how history gets in, how the console starts, and which pages it has."""

    name: ClassVar[str]
    label: ClassVar[str]

    def __init__(self, runs: int):
        self.runs = runs
        self.port = free_port()

    def __enter__(self) -> Self:
        with ExitStack() as stack:
            self.processes = stack.enter_context(Processes())
            self.prepare(stack)
            self.console = self.start()
            self.console.wait_until(self.answers, START_LIMIT, "the console answers")
            self._stack = stack.pop_all()
        return self

    def __exit__(self, *error) -> None:
        self._stack.__exit__(*error)

    #: A page that answers when the console is ready.
    health: ClassVar[str] = "/"

    @abstractmethod
    def prepare(self, stack: ExitStack) -> None:
        """Servers and history; ``stack`` ends them."""

    @abstractmethod
    def start(self) -> Process:
        """The console itself, on ``port``."""

    @abstractmethod
    def pages(self) -> dict[str, list[str]]:
        """By name: the page's address, then those of the data it fetches itself. The same names everywhere."""

    @abstractmethod
    def arrivals(self, rate: int, seconds: int) -> Process:
        """A process that lets ``rate`` runs a second arrive, and ends by itself."""

    @property
    def pids(self) -> list[int]:
        return [self.console.pid]

    def answers(self) -> bool:
        try:
            return bool(Visitor(self.port).get(self.health))
        except (OSError, RuntimeError):
            return False

    def run_to_end(self, *command, limit: int) -> None:
        process = self.processes.python(*command)
        if process.wait(limit):
            raise RuntimeError(f"failed: {process}")
