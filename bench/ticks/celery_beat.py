"""celery beat: a tick counts when its message has reached a consumer of its queue."""

import json
from collections.abc import Iterable
from contextlib import ExitStack

import pika

from bench.ticks.timekeeper import Timekeeper
from tests.servers import Process, RabbitMQ

QUEUE = "ticks"


class CeleryBeat(Timekeeper):
    name, label = "celery", "celery beat"

    def prepare(self, stack: ExitStack) -> None:
        self.broker = self.start_broker(stack)
        self._arrived: list[int] = []
        self._connection = stack.enter_context(pika.BlockingConnection(pika.URLParameters(self.broker)))
        channel = self._connection.channel()
        channel.queue_declare(QUEUE, durable=True)
        channel.basic_consume(QUEUE, self._note_arrival, auto_ack=True)

    def start_broker(self, stack: ExitStack) -> str:
        return stack.enter_context(RabbitMQ()).url

    def _note_arrival(self, _channel, _method, _properties, body: bytes) -> None:
        (number,), _keywords, _embedded = json.loads(body)
        self._arrived.append(number)

    def start(self) -> Process:
        settings = {"BENCH_LOAD": self.load.to_text(), "BENCH_BROKER": self.broker}
        process = self.processes.python("-m", "celery", "-A", "bench.ticks.celery_app", "beat", name="beat", **settings)
        process.wait_for_log("maxinterval")
        return process

    def seen(self) -> Iterable[int]:
        self._connection.process_data_events(0.1)
        arrived, self._arrived = self._arrived, []
        return arrived
