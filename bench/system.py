"""What is measured: a way to run jobs, with servers of its own for one measurement."""

import os
from abc import ABC, abstractmethod
from contextlib import ExitStack
from pathlib import Path
from typing import ClassVar, Self

import pika

from bench import witness
from tests.servers import PostgreSQL, Process, Processes, RabbitMQ, wait_until

PROCESSES = 2
THREADS = 8


class System(ABC):
    """Subclasses say which servers they need, how a job is sent and how workers start."""

    name: ClassVar[str]
    label: ClassVar[str]
    database: ClassVar[str] = ""  # sqlite, postgresql, or none
    needs_rabbitmq: ClassVar[bool] = True
    jobs: ClassVar[int] = 10_000  # drained from a full queue
    sends: ClassVar[int] = 2_000  # of these, sent one by one to measure that

    def __enter__(self) -> Self:
        with ExitStack() as stack:
            self.processes = stack.enter_context(Processes())
            self.environment = {witness.VARIABLE: str(self.witness), "WAYBILL_VAR": str(self.folder)}
            if self.needs_rabbitmq:
                self.environment["BROKER_URL"] = stack.enter_context(RabbitMQ()).url
            if self.database == "postgresql":
                self.environment["DATABASE_URL"] = stack.enter_context(PostgreSQL()).url
            if self.database == "sqlite":
                self.environment["DATABASE_URL"] = f"sqlite:///{self.folder / 'ledger.db'}"
            self.processes.environment.update(self.environment)
            self._enter_environment()
            stack.callback(self.close)
            self.prepare()
            self._stack = stack.pop_all()
        return self

    def __exit__(self, *error) -> None:
        self._stack.__exit__(*error)

    def _enter_environment(self) -> None:
        """This process sends: it needs the same settings, and none of the shell's or of a `.env` here."""
        os.environ.pop("BROKER_URL", None)
        os.environ.update(self.environment)
        os.chdir(self.folder)

    @property
    def folder(self) -> Path:
        return self.processes.folder

    @property
    def witness(self) -> Path:
        return self.folder / "witness"

    def prepare(self) -> None:  # noqa: B027 - nothing to do for most
        """What a deployment does before the first job: schema, connections. The environment is set."""

    def close(self) -> None:  # noqa: B027
        """Closes what ``prepare`` and ``send`` opened."""

    @abstractmethod
    def send(self, number: int) -> None:
        """Sends one job, as an application does: when it returns, the job is as safe as it gets."""

    def fill(self, numbers: range) -> None:
        """Sends many, the quickest way there is; not measured as sending."""
        for number in numbers:
            self.send(number)

    def send_many(self, numbers: range) -> None:
        """Sends many in one call, where there is such a call (``can_send_many``)."""
        raise NotImplementedError

    can_send_many: ClassVar[bool] = False

    @abstractmethod
    def start_workers(self) -> Process:
        """Starts 2 x 8 slots, or what comes nearest."""

    def wait_for_messages(self, queue: str, count: int) -> None:
        """Until RabbitMQ holds so many messages in the queue."""
        with pika.BlockingConnection(pika.URLParameters(self.environment["BROKER_URL"])) as connection:
            channel = connection.channel()

            def full() -> bool:
                return channel.queue_declare(queue, passive=True).method.message_count >= count

            wait_until(full, 60, f"{count} messages in {queue}")
