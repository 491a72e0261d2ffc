"""Hints for RabbitMQ: one thread and one connection per process, confirms in a window, nobody ever waits.

A hint says "a run waits in this queue". It may be lost, doubled or late: the ledger makes it good. So a hint
that finds no broker is kept for a while, and dropped when too many wait.
"""

import json
import logging
import threading
import time
from collections import deque
from dataclasses import dataclass
from datetime import UTC, datetime

import pika
from pika.exceptions import AMQPError
from pika.spec import Basic

from ledger.failpoints import reached
from ledger.settings import Settings
from workers.depths import Depths, Look

log = logging.getLogger(__name__)
logging.getLogger("pika").setLevel(logging.CRITICAL)  # a lost connection is told by us, once

WAITING_LIMIT = 20_000  # hints kept while there is no broker; more are dropped, the dispatcher repeats them
WINDOW = 1_000  # published and not yet confirmed
SILENT_SECONDS = 5.0  # a broker that confirms nothing for so long is not ok
RECONNECT_SECONDS = (0.2, 0.5, 1, 2, 5)


@dataclass(frozen=True, slots=True)
class BrokerStatus:
    kind: str
    ok: bool
    since: datetime | None = None
    detail: str = ""
    version: str = ""


class EmbeddedPublisher:
    """No broker, no hints: workers watch the ledger themselves."""

    def hint(self, run_id: str, job: str, queue: str) -> None:
        pass

    def depths(self, queues: list[str]) -> Depths | None:
        """There is nothing in which anything could lie."""
        return None

    def status(self) -> BrokerStatus:
        return BrokerStatus("embedded", True, detail="embedded: workers watch the ledger")

    def close(self) -> None:
        pass


def make_publisher(settings: Settings) -> "EmbeddedPublisher | RabbitmqPublisher":
    return EmbeddedPublisher() if settings.embedded else RabbitmqPublisher(settings.broker_url)


def envelope(run_id: str, job: str, queue: str) -> bytes:
    """A Dramatiq message that carries the run's id and no arguments."""
    fields = {
        "queue_name": queue, "actor_name": job, "args": [], "kwargs": {}, "options": {"run_id": run_id},
        "message_id": run_id, "message_timestamp": int(time.time() * 1000),
    }  # fmt: skip
    return json.dumps(fields, separators=(",", ":")).encode()


class RabbitmqPublisher:
    """Publishes hints from a thread of its own; ``hint`` never blocks and never raises."""

    def __init__(self, url: str):
        self._parameters = connection_parameters(url)
        self._waiting: deque[tuple[str, str, str]] = deque(maxlen=WAITING_LIMIT)
        self._unconfirmed: dict[int, float] = {}
        self._next_tag = 1
        self._connection: pika.SelectConnection | None = None
        self._channel = None
        self._scheduled = False
        self._look = Look()
        self._version = ""
        self._closing = threading.Event()
        self._note(False, "not connected yet")
        self._thread = threading.Thread(target=self._run, name="publisher", daemon=True)
        self._thread.start()

    def hint(self, run_id: str, job: str, queue: str) -> None:
        self._waiting.append((run_id, job, queue))
        connection = self._connection
        if connection is not None and not self._scheduled:
            self._scheduled = True
            try:
                connection.ioloop.add_callback_threadsafe(self._publish_waiting)
            except Exception:  # the loop is just ending: the next connection starts with what waits
                self._scheduled = False

    def depths(self, queues: list[str]) -> Depths | None:
        """How many messages lie in RabbitMQ, as seen a moment ago; None when that is not known. Hardly ever blocks."""
        connection = self._connection
        if connection is None or not self._ok:
            return None
        return self._look.at(queues, connection)

    def status(self) -> BrokerStatus:
        oldest = min(self._unconfirmed.copy().values(), default=None)
        if self._ok and oldest is not None and time.monotonic() - oldest > SILENT_SECONDS:
            return BrokerStatus("rabbitmq", False, datetime.now(UTC), "RabbitMQ confirms nothing")
        return BrokerStatus("rabbitmq", self._ok, self._since, self._detail, self._version)

    def close(self) -> None:
        self._closing.set()
        connection = self._connection
        if connection is not None:
            try:
                connection.ioloop.add_callback_threadsafe(self._close_connection)
            except Exception:
                log.debug("The publisher's loop had ended already.")
        self._thread.join(timeout=5)

    def _run(self) -> None:
        failures = 0
        while not self._closing.is_set():
            connected_at = time.monotonic()
            try:
                self._connection = self._connect()
                self._connection.ioloop.start()
            except Exception as error:
                self._note(False, describe(error))
            self._forget_connection()
            failures = 0 if time.monotonic() - connected_at > 10 else failures + 1
            self._closing.wait(RECONNECT_SECONDS[min(failures, len(RECONNECT_SECONDS) - 1)])

    def _connect(self) -> pika.SelectConnection:
        connection = pika.SelectConnection(
            self._parameters,
            on_open_callback=lambda opened: opened.channel(on_open_callback=self._on_channel),
            on_open_error_callback=self._on_lost,
            on_close_callback=self._on_lost,
        )
        connection.add_on_connection_blocked_callback(lambda *_: self._note(False, "RabbitMQ blocks publishers"))
        connection.add_on_connection_unblocked_callback(lambda *_: self._note(True, "connected"))
        return connection

    def _on_channel(self, channel) -> None:
        self._channel = channel
        channel.add_on_close_callback(lambda _channel, reason: self._on_channel_closed(reason))
        channel.confirm_delivery(self._on_confirm, callback=self._on_ready)

    def _on_ready(self, _frame) -> None:
        self._version = version_of(self._connection)
        self._note(True, "connected")
        self._publish_waiting()

    def _on_channel_closed(self, reason: BaseException) -> None:
        self._note(False, describe(reason))
        if self._connection is not None and self._connection.is_open:
            self._connection.close()

    def _on_confirm(self, frame) -> None:
        """An ack and a nack count the same: a hint that was refused is repeated by the dispatcher."""
        if frame.method.multiple:
            for tag in [tag for tag in self._unconfirmed if tag <= frame.method.delivery_tag]:
                self._unconfirmed.pop(tag, None)
        else:
            self._unconfirmed.pop(frame.method.delivery_tag, None)
        if isinstance(frame.method, Basic.Nack):
            log.warning("RabbitMQ refused a hint; the dispatcher will repeat it.")
        self._publish_waiting()

    def _publish_waiting(self) -> None:
        self._scheduled = False
        channel = self._channel
        while self._waiting and channel is not None and channel.is_open and len(self._unconfirmed) < WINDOW:
            run_id, job, queue = self._waiting.popleft()
            self._unconfirmed[self._next_tag] = time.monotonic()
            self._next_tag += 1
            reached("publish.before")
            channel.basic_publish("", queue, envelope(run_id, job, queue), PERSISTENT)
            reached("publish.after")

    def _on_lost(self, _connection, reason) -> None:
        if not self._closing.is_set():
            self._note(False, describe(reason))
        self._connection.ioloop.stop()

    def _close_connection(self) -> None:
        if self._connection.is_open:
            self._connection.close()
        else:
            self._connection.ioloop.stop()

    def _forget_connection(self) -> None:
        """The loop of a connection has sockets of its own, and lives on in cycles until the collector comes by."""
        if self._connection is not None:
            self._connection.ioloop.close()
        self._connection = self._channel = None
        self._scheduled = False
        self._unconfirmed.clear()
        self._next_tag = 1

    def _note(self, ok: bool, detail: str) -> None:
        if getattr(self, "_ok", None) != ok:
            self._ok, self._since = ok, datetime.now(UTC)
            log.info("Broker %s: %s", "ok" if ok else "away", detail)
        self._detail = detail


PERSISTENT = pika.BasicProperties(delivery_mode=2, content_type="application/json")


def connection_parameters(url: str) -> pika.URLParameters:
    """The parameters of ``url`` with time limits everywhere: a frozen broker must never hold a thread for long."""
    parameters = pika.URLParameters(url)
    parameters.heartbeat = 15
    parameters.blocked_connection_timeout = None  # shown as a status instead; nobody waits for the publisher
    parameters.socket_timeout = parameters.stack_timeout = 5
    return parameters


def version_of(connection: pika.SelectConnection) -> str:
    """As the broker calls itself; blank when it does not."""
    said = (connection.server_properties or {}).get("version", "")
    return said.decode(errors="replace") if isinstance(said, bytes) else str(said)


def describe(error: BaseException) -> str:
    """One line about a lost connection; never the URL, which holds a password."""
    if isinstance(error, AMQPError) and not str(error):
        return f"cannot connect ({type(error).__name__})"
    inner = getattr(error, "exceptions", None) or getattr(error, "args", ())
    text = str(inner[-1] if inner else error) or type(error).__name__
    return f"connection lost: {text.splitlines()[0][:200]}"
