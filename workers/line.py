"""One consumer's connection to RabbitMQ: declared queues, deliveries in order, acks on the channel they came by.

Used by one thread. Raises pika's AMQPError or OSError; after ``lose`` it connects anew, later each time.
"""

import logging
import time
from collections import deque
from functools import partial
from typing import Any

import pika
from dramatiq.common import dq_name, xq_name
from pika.exceptions import AMQPError, ChannelWrongStateError, ConsumerCancelled

from ledger.failpoints import reached
from ledger.settings import Settings
from workers.arrivals import Delivery
from workers.publisher import connection_parameters, describe

log = logging.getLogger(__name__)

DEAD_MESSAGE_TTL = 7 * 86_400_000  # as stock Dramatiq declares its .XQ, so that both can use one queue
RECONNECT_SECONDS = (0.2, 0.5, 1, 2, 3)
STEADY_SECONDS = 10.0


class Line:
    """Deliveries of one queue, and of the .DQ in which foreign producers leave delayed messages."""

    def __init__(self, settings: Settings, queue: str, prefetch: int):
        self._parameters = connection_parameters(settings.broker_url)
        self._quorum = settings.broker_quorum
        self._queue, self._prefetch = queue, prefetch
        self._connection: pika.BlockingConnection | None = None
        self._channel: Any = None
        self._tags: list[str] = []
        self._deliveries: deque[Delivery] = deque()
        self._failures = 0
        self._connect_at = self._connected_at = 0.0

    def hints(self, timeout: float) -> list[Delivery]:
        """What came, up to the prefetch count; waits up to ``timeout`` seconds for the first."""
        if not self._connect():
            time.sleep(min(timeout, 0.2))
            return []
        if not self._tags:
            self._consume()
        if not self._deliveries:
            self._connection.process_data_events(time_limit=timeout)
            if not self._channel.is_open:  # RabbitMQ may close the channel alone, and nothing raises then
                raise ChannelWrongStateError("RabbitMQ closed the consumer's channel")
        came, self._deliveries = list(self._deliveries), deque()
        return came

    def ack(self, deliveries: list[Delivery]) -> None:
        """Acks these and all that came before them on this channel: they are the oldest ones."""
        reached("ack.before")
        self._channel.basic_ack(deliveries[-1].tag, multiple=True)
        reached("ack.after")

    def pause(self) -> None:
        """Lets other workers have what comes, and what came; keeps the connection alive."""
        if self._connection is None:
            return
        for tag in self._tags:
            self._channel.basic_cancel(tag)
        self._tags = []
        for delivery in self._deliveries:
            self._channel.basic_reject(delivery.tag, requeue=True)
        self._deliveries.clear()
        self._connection.process_data_events(time_limit=0)

    def lose(self, error: BaseException) -> None:
        """Gives the connection up, after ``error``; RabbitMQ delivers again what was not acked."""
        if self._connection is None or time.monotonic() - self._connected_at > STEADY_SECONDS:
            self._failures = 0 if self._connection is not None else self._failures
        log.warning("The consumer of %s lost RabbitMQ: %s", self._queue, describe(error))
        pause = RECONNECT_SECONDS[min(self._failures, len(RECONNECT_SECONDS) - 1)]
        self._failures += 1
        self._connect_at = time.monotonic() + pause
        self.close()

    def close(self) -> None:
        connection, self._connection, self._channel = self._connection, None, None
        self._tags = []
        self._deliveries.clear()
        try:
            if connection is not None and connection.is_open:
                connection.close()
        except (AMQPError, OSError):
            log.debug("The connection had ended already.")

    def _connect(self) -> bool:
        """Whether there is a connection; tries again only when the pause is over."""
        if self._connection is None and time.monotonic() >= self._connect_at:
            self._connection = pika.BlockingConnection(self._parameters)
            self._channel = self._connection.channel()
            self._channel.add_on_cancel_callback(self._on_canceled)
            self._channel.basic_qos(prefetch_count=self._prefetch)
            self._declare()
            self._connected_at = time.monotonic()
            log.info("The consumer of %s is connected to RabbitMQ.", self._queue)
        return self._connection is not None

    def _declare(self) -> None:
        """The three queues as stock Dramatiq declares them: other arguments would be refused with 406."""
        arguments: dict[str, Any] = {
            "x-dead-letter-exchange": "",
            "x-dead-letter-routing-key": xq_name(self._queue),
        }
        dead_arguments: dict[str, Any] = {"x-message-ttl": DEAD_MESSAGE_TTL}
        if self._quorum:
            arguments["x-queue-type"] = "quorum"
        self._channel.queue_declare(self._queue, durable=True, arguments=arguments)
        self._channel.queue_declare(dq_name(self._queue), durable=True, arguments=arguments)
        self._channel.queue_declare(xq_name(self._queue), durable=True, arguments=dead_arguments)

    def _consume(self) -> None:
        for queue in (self._queue, dq_name(self._queue)):
            self._tags.append(self._channel.basic_consume(queue, partial(self._deliver, queue)))

    def _on_canceled(self, _frame) -> None:
        """Somebody deleted the queue, and nothing would ever come again: a new connection declares it anew."""
        raise ConsumerCancelled("its queue was deleted")

    def _deliver(self, queue: str, _channel, method, _properties, body: bytes) -> None:
        self._deliveries.append(Delivery(method.delivery_tag, queue, body))
