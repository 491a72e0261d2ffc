"""The servers of a whole pass: started when the first fault needs them, revived and cleaned before each."""

from contextlib import ExitStack, suppress
from typing import Self

import pika
from pika.exceptions import AMQPError, ChannelClosedByBroker

from tests.servers import PostgreSQL, RabbitMQ

QUEUES = ("default", "default.DQ", "default.XQ")  # Celery, as it is set up here, uses "default" too


class Ground:
    """Entered once a pass; ``rabbitmq`` and ``postgresql`` are running whenever they are asked for.

    Servers that it is given stay the giver's to end.
    """

    def __init__(self, rabbitmq: RabbitMQ | None = None, postgresql: PostgreSQL | None = None):
        self._rabbitmq, self._postgresql = rabbitmq, postgresql

    def __enter__(self) -> Self:
        self._stack = ExitStack()
        return self

    def __exit__(self, *error) -> None:
        self._stack.__exit__(*error)

    @property
    def rabbitmq(self) -> RabbitMQ:
        if self._rabbitmq is None:
            self._rabbitmq = self._stack.enter_context(RabbitMQ())
        self._rabbitmq.revive()
        return self._rabbitmq

    @property
    def postgresql(self) -> PostgreSQL:
        if self._postgresql is None:
            self._postgresql = self._stack.enter_context(PostgreSQL())
        self._postgresql.revive()
        return self._postgresql

    def clean_rabbitmq(self) -> RabbitMQ:
        node = self.rabbitmq
        with pika.BlockingConnection(pika.URLParameters(node.url)) as connection:
            for queue in QUEUES:
                connection.channel().queue_delete(queue)
        return node


def waiting(url: str, queues: tuple[str, ...] = QUEUES[:2]) -> int:
    """Messages that lie in these queues; those of a queue that is not there are none."""
    return sum(_waiting_in(url, queue) for queue in queues)


def _waiting_in(url: str, queue: str) -> int:
    with suppress(AMQPError), pika.BlockingConnection(pika.URLParameters(url)) as connection:
        with suppress(ChannelClosedByBroker):
            return connection.channel().queue_declare(queue, passive=True).method.message_count
    return 0
