"""How each system is started, with two processes of four slots, and who restarts what it does not restart itself."""

import sys
import threading
from typing import ClassVar

from tests.processes import Process, Processes

PACKAGE = "tests.faults.peers"


class System:
    """``commands`` are started together; one that ends is started again a second later, as a service manager does."""

    name: ClassVar[str]
    module: ClassVar[str]
    commands: ClassVar[tuple[tuple[str, ...], ...]]

    def __init__(self, processes: Processes):
        self.processes = processes
        self.running: list[Process] = []
        self._stopping = threading.Event()
        self._manager = threading.Thread(target=self._manage, name="service-manager", daemon=True)

    def start(self) -> None:
        self.running = [self._start(command) for command in self.commands]
        self._manager.start()

    def close(self) -> None:
        self._stopping.set()
        self._manager.join(timeout=10)

    def children(self) -> list[int]:
        """Processes that run bodies, or lead those that do."""
        return [child for process in self.running if process.running for child in process.children]

    def _start(self, command: tuple[str, ...]) -> Process:
        return self.processes.start(sys.executable, *command, name=self.name)

    def _manage(self) -> None:
        while not self._stopping.wait(1):
            for place, process in enumerate(self.running):
                if not process.running:
                    process.kill()  # and what it may have left behind
                    self.running[place] = self._start(self.commands[place])


class Waybill(System):
    name = "Waybill"
    module = f"{PACKAGE}.waybill_jobs"
    commands = (("-m", "workers", "--processes", "2", "--threads", "4"), ("-m", "scheduler"))


class Dramatiq(System):
    name = "Dramatiq"
    module = f"{PACKAGE}.dramatiq_jobs"
    commands = (("-m", "dramatiq", module, "--processes", "2", "--threads", "4"),)


class Celery(System):
    name = "Celery, acks_late"
    module = f"{PACKAGE}.celery_jobs"
    commands = (("-m", "celery", "-A", module, "worker", "--concurrency", "8", "--loglevel", "INFO"),)


SYSTEMS = (Waybill, Dramatiq, Celery)
