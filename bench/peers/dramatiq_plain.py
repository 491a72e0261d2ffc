"""Dramatiq as it comes, over RabbitMQ, with confirms: the floor under everything that is built on it.

Nothing is kept of a job: no state, no result, no history.
"""

import importlib

from dramatiq.brokers.rabbitmq import RabbitmqBroker

from bench.system import PROCESSES, THREADS, System
from tests.servers import Process

JOBS = "bench.jobs.dramatiq_jobs"


class PlainDramatiq(System):
    name = "dramatiq"
    label = "Dramatiq, confirms, no results"

    def prepare(self) -> None:
        self.noop = importlib.import_module(JOBS).noop

    def send(self, number: int) -> None:
        self.noop.send(number)

    def fill(self, numbers: range) -> None:
        quick = RabbitmqBroker(url=self.environment["BROKER_URL"], confirm_delivery=False)
        for number in numbers:
            quick.enqueue(self.noop.message(number))
        quick.close()
        self.wait_for_messages(self.noop.queue_name, numbers.stop)

    def start_workers(self) -> Process:
        options = ["--processes", PROCESSES, "--threads", THREADS]
        return self.processes.python("-m", "dramatiq", JOBS, *options, name="dramatiq")

    def close(self) -> None:
        self.noop.broker.close()
