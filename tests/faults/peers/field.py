"""Where a fault meets one of the systems: its processes, a sender, RabbitMQ through a proxy, and the witness."""

import subprocess
import sys
import threading
import time
from collections import Counter
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any, Self

from tests.faults import witness
from tests.faults.ground import Ground
from tests.faults.peers.body import DIE_AT
from tests.faults.peers.systems import System
from tests.faults.proxy import Proxy
from tests.processes import ROOT, Processes, bare_environment, wait_until

QUIET_SECONDS = 75  # nothing happened for so long: what is not done by now is lost
STEP = 0.05


@dataclass(frozen=True, slots=True)
class Answer:
    key: str
    seconds: float
    error: str  # "-": accepted


class PeerField:
    def __init__(self, ground: Ground, system: type[System], runs: int, short: bool, die_at: str = ""):
        self.ground, self.kind, self.runs, self.short, self.die_at = ground, system, runs, short, die_at
        self.sent: list[str] = []
        self.answers: list[Answer] = []

    def __enter__(self) -> Self:
        with ExitStack() as stack:
            node = self.ground.clean_rabbitmq()
            self.proxy = stack.enter_context(Proxy(node.port))
            self.processes = stack.enter_context(Processes())
            self.processes.environment |= self._environment(node)
            self.system = self.kind(self.processes)
            stack.callback(self.system.close)
            self.system.start()
            self._start_sender()
            stack.callback(self._stop_sender)
            self._wait_until_up()
            self._stack = stack.pop_all()
        return self

    def __exit__(self, *error) -> None:
        self._stack.__exit__(*error)

    def _environment(self, node) -> dict[str, Any]:
        self.witness = self.processes.folder / "witness"
        self.witness.touch()
        return {
            "BROKER_URL": node.url.replace(f":{node.port}/", f":{self.proxy.port}/"), "WITNESS": self.witness,
            "DATABASE_URL": self.ground.postgresql.create_database(), "JOBS": self.kind.module, DIE_AT: self.die_at,
        }  # fmt: skip

    def _start_sender(self) -> None:
        command = [sys.executable, "-m", "tests.faults.peers.send", self.kind.module]
        own = {name: str(value) for name, value in self.processes.environment.items()}
        log = (self.processes.folder / "send.log").open("wb")
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": log, "text": True}
        self._sender = subprocess.Popen(command, env=bare_environment() | own, cwd=ROOT, **pipes)
        threading.Thread(target=self._listen, name="answers", daemon=True).start()

    def _stop_sender(self) -> None:
        self._sender.kill()
        self._sender.wait()

    def _listen(self) -> None:
        for line in self._sender.stdout:
            if line.strip() != "ready":
                key, seconds, error = line.split()
                self.answers.append(Answer(key, float(seconds), error))

    def _wait_until_up(self) -> None:
        """A job came all the way through. Sent again and again: the queue may not be there yet."""
        numbers = iter(range(1000))

        def through() -> bool:
            self.send(f"warm-{next(numbers)}")
            time.sleep(1)
            return any(event.word == "end" for event in self.events())

        wait_until(through, 90, f"{self.kind.name} runs jobs")

    def seconds(self, full: float) -> float:
        return max(full / 10, 3) if self.short else full

    def send(self, key: str, seconds: float = 0.0) -> None:
        self.sent.append(key)
        self._sender.stdin.write(f"{key} {seconds}\n")
        self._sender.stdin.flush()

    def load(self, per_second: float = 25, seconds: float = 0.02) -> threading.Thread:
        """Sends ``runs`` jobs at a steady pace, in a thread."""

        def post() -> None:
            for number in range(self.runs):
                self.send(f"load-{number}", seconds)
                time.sleep(1 / per_second)

        thread = threading.Thread(target=post, name="load", daemon=True)
        thread.start()
        return thread

    def events(self) -> list[witness.Event]:
        return witness.read(self.witness)

    def wait_for(self, word: str, key: str, timeout: float = 60) -> witness.Event:
        found = lambda: next((e for e in self.events() if (e.word, e.key) == (word, key)), None)  # noqa: E731
        return wait_until(found, timeout, f"{word} of {key}")

    def pause(self, seconds: float) -> None:
        time.sleep(seconds)

    def settle(self) -> None:
        """Until every send was answered and every accepted job has ended, or nothing happened for long."""
        size, since = -1, time.monotonic()
        while time.monotonic() - since < QUIET_SECONDS and not self._is_done():
            if (now := self.witness.stat().st_size + len(self.answers)) != size:
                size, since = now, time.monotonic()
            time.sleep(STEP)
        time.sleep(2)  # a second delivery may be on its way

    def _is_done(self) -> bool:
        return len(self.answers) == len(self.sent) and not self.lost()

    def lost(self) -> list[str]:
        """Accepted, and never run to its end."""
        ended = {event.key for event in self.events() if event.word == "end"}
        return [answer.key for answer in self.answers if answer.error == "-" and answer.key not in ended]

    def ended_twice(self) -> list[str]:
        ends = Counter(event.key for event in self.events() if event.word == "end")
        return [key for key, count in ends.items() if count > 1]

    def started_twice(self) -> list[str]:
        starts = Counter(event.key for event in self.events() if event.word == "start")
        return [key for key, count in starts.items() if count > 1]

    def refused(self) -> list[Answer]:
        return [answer for answer in self.answers if answer.error != "-"]
