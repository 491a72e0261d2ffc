"""A thread that looks after the runs of a worker process, and after its threads: deadlines, cancels, what hangs.

What does not end by itself is ended: a body in a cell with its process, a body in a thread with the whole worker
process, which is replaced at once.
"""

import logging
import os
import threading
import time
from collections.abc import Callable

from dramatiq import Worker
from dramatiq.middleware import TimeLimitExceeded

from ledger import fleet, runs
from ledger.engine import Engine, reading
from ledger.errors import LedgerAway
from workers.context import Canceled
from workers.desk import GIVE_BACK_SECONDS, Desk
from workers.runatwork import RunAtWork
from workers.ties import EXIT_GONE

log = logging.getLogger(__name__)

LOOK_SECONDS = 0.1  # how often deadlines are looked at
ASK_SECONDS = 0.5  # how often the ledger is asked for cancellations
COOPERATION_SECONDS = 2.0  # a canceled body may stop by itself for so long before it is interrupted


class Attendant:
    """``recycle`` ends the process in order, with the reason and the run that hangs, if it is a run."""

    def __init__(
        self,
        process_id: str,
        engine: Engine,
        desk: Desk,
        worker: Worker,
        recycle: Callable[[str, RunAtWork | None], None],
    ):
        self._process_id, self._engine, self._desk, self._worker = process_id, engine, desk, worker
        self._recycle = recycle

    def start(self) -> None:
        threading.Thread(target=self._attend, name="attend", daemon=True).start()

    def _attend(self) -> None:
        """Without someone who looks after its runs this process had better be replaced."""
        try:
            self._look_after_all()
        except Exception:
            log.critical("Runs cannot be looked after any more. Leaving.", exc_info=True)
            self._leave_at_once()

    def _look_after_all(self) -> None:
        asked_at = 0.0
        while True:
            time.sleep(LOOK_SECONDS)
            if time.monotonic() - asked_at > ASK_SECONDS:
                asked_at = time.monotonic()
                self._ask_ledger()
            self._desk.give_back(longer_than=GIVE_BACK_SECONDS)
            for run in list(self._desk.at_work.values()):
                interrupt_if_needed(run)
                self._end_if_deaf(run)
            self._count_threads()

    def _ask_ledger(self) -> None:
        try:
            with reading(self._engine) as connection:
                state = fleet.state_of(connection, self._process_id)
                canceled = runs.cancel_requests(connection, self._process_id) if self._desk.at_work else ()
        except LedgerAway as error:
            log.warning("Cancellations cannot be seen now: %s", error)
            return
        if state not in fleet.ALIVE and not self._desk.draining.is_set():
            log.critical("This worker was declared gone (%s); its runs were given to others. Leaving.", state)
            self._leave_at_once()
        for run in list(self._desk.at_work.values()):
            if run.run_id in canceled:
                run.ask_to_stop()

    def _end_if_deaf(self, run: RunAtWork) -> None:
        if run.guard.is_overdue() and not run.guard.kill():
            self._recycle(f"run {run.run_id} did not stop when it was interrupted", run)

    def _count_threads(self) -> None:
        """A dead thread is a slot, or a queue, that nobody serves while the process seems well."""
        if not self._desk.writer.is_alive:
            log.critical("The ledger's writer has died. Leaving.")
            self._leave_at_once()
        for thread in [*self._worker.workers, *self._worker.consumers.values()]:
            if not thread.is_alive():
                self._recycle(f"its thread {type(thread).__name__} has died", None)

    def _leave_at_once(self) -> None:
        self._desk.cells.kill_all()
        os._exit(EXIT_GONE)


def interrupt_if_needed(run: RunAtWork) -> None:
    now = time.monotonic()
    if run.deadline is not None and now > run.deadline:
        run.guard.interrupt(TimeLimitExceeded)
    elif run.cancel_requested_at is not None and now > run.cancel_requested_at + COOPERATION_SECONDS:
        run.guard.interrupt(Canceled)
