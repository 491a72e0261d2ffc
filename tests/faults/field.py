"""Where one fault is done once: a ledger of its own, Waybill's processes on it, a client, and what they left."""

import os
import random
import signal
import time
from collections.abc import Callable
from contextlib import ExitStack
from typing import Any, Self

from tests.faults import ground, history, witness
from tests.faults.checker import key_of
from tests.faults.client import Client, Load, Sent
from tests.faults.disk import small_disk
from tests.faults.ground import Ground
from tests.faults.history import History, Observer
from tests.faults.proxy import Proxy
from tests.faults.work import LEDGER
from tests.processes import Process, Processes, is_running
from tests.stack import Stack

BOOT_SECONDS = 60
SETTLE_SECONDS = 90
NORMAL_SECONDS = 1.0  # from a form to its start, on a quiet system
LEASE_SECONDS = 6  # without a beat; Waybill's own 30 would only make each fault longer


class Field:
    """Entered for one run of one fault. ``on`` is sqlite (embedded broker) or postgresql (with RabbitMQ)."""

    def __init__(
        self, ground: Ground, on: str, seed: str, runs: int, short: bool, proxied: tuple[str, ...] = (), disk: str = ""
    ):
        self.ground, self.on, self.runs, self.short = ground, on, runs, short
        self.chance = random.Random(seed)
        self._proxied, self._disk_size = proxied, disk
        self.proxies: dict[str, Proxy] = {}
        self.environment: dict[str, Any] = {}
        self.supervisors: list[Process] = []
        self.schedulers: list[Process] = []
        self.web: Process | None = None
        self.healed_at: float | None = None
        self.heal_seconds: float | None = None

    def __enter__(self) -> Self:
        with ExitStack() as stack:
            self.processes = stack.enter_context(Processes())
            self.disk = self.processes.folder
            if self._disk_size:
                self.disk = stack.enter_context(small_disk(self.disk / "disk", self._disk_size))
            self.stack = self._make_stack()
            stack.callback(self.stack.engine.dispose)
            self._stand_in_front(stack)
            self.processes.environment[LEDGER] = self.database_url
            self.client = Client(f"http://127.0.0.1:{self.processes.environment['PORT']}")
            self.observe()
            stack.callback(lambda: self.observer.close())
            self._stack = stack.pop_all()
        return self

    def __exit__(self, *error) -> None:
        self._stack.__exit__(*error)

    def _make_stack(self) -> Stack:
        self.database_url, self.broker_url = f"sqlite:///{self.disk / 'ledger.db'}", ""
        if self.on == "postgresql":
            self.database_url = self.ground.postgresql.create_database()
            self.broker_url = self.ground.clean_rabbitmq().url
        return Stack(self.processes, self.database_url, self.broker_url, "tests.faults.jobs")

    def _stand_in_front(self, stack: ExitStack) -> None:
        """Waybill's processes speak through proxies to the servers that the fault wants to cut off."""
        servers = {"rabbitmq": "BROKER_URL", "postgresql": "DATABASE_URL"} if self.on == "postgresql" else {}
        for name in set(self._proxied) & set(servers):
            server = getattr(self.ground, name)
            self.proxies[name] = proxy = stack.enter_context(Proxy(server.port))
            variable = servers[name]
            url = str(self.processes.environment[variable])
            self.processes.environment[variable] = url.replace(f":{server.port}/", f":{proxy.port}/")

    def seconds(self, full: float) -> float:
        """How long the fault lasts: as written, or a tenth of it in the short form."""
        return max(full / 10, 3) if self.short else full

    # Starting and stopping Waybill's processes

    def start_workers(self, processes: int = 2, threads: int = 4, **environment: Any) -> Process:
        count = ("--processes", processes, "--threads", threads)
        started = self.processes.python("-m", "workers", *count, name="workers", **self.environment | environment)
        self.supervisors.append(started)
        return started

    def start_scheduler(self, **environment: Any) -> Process:
        silence = ("--silence", LEASE_SECONDS)
        started = self.processes.python("scheduler.py", *silence, name="scheduler", **self.environment | environment)
        self.schedulers.append(started)
        return started

    def start_web(self, **environment: Any) -> Process:
        self.web = self.processes.python("-m", "web", name="web", **self.environment | environment)
        return self.web

    def observe(self) -> None:
        """From now on: terminal rows that were seen before count no more."""
        self.observer = Observer(self.database_url)
        self.observer.start()

    def stop_workers(self) -> None:
        for supervisor in self.supervisors:
            supervisor.stop()
        self.supervisors.clear()

    def stop_all(self) -> None:
        self.stop_workers()
        for process in (*self.schedulers, self.web):
            process.stop()
        self.schedulers.clear()

    def close_ledger(self) -> None:
        """The harness itself lets go of it, until it reads it again; nobody observes meanwhile."""
        self.observer.close()
        self.stack.engine.dispose()

    def wait_until_up(self, workers: int) -> None:
        """All that was started is there and the client has its session."""
        self.wait(lambda: self.ready() >= workers, BOOT_SECONDS, "the workers are ready")
        self.wait(lambda: self.stack.alive("scheduler") >= len(self.schedulers), BOOT_SECONDS, "schedulers are up")
        if self.web is not None:
            self.wait(self.site_is_up, BOOT_SECONDS, "the site answers")
            self.client.open()
        self._files = {process: open_files(process) for process in self.living()}

    def ready(self) -> int:
        """Workers that are alive, and are not as a restored ledger has them: left over from its past."""
        pids = {row.pid for row in self.stack.rows("SELECT pid FROM processes WHERE state = 'alive'")}
        return len(pids & set(self.children()))

    def site_is_up(self) -> bool:
        import httpx

        try:
            return httpx.get(f"{self.client.url}/readyz", timeout=5).status_code == 200
        except httpx.HTTPError:
            return False

    def children(self) -> list[int]:
        """Process ids of all worker children."""
        return [pid for supervisor in self.supervisors if supervisor.running for pid in supervisor.children]

    def living(self) -> list[int]:
        own = [process for process in (self.web, *self.schedulers) if process is not None and process.running]
        return [process.pid for process in own] + self.children()

    # Load and what becomes of it

    def load(self, count: int | None = None, per_second: float = 50, seconds: float = 0.05) -> Load:
        started = Load(self.client, self.chance, count or self.runs, per_second, seconds)
        started.start()
        return started

    def post(self, job: str, key: str, **arguments: Any) -> Sent:
        return self.client.post(job, key, **arguments)

    def post_until(self, condition: Callable[[], Any], job: str = "mark", timeout: float = 40) -> None:
        """Posts one form after the other until ``condition`` holds."""
        deadline, number = time.monotonic() + timeout, 0
        while not condition() and time.monotonic() < deadline:
            number += 1
            self.post(job, f"{job}-until-{number}-{self.chance.getrandbits(32)}")
            time.sleep(0.05)
        self.wait(condition, 10, "what forms were posted for")

    def wait(self, condition: Callable[[], Any], timeout: float, message: str) -> Any:
        return self.processes.wait_until(condition, timeout, message)

    def wait_for_event(self, word: str, key: str, count: int = 1, timeout: float = 30) -> list[witness.Event]:
        def found() -> list[witness.Event]:
            events = [event for event in self.events() if (event.word, event.key) == (word, key)]
            return events if len(events) >= count else []

        return self.wait(found, timeout, f"{count} × {word} of {key}")

    def pause(self, seconds: float, until: Callable[[], Any] = lambda: False) -> None:
        """Lets a fault last; ends early when there is nothing left to wait for."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline and not until():
            time.sleep(0.05)

    def events(self) -> list[witness.Event]:
        return witness.read(self.stack.witness)

    def starts(self, key: str) -> int:
        return sum((event.word, event.key) == ("start", key) for event in self.events())

    def run_of(self, key: str) -> Any:
        """The row of the run that the client calls so; None when there is none."""
        return next((row for row in self.stack.rows("SELECT * FROM runs") if key_of(row) == key), None)

    def note_healed(self) -> None:
        self.healed_at = time.monotonic()

    def measure_recovery(self, limit: float = 45) -> None:
        """Sends one form after the other until three in a row start in normal time."""
        good = number = 0
        while good < 3 and time.monotonic() - self.healed_at < limit:
            number += 1
            sent = self.client.post("mark", f"probe-{number}")
            self.pause(2, until=lambda key=sent.key: self.starts(key))
            started = [event.at for event in self.events() if (event.word, event.key) == ("start", sent.key)]
            good = good + 1 if started and (started[0] - sent.at) / 1e9 <= NORMAL_SECONDS else 0
            if not good:
                time.sleep(0.2)
        self.heal_seconds = time.monotonic() - self.healed_at if good == 3 else float("inf")

    def is_settled(self) -> bool:
        return not self.stack.ask("SELECT count(*) FROM runs WHERE state IN ('queued', 'running')")

    def settle(self, timeout: float = SETTLE_SECONDS) -> None:
        """Until all runs have ended. What has not by then is the checker's to tell."""
        self.pause(timeout, until=self.is_settled)
        if self.broker_url:
            self.pause(15, until=lambda: ground.waiting(self.broker_url) == 0)

    def history(self) -> History:
        self.observer.look()
        files = {f"process {pid}": (count, open_files(pid)) for pid, count in self._files.items() if is_running(pid)}
        return history.read(
            self.stack.engine, events=self.events(), sent=list(self.client.sent), ended=dict(self.observer.seen),
            messages_left=ground.waiting(self.broker_url) if self.broker_url else 0,
            files={name: pair for name, pair in files.items() if pair[1]}, heal_seconds=self.heal_seconds,
        )  # fmt: skip

    def once(self, step: str, turn: int = 1, action: str = "kill") -> dict[str, str]:
        """The setting by which one process fails at ``step``; ``failed`` tells when."""
        self._once = self.processes.folder / f"once-{step}-{action}"
        return {"WAYBILL_FAIL_AT": f"{step}:{action}:{turn}:{self._once}"}

    def failed(self) -> bool:
        return self._once.exists()

    def wait_for_failure(self, timeout: float = 40) -> None:
        self.wait(self.failed, timeout, f"{self._once.name} was reached")


def open_files(pid: int) -> int:
    try:
        return len(os.listdir(f"/proc/{pid}/fd"))
    except OSError:
        return 0


def kill(pid: int, number: int = signal.SIGKILL) -> None:
    os.kill(pid, number)

