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
from collections.abc import Callable

import dramatiq
from dramatiq.middleware.shutdown import Shutdown

from ledger import claims, fleet
from ledger.engine import writing
from ledger.errors import LedgerAway
from ledger.finishing import Ending
from ledger.settings import settings
from workers import bulk, catalog, endings, isolation, joblog, messages, schedules
from workers.attendant import Attendant
from workers.beginnings import Beginnings
from workers.broker import WaybillBroker, load_jobs, make_broker
from workers.desk import Desk
from workers.perform import ending_after
from workers.runatwork import RunAtWork
from workers.ties import EXIT_RECYCLED

log = logging.getLogger("workers.child")

WORKER_TIMEOUT = 200  # milliseconds: how soon an idle thread sees that it is to stop
LAST_WORDS_SECONDS = 0.5  # what interrupted bodies get to unwind, and killed ones to be seen dead

NO_QUEUE = "-"  # no queue has this name; an empty set would mean all of them to Dramatiq


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
    parser.add_argument("--beginnings", type=int, required=True, help="file descriptor, see workers.beginnings")
    return parser.parse_args()


class Child:
    def __init__(self, options: argparse.Namespace):
        self.options = options
        self.broker: WaybillBroker = make_broker()
        load_jobs(self.broker, settings().job_modules)
        self.own_actors = list(self.broker.actors.values())
        bulk.declare(self.broker)
        self.queues = [
            queue for queue in self.broker.queues if not options.queues or queue in options.queues.split(",")
        ]
        self.process = self._describe_process()
        self.desk = self._open_desk()
        self.orders: list[str] = []

    def _describe_process(self) -> fleet.NewProcess:
        served = [actor.actor_name for actor in self.own_actors if actor.queue_name in self.queues]
        served += [bulk.JOB] if self.queues else []  # in whatever queue: see ledger.queries.actions.serving_queue
        return fleet.NewProcess(
            id=self.options.id, kind="worker", supervisor_id=self.options.supervisor, version=catalog.code_version(),
            queues=self.queues, jobs=served, slots=self.options.threads,
        )  # fmt: skip

    def _open_desk(self) -> Desk:
        broker, process = self.broker, self.process
        taken = claims.Claims(process.id, process.name, process.jobs)
        desk = Desk(
            broker.settings, broker.writer, broker.watch, broker.publisher, taken, self.options.threads,
            Beginnings(self.options.beginnings),
        )  # fmt: skip
        broker.desk = desk
        return desk

    def run(self) -> None:
        announced = [catalog.announce(actor) for actor in self.own_actors]
        fleet.register(self.broker.engine, self.process, announced)
        schedules.announce(self.broker.engine, self.process.id, self.own_actors, settings().job_modules)
        if not self.queues:
            log.warning("None of the jobs uses a queue of %r: this worker has nothing to do.", self.options.queues)
        worker = dramatiq.Worker(
            self.broker,
            queues=set(self.queues) or {NO_QUEUE},
            worker_timeout=WORKER_TIMEOUT,
            worker_threads=self.options.threads,
        )
        self._warm_up()
        worker.start()
        Attendant(self.process.id, self.broker.engine, self.desk, worker, self._recycle).start()
        log.info(
            "Worker %s is ready: %d slots, queues %s.", self.process.name, self.options.threads, ", ".join(self.queues)
        )
        self._follow_orders()

    def _warm_up(self) -> None:
        """One cell at once, if any job here wants one: its first run need not wait for imports."""
        if any(isolation.wants_process(self.broker.actors[name].options) for name in self.process.jobs):
            self.desk.cells.warm()

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
        self.desk.stop_claiming()
        while self.desk.at_work:
            time.sleep(0.02)
        self._leave()

    def _leave(self) -> None:
        """Interrupts what still runs, tells the ledger, and ends the process, whatever its threads do."""
        try:
            self._end_runs("stopped", lambda run: endings.interrupted(run.claim))
        finally:
            os._exit(0)

    def _recycle(self, because: str, hanging: RunAtWork | None) -> None:
        """As ``_leave``, for a new process in this one's place; the run that hangs ends as it was interrupted."""
        log.critical("This worker is replaced: %s.", because)

        def ending_of(run: RunAtWork) -> Ending:
            return self._ending_of_hanging(run) if run is hanging else endings.interrupted(run.claim)

        try:
            self._end_runs(f"replaced: {because}", ending_of)
        finally:
            os._exit(EXIT_RECYCLED)

    def _ending_of_hanging(self, run: RunAtWork) -> Ending:
        message = messages.original(run.claim)
        return ending_after(run.guard.error(), run, message, self.broker.actors[run.claim.job])

    def _end_runs(self, because: str, ending_of: Callable[[RunAtWork], Ending]) -> None:
        """Runs that are deaf to interrupts end with this process, so they are given to others last."""
        self.desk.stop_claiming()
        self._while_runs_end(lambda run: run.guard.interrupt(Shutdown))
        self._while_runs_end(lambda run: run.guard.kill())
        self.desk.cells.kill_all()
        self.broker.writer.flush(timeout=5)
        self._say_goodbye(because)
        for run in list(self.desk.at_work.values()):
            self.desk.finish(ending_of(run))
        self.broker.writer.flush(timeout=5)

    def _while_runs_end(self, act: Callable[[RunAtWork], object]) -> None:
        deadline = time.monotonic() + LAST_WORDS_SECONDS
        while self.desk.at_work and time.monotonic() < deadline:
            for run in list(self.desk.at_work.values()):
                act(run)
            time.sleep(0.01)

    def _say_goodbye(self, because: str) -> None:
        try:
            with writing(self.broker.engine) as connection:
                fleet.stop(connection, self.process.id, because)
        except LedgerAway as error:
            log.warning("The ledger was not told that this worker stopped: %s", error)


if __name__ == "__main__":
    main()
