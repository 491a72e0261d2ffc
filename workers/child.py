"""One worker process: ``python -m workers.child``, started by the supervisor and led by it through a pipe.

Signals to the process group are the supervisor's business; this process ignores them. The pipe says ``drain``
or ``interrupt``; its end means that the supervisor is gone.
"""

import argparse
import logging
import os
import signal
import sys
import threading
import time

import dramatiq
from dramatiq.middleware import TimeLimitExceeded
from dramatiq.middleware.shutdown import Shutdown

from ledger import claims, fleet, runs
from ledger.engine import reading, writing
from ledger.errors import LedgerAway
from ledger.settings import settings
from workers import catalog, endings, joblog
from workers.broker import WaybillBroker, load_jobs, make_broker
from workers.context import Canceled
from workers.desk import GIVE_BACK_SECONDS, Desk, RunAtWork

log = logging.getLogger("workers.child")

WORKER_TIMEOUT = 200  # milliseconds: how soon an idle thread sees that it is to stop
LOOK_SECONDS = 0.1  # how often deadlines are looked at
ASK_SECONDS = 0.5  # how often the ledger is asked for cancellations
COOPERATION_SECONDS = 2.0  # a canceled body may stop by itself for so long before it is interrupted
LAST_WORDS_SECONDS = 0.5  # what interrupted bodies get to unwind

NO_QUEUE = "-"  # no queue has this name; an empty set would mean all of them to Dramatiq
EXIT_GONE = 3  # this process was declared gone, or lost its threads: start another one


def main() -> None:
    options = parse()
    for ignored in (signal.SIGINT, signal.SIGTERM, signal.SIGQUIT, signal.SIGHUP):
        signal.signal(ignored, signal.SIG_IGN)
    joblog.set_up(settings().log_level)
    Child(options).run()


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m workers.child")
    parser.add_argument("--id", required=True)
    parser.add_argument("--supervisor", required=True)
    parser.add_argument("--threads", type=int, required=True)
    parser.add_argument("--queues", default="")
    return parser.parse_args()


class Child:
    def __init__(self, options: argparse.Namespace):
        self.options = options
        self.broker: WaybillBroker = make_broker()
        load_jobs(self.broker, settings().job_modules)
        self.queues = [
            queue for queue in self.broker.queues if not options.queues or queue in options.queues.split(",")
        ]
        self.process = self._describe_process()
        self.desk = self._open_desk()
        self.orders: list[str] = []

    def _describe_process(self) -> fleet.NewProcess:
        served = [name for name, actor in self.broker.actors.items() if actor.queue_name in self.queues]
        return fleet.NewProcess(
            id=self.options.id, kind="worker", supervisor_id=self.options.supervisor, version=catalog.code_version(),
            queues=self.queues, jobs=served, slots=self.options.threads,
        )  # fmt: skip

    def _open_desk(self) -> Desk:
        broker, process = self.broker, self.process
        taken = claims.Claims(process.id, process.name, process.jobs)
        desk = Desk(broker.settings, broker.writer, broker.watch, broker.publisher, taken, self.options.threads)
        broker.desk = desk
        return desk

    def run(self) -> None:
        announced = [catalog.announce(actor) for actor in self.broker.actors.values()]
        fleet.register(self.broker.engine, self.process, announced)
        if not self.queues:
            log.warning("None of the jobs uses a queue of %r: this worker has nothing to do.", self.options.queues)
        worker = dramatiq.Worker(
            self.broker,
            queues=set(self.queues) or {NO_QUEUE},
            worker_timeout=WORKER_TIMEOUT,
            worker_threads=self.options.threads,
        )
        worker.start()
        threading.Thread(target=self._attend, name="attend", daemon=True).start()
        log.info(
            "Worker %s is ready: %d slots, queues %s.", self.process.name, self.options.threads, ", ".join(self.queues)
        )
        self._follow_orders()

    def _follow_orders(self) -> None:
        """Blocks until the supervisor wants an end; EOF means that there is no supervisor any more."""
        for line in sys.stdin:
            if line.strip() == "drain":
                threading.Thread(target=self._drain, name="drain", daemon=True).start()
            elif line.strip() == "interrupt":
                break
        self._leave()

    def _drain(self) -> None:
        """Starts nothing more; leaves when the last run has ended. The supervisor knows how long it may take."""
        self.desk.draining.set()
        self.desk.give_back(longer_than=0)
        while self.desk.at_work:
            time.sleep(0.02)
        self._leave()

    def _leave(self) -> None:
        """Interrupts what still runs, tells the ledger, and ends the process, whatever its threads do."""
        try:
            self._end_runs()
            self._say_goodbye()
        finally:
            os._exit(0)

    def _end_runs(self) -> None:
        self.desk.draining.set()
        self.desk.give_back(longer_than=0)
        for run in list(self.desk.at_work.values()):
            run.guard.interrupt(Shutdown)
        deadline = time.monotonic() + LAST_WORDS_SECONDS
        while self.desk.at_work and time.monotonic() < deadline:
            time.sleep(0.01)
        for run in list(self.desk.at_work.values()):  # deaf to interrupts, but it ends with this process
            self.desk.finish(endings.interrupted(run.claim))
        self.broker.writer.flush(timeout=5)

    def _say_goodbye(self) -> None:
        try:
            with writing(self.broker.engine) as connection:
                fleet.stop(connection, self.process.id)
        except LedgerAway as error:
            log.warning("The ledger was not told that this worker stopped: %s", error)

    def _attend(self) -> None:
        """Without someone who looks after its runs this process had better be replaced."""
        try:
            self._look_after_runs()
        except Exception:
            log.critical("Runs cannot be looked after any more. Leaving.", exc_info=True)
            os._exit(EXIT_GONE)

    def _look_after_runs(self) -> None:
        """Deadlines, cancellations, and claims that no thread took up."""
        asked_at = 0.0
        while True:
            time.sleep(LOOK_SECONDS)
            if time.monotonic() - asked_at > ASK_SECONDS:
                asked_at = time.monotonic()
                self._ask_ledger()
            self.desk.give_back(longer_than=GIVE_BACK_SECONDS)
            for run in list(self.desk.at_work.values()):
                interrupt_if_needed(run)

    def _ask_ledger(self) -> None:
        try:
            with reading(self.broker.engine) as connection:
                state = fleet.state_of(connection, self.process.id)
                canceled = runs.cancel_requests(connection, self.process.id) if self.desk.at_work else ()
        except LedgerAway as error:
            log.warning("Cancellations cannot be seen now: %s", error)
            return
        if state not in fleet.ALIVE and not self.desk.draining.is_set():
            log.critical("This worker was declared gone (%s); its runs were given to others. Leaving.", state)
            os._exit(EXIT_GONE)
        for run_id in canceled:
            if (run := self.desk.at_work.get(run_id)) is not None and run.cancel_requested_at is None:
                run.cancel_requested_at = time.monotonic()


def interrupt_if_needed(run: RunAtWork) -> None:
    now = time.monotonic()
    if run.deadline is not None and now > run.deadline:
        run.guard.interrupt(TimeLimitExceeded)
    elif run.cancel_requested_at is not None and now > run.cancel_requested_at + COOPERATION_SECONDS:
        run.guard.interrupt(Canceled)


if __name__ == "__main__":
    main()
