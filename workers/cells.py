"""The warm processes of one worker process, and how a worker thread leads one of them through a run.

A cell is started when a run needs one and none is idle, so there are at most as many as threads. What it says goes
through this process: to the ledger by its writer, to the broker by its publisher. What it says after it was killed
is not listened to.
"""

import logging
import os
import pickle
import signal
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import replace
from multiprocessing import Pipe

from dramatiq.middleware import TimeLimitExceeded
from dramatiq.middleware.shutdown import Shutdown

from ledger.finishing import Ending
from workers import endings, ties
from workers.channel import Answer, Call, Channel, Done, Hint, Perform, Ready, Started, Stop, Submit
from workers.context import Canceled
from workers.endings import Ended
from workers.isolation import RUNS_PER_CELL, limits_of
from workers.limits import CpuLimitExceeded
from workers.runatwork import RunAtWork

log = logging.getLogger(__name__)

BOOT_SECONDS = 60.0  # to import the job modules


class Gone(Exception):
    """The cell was killed, by us; nothing it said since then counts."""


class Cell:
    """One process and our end of its channel."""

    def __init__(self) -> None:
        ours, theirs = Pipe()
        self.channel = Channel(ours)
        self.faults = tempfile.TemporaryFile()  # where its dying interpreter writes what it was doing
        self.runs = 0
        self._is_ready = False
        handed = (theirs.fileno(), self.faults.fileno())
        self.process = subprocess.Popen(
            [sys.executable, "-m", "workers.cell", *map(str, (os.getpid(), *handed))],
            stdin=subprocess.DEVNULL, pass_fds=handed, process_group=0,
        )  # fmt: skip
        theirs.close()

    @property
    def is_alive(self) -> bool:
        return self.process.poll() is None

    def wait_until_ready(self) -> None:
        """Raises EOFError, OSError or TimeoutError."""
        if not self._is_ready:
            self._is_ready = isinstance(self.channel.hear(BOOT_SECONDS), Ready)

    def kill(self) -> None:
        ties.kill_group(self.process.pid)

    def end(self) -> int:
        """Ends it, with all that its jobs left running in its group; its exit code."""
        self.kill()
        self.channel.close()
        return self.process.wait()

    def last_words(self) -> str | None:
        self.faults.seek(0)
        return self.faults.read().decode(errors="replace") or None


class CellGuard:
    """As ``interrupts.Guard``, for a body in a cell: told first, then SIGTERM, then SIGKILL."""

    grace = 3.0  # seconds from the interrupt to SIGKILL

    def __init__(self) -> None:
        self.error: type[BaseException] | None = None
        self.began = self.killed = False
        self._interrupted_at = 0.0
        self._lock = threading.Lock()
        self._cell: Cell | None = None

    def take_hold(self, cell: Cell) -> None:
        """The body starts: from now on it can be stopped."""
        with self._lock:
            self._cell, self.began = cell, True

    def let_go(self) -> None:
        """The body has ended. Raises Gone when it was killed before."""
        with self._lock:
            self._cell = None
        self.insist_on_life()

    def insist_on_life(self) -> None:
        if self.killed:
            raise Gone

    def interrupt(self, error: type[BaseException]) -> bool:
        with self._lock:
            if self._cell is None or self.error is not None:
                return False
            self.error, self._interrupted_at = error, time.monotonic()
            return self._say(Stop(error))

    def ask_to_stop(self) -> None:
        with self._lock:
            if self._cell is not None:
                self._say(Stop())

    def is_overdue(self) -> bool:
        """Also when the process has ended and something that it left running holds its channel open."""
        with self._lock:
            if self._cell is None:
                return False
            late = self.error is not None and time.monotonic() > self._interrupted_at + self.grace
            return late or not self._cell.is_alive

    def kill(self) -> bool:
        with self._lock:
            if self._cell is not None and not self.killed:
                self.killed = True
                self._cell.kill()
        return True

    def _say(self, message: Stop) -> bool:
        try:
            self._cell.channel.say(message)
        except OSError:
            return False  # it has just ended; who leads it sees that too
        return True


class Cells:
    def __init__(self, writer, publisher, crash_limit: int):
        self._writer, self._publisher, self._crash_limit = writer, publisher, crash_limit
        self._idle: list[Cell] = []
        self._all: set[Cell] = set()
        self._closed = False

    def warm(self) -> None:
        """Starts one before it is needed, in a thread that lives as long as the process: see ``ties.die_with``."""
        self._idle.append(self._start())

    def execute(self, run: RunAtWork, message, actor) -> Ended:
        """One attempt in a cell, by the thread that calls."""
        try:
            cell = self._take()
        except OSError as error:  # no memory, no descriptors, no room for its files
            because = f"no process could be started for it: {error}"
            return Ended(endings.crashed(run.claim, actor, because, self._crash_limit, began=False), error=error)
        try:
            ending = self._lead(cell, run)
        except Exception as error:
            ending = self._ending_without_word(cell, run, message, actor, error)
        else:
            self._put_back(cell)
        failed = endings.FailedElsewhere(ending) if ending.error_type else None
        return Ended(ending, error=failed)

    def kill_all(self) -> None:
        """The worker process ends: no body starts or goes on."""
        self._closed = True
        for cell in list(self._all):
            cell.kill()

    def _start(self) -> Cell:
        cell = Cell()
        self._all.add(cell)
        if self._closed:
            cell.kill()
        return cell

    def _take(self) -> Cell:
        while self._idle:
            cell = self._idle.pop()
            if cell.is_alive:
                return cell
            self._end(cell)
        return self._start()

    def _put_back(self, cell: Cell) -> None:
        cell.runs += 1
        if cell.runs < RUNS_PER_CELL:
            self._idle.append(cell)
        else:
            self._end(cell)

    def _end(self, cell: Cell) -> int:
        self._all.discard(cell)
        return cell.end()

    def _lead(self, cell: Cell, run: RunAtWork) -> Ending:
        """Does what the cell asks until it is done. Raises when the cell has ended, or said what nobody understands."""
        cell.wait_until_ready()
        cell.channel.say(Perform(run.claim))
        while True:
            said = cell.channel.hear(None if run.guard.began else BOOT_SECONDS)
            run.guard.insist_on_life()
            match said:
                case Started():
                    self._note_start(cell, run)
                case Submit():
                    self._writer.submit(said.act, said.request, durable=False)
                case Call():
                    cell.channel.say(self._answer(said))
                case Hint():
                    self._publisher.hint(said.run_id, said.job, said.queue)
                case Done():
                    run.guard.let_go()
                    return replace(said.ending, claim=run.claim)

    def _note_start(self, cell: Cell, run: RunAtWork) -> None:
        run.start_clock()
        run.guard.take_hold(cell)
        if run.canceled():
            run.guard.ask_to_stop()

    def _answer(self, call: Call) -> Answer:
        try:
            return Answer(call.number, self._writer.call(call.act, call.request))
        except Exception as error:
            return Answer(call.number, error=_portable(error))

    def _ending_without_word(self, cell: Cell, run: RunAtWork, message, actor, error: Exception) -> Ending:
        """What follows when the cell did not say how its run ended."""
        code = self._end(cell)
        stopped_for = run.guard.error
        if stopped_for is Canceled or run.canceled():
            return endings.canceled(run.claim)
        if stopped_for is Shutdown:
            return endings.interrupted(run.claim)
        if stopped_for is not None:
            return endings.failed(run.claim, message, actor, _killed_for(stopped_for, run))
        if code == -signal.SIGXCPU:
            return endings.failed(run.claim, message, actor, CpuLimitExceeded(limits_of(actor.options).cpu_limit))
        if self._closed:
            return endings.interrupted(run.claim)
        return endings.crashed(
            run.claim, actor, _in_words(code, error), self._crash_limit, run.guard.began, cell.last_words()
        )


def _killed_for(error: type[BaseException], run: RunAtWork) -> BaseException:
    assert error is TimeLimitExceeded
    return error(f"killed {CellGuard.grace:g} s after its time limit of {run.time_limit:g} s")


def _in_words(code: int, error: Exception) -> str:
    """Why a cell was lost: ``code`` is how it ended, ``error`` what its channel said."""
    if isinstance(error, TimeoutError):
        return f"its process did not begin within {BOOT_SECONDS:g} s"
    if not isinstance(error, EOFError | OSError | Gone):
        return f"its process said what cannot be understood: {error!r}"
    if code >= 0:
        return f"its process ended with exit code {code}"
    name = ties.signal_name(-code)
    return f"its process was killed by {name}" + (", perhaps for want of memory" if name == "SIGKILL" else "")


def _portable(error: Exception) -> Exception:
    """The error, if it survives being sent."""
    try:
        return pickle.loads(pickle.dumps(error))
    except Exception:
        return RuntimeError(f"{type(error).__name__}: {error}")
