"""Keeps worker processes running: starts them, sees them die, rescues their runs, stops them in order.

Runs no job code, so no job can make it late: its beats in the ledger are beats of the machine. It is the only
process that reacts to signals; children have process groups of their own and listen to their pipe.
"""

import logging
import signal
import subprocess
import sys
import threading
import time
from dataclasses import dataclass, field
from functools import partial

from ledger import fleet
from ledger.engine import Engine, is_prepared, reading, writing
from ledger.errors import LedgerAway
from ledger.ids import new_id
from ledger.settings import Settings
from workers import memory, ties
from workers.beginnings import Beginnings
from workers.ties import EXIT_RECYCLED

log = logging.getLogger("workers.supervisor")

BEAT_SECONDS = 5.0
BEAT_AGAIN_SECONDS = 1.0  # after one that did not reach the ledger
ASK_SECONDS = 1.0  # how often the ledger is asked who is to drain
LOOK_SECONDS = 0.05
FIRST_RESTART_SECONDS, LONGEST_RESTART_SECONDS = 0.1, 10.0
STEADY_SECONDS = 10.0  # a child that lived so long is restarted at once
LAST_SECONDS = 3.0  # from the order to interrupt to SIGKILL


@dataclass
class Child:
    id: str
    process: subprocess.Popen
    beginnings: Beginnings
    started_at: float = field(default_factory=time.monotonic)
    drains: bool = False  # a person asked for it: no other takes its place
    ended_because: str = ""

    def is_gone(self) -> bool:
        """Whether it has ended, and all that it started with it: a cell, or a program that a job ran, is killed.

        Its runs may start again only then.
        """
        return ties.has_ended(self.process.pid) and ties.kill_session(self.process.pid)

    def order(self, word: str) -> None:
        try:
            self.process.stdin.write(word + "\n")
            self.process.stdin.flush()
        except (BrokenPipeError, ValueError):
            log.debug("Worker %d did not hear %r: it has ended.", self.process.pid, word)


class Supervisor:
    def __init__(self, settings: Settings, engine: Engine, processes: int, threads: int, queues: str):
        self.settings, self.engine = settings, engine
        self.threads, self.queues = threads, queues
        self.process = fleet.NewProcess(kind="supervisor")
        self.children: list[Child | None] = [None] * processes
        self.restart_at = [0.0] * processes
        self.pauses = [FIRST_RESTART_SECONDS] * processes
        self.unburied: list[Child] = []
        self.signals = 0
        self.interrupt_at: float | None = None
        self.kill_at: float | None = None
        self.drained: set[int] = set()  # slots whose worker a person drained
        self.drains = False  # a person drained all of us
        self.beaten_at = self.asked_at = time.monotonic()

    def run(self) -> int:
        """Until a signal and the last child's end; 0."""
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGQUIT):
            signal.signal(number, lambda *_: self._count_signal())
        wake = threading.Event()
        if not self._sign_on(wake):
            return 0
        while not self._done():
            self._look()
            wake.wait(LOOK_SECONDS)
        self._tell(lambda connection: fleet.stop(connection, self.process.id))
        return 0

    def _sign_on(self, wake: threading.Event) -> bool:
        """Waits for the ledger and its tables, as after a boot; False when a signal came first.

        A process that ends because its database starts later than it is one that service managers give up.
        """
        said = ""
        while not self.signals:
            if not (because := self._why_not_registered()):
                return True
            if because != said:
                log.warning("Waiting for the ledger: %s", because)
            said = because
            wake.wait(ASK_SECONDS)
        return False

    def _why_not_registered(self) -> str:
        """Registers; the reason why that could not be done, or nothing."""
        try:
            with reading(self.engine) as connection:
                if not is_prepared(connection):
                    return "it has no tables yet; `python -m ledger` or the scheduler makes them"
            fleet.register(self.engine, self.process)
        except LedgerAway as error:
            return str(error)
        return ""

    def _count_signal(self) -> None:
        self.signals += 1

    def _done(self) -> bool:
        return self.signals > 0 and not any(self.children) and self.interrupt_at is not None

    def _look(self) -> None:
        for slot, child in enumerate(self.children):
            if child is not None and child.is_gone():
                self._bury(slot, child, child.process.wait())
        self._rescue()
        if time.monotonic() - self.asked_at >= ASK_SECONDS:
            self.asked_at = time.monotonic()
            self._drain_whom_a_person_chose()
        self._stop_or_start()
        if time.monotonic() - self.beaten_at >= BEAT_SECONDS:
            self.beaten_at = time.monotonic()
            self._beat()

    def _bury(self, slot: int, child: Child, code: int) -> None:
        self.children[slot] = None
        child.process.stdin.close()
        if child.drains:
            self.drained.add(slot)
        if code == EXIT_RECYCLED:
            log.warning("Worker %d was replaced.", child.process.pid)
            self._mourn(child, "it was replaced")
            self.restart_at[slot] = time.monotonic()
            return
        because = f"killed by {ties.signal_name(-code)}" if code < 0 else f"ended with exit code {code}"
        if code == 0 and (self.signals or child.drains):
            child.beginnings.close()
            return
        log.error("Worker %d was %s.", child.process.pid, because)
        self._mourn(child, because)
        steady = time.monotonic() - child.started_at > STEADY_SECONDS
        self.pauses[slot] = FIRST_RESTART_SECONDS if steady else min(self.pauses[slot] * 2, LONGEST_RESTART_SECONDS)
        self.restart_at[slot] = time.monotonic() + (0 if steady else self.pauses[slot])

    def _mourn(self, child: Child, because: str) -> None:
        child.ended_because = because
        self.unburied.append(child)

    def _rescue(self) -> None:
        """Gives the runs of dead children back at once; keeps trying while the ledger is away."""
        for child in list(self.unburied):
            gone = {"because": child.ended_because, "begun": child.beginnings.begun()}
            limit = self.settings.crash_limit
            rescued = self._tell(partial(fleet.declare_gone, process_id=child.id, crash_limit=limit, **gone))
            if rescued is None:
                return
            self.unburied.remove(child)
            child.beginnings.close()
            for run in rescued:
                log.warning("Run rescued from a dead worker: run_id=%s job=%s state=%s", run.run_id, run.job, run.state)

    def _drain_whom_a_person_chose(self) -> None:
        """The ledger lets them claim nothing any more; here they learn to leave when their last run has ended.

        We ourselves stay, with no worker: who keeps processes running would only start us again, or stop the site.
        """
        try:
            with reading(self.engine) as connection:
                asked = fleet.asked_to_drain(connection, self.process.id)
        except LedgerAway as error:
            log.warning("It cannot be seen now who is to drain: %s", error)
            return
        self.drains = self.drains or self.process.id in asked
        for child in filter(None, self.children):
            if (child.id in asked or self.drains) and not child.drains:
                log.info("Worker %d drains: it stops when what it runs has ended.", child.process.pid)
                child.drains = True
                child.order("drain")

    def _stop_or_start(self) -> None:
        if self.signals:
            self._stop_children()
        else:
            self._start_missing()

    def _start_missing(self) -> None:
        for slot, child in enumerate(self.children):
            drained = self.drains or slot in self.drained
            if child is None and not drained and time.monotonic() >= self.restart_at[slot]:
                self._start(slot)

    def _start(self, slot: int) -> None:
        try:
            self.children[slot] = self._spawn()
        except OSError as error:  # no memory, no processes left: perhaps later
            self.pauses[slot] = min(self.pauses[slot] * 2, LONGEST_RESTART_SECONDS)
            self.restart_at[slot] = time.monotonic() + self.pauses[slot]
            log.error("A worker cannot be started now: %s", error)

    def _spawn(self) -> Child:
        child_id, beginnings = new_id(), Beginnings.of_slots(self.threads)
        command = [
            sys.executable, "-m", "workers.child", "--id", child_id, "--supervisor", self.process.id,
            "--threads", str(self.threads), "--queues", self.queues, "--beginnings", str(beginnings.fd),
        ]  # fmt: skip
        # A session of its own: signals to our process group are ours alone to answer.
        process = subprocess.Popen(
            command, stdin=subprocess.PIPE, text=True, start_new_session=True, pass_fds=[beginnings.fd]
        )
        return Child(child_id, process, beginnings)

    def _stop_children(self) -> None:
        now = time.monotonic()
        if self.interrupt_at is None:
            log.info("Stopping: nothing new is started; what runs has %g s to finish.", self.settings.worker_grace)
            self.interrupt_at = now + self.settings.worker_grace
            self._tell(lambda connection: fleet.drain(connection, self.process.id))
            self._order("drain")
        if self.kill_at is None and (now >= self.interrupt_at or self.signals > 1):
            self.kill_at = now + LAST_SECONDS
            self._order("interrupt")
        if self.kill_at is not None and now >= self.kill_at:
            for child in filter(None, self.children):
                child.process.kill()

    def _order(self, word: str) -> None:
        for child in filter(None, self.children):
            child.order(word)

    def _beat(self) -> None:
        held = {child.id: memory.resident(child.process.pid) for child in filter(None, self.children)}
        counted = self._tell(lambda connection: fleet.beat(connection, self.process.id, held))
        if counted is False:
            self._begin_anew()
        elif counted is None:
            self.beaten_at -= BEAT_SECONDS - BEAT_AGAIN_SECONDS

    def _begin_anew(self) -> None:
        """We were declared gone while stalled: our children see it themselves and leave. Those that take their place
        may have begun under the old id: they are counted with the new one from the next beat on."""
        log.critical("This supervisor was declared gone; it goes on under a new id.")
        self.process = fleet.NewProcess(kind="supervisor")
        try:
            fleet.register(self.engine, self.process)
        except LedgerAway as error:
            log.warning("Cannot register now: %s", error)

    def _tell(self, act):
        """``act`` in a transaction; None while the ledger is away."""
        try:
            with writing(self.engine) as connection:
                return act(connection)
        except LedgerAway as error:
            log.warning("The ledger cannot be told now: %s", error)
            return None
