"""Waybill: every run in the ledger, with arguments, attempts and result, on disk before `send` returns."""

import importlib

from bench import witness
from bench.system import PROCESSES, THREADS, System
from tests.servers import Process

JOBS = "bench.jobs.waybill_jobs"


class Waybill(System):
    can_send_many = True

    def prepare(self) -> None:
        settings = {"JOBS": JOBS, "WORKER_PROCESSES": PROCESSES, "WORKER_THREADS": THREADS}
        self.processes.environment.update(settings)
        assert self.processes.python("-m", "ledger").wait(60) == 0
        self._connect()
        self.scheduler = self.processes.python("scheduler.py")
        self._declare_queues()

    def send(self, number: int) -> None:
        self.noop.send(number)

    def fill(self, numbers: range) -> None:
        for run_id in self.send_many(numbers):
            self.broker.publisher.hint(run_id, self.noop.actor_name, self.noop.queue_name)
        if self.needs_rabbitmq:
            self.wait_for_messages(self.noop.queue_name, numbers.stop)

    def send_many(self, numbers: range) -> list[str]:
        from ledger.runs import NewRun, dispatch_many

        job, queue = self.noop.actor_name, self.noop.queue_name
        wanted = [NewRun(job=job, queue=queue, origin="code", args=(number,)) for number in numbers]
        return dispatch_many(self.broker.engine, wanted)

    def start_workers(self) -> Process:
        return self.processes.python("-m", "workers")

    def close(self) -> None:
        if hasattr(self, "broker"):
            self.broker.close()

    def _connect(self) -> None:
        # Not at the top: settings are read once, and the servers' addresses are known only now.
        from workers.broker import make_broker

        self.broker = make_broker()
        self.noop = importlib.import_module(JOBS).noop

    def _declare_queues(self) -> None:
        """A hint for a queue that RabbitMQ does not know is dropped: let workers declare theirs first."""
        workers = self.start_workers()
        self.send(-1)
        workers.wait_until(lambda: witness.count(self.witness) == 1, 60, "the first run")
        workers.stop()
        self.witness.unlink()


class EmbeddedSqlite(Waybill):
    name = "waybill-embedded"
    label = "Waybill, embedded broker, SQLite"
    database = "sqlite"
    needs_rabbitmq = False


class RabbitmqSqlite(Waybill):
    name = "waybill-sqlite"
    label = "Waybill, RabbitMQ, SQLite"
    database = "sqlite"


class RabbitmqPostgresql(Waybill):
    name = "waybill-postgresql"
    label = "Waybill, RabbitMQ, PostgreSQL"
    database = "postgresql"
