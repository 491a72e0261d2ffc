"""RabbitMQ away, frozen, wiped, full, cut off: messages are hints, so all this may cost is time."""

import time
from collections.abc import Iterator
from statistics import quantiles

import pika

from tests.faults.field import Field
from tests.faults.history import History
from tests.faults.scenario import POSTGRESQL, Fault

CUT_EVERY = 2.0


class BrokerFault(Fault):
    on = (POSTGRESQL,)


class Outage(BrokerFault):
    """For a minute RabbitMQ is of no use, and all forms are posted then."""

    loaded = False
    outage = 60.0
    slowest: float  # seconds that any post may take
    p99: float

    def inject(self, field: Field) -> None:
        self.begin(field)
        seconds = field.seconds(self.outage)
        began = time.monotonic()
        load = field.load(per_second=field.runs / (seconds * 0.8))
        load.join(seconds + 60)
        field.pause(seconds - (time.monotonic() - began))
        self.posts = [sent for sent in field.client.sent if sent.key.startswith("load-")]

    def begin(self, field: Field) -> None:
        raise NotImplementedError

    def check(self, field: Field, history: History) -> Iterator[str]:
        took = [sent.seconds for sent in self.posts]
        if refused := [sent for sent in self.posts if not sent.accepted]:
            yield f"{len(refused)} forms were not accepted: {refused[0]}"
        if len(took) < field.runs:
            yield f"only {len(took)} forms were answered"
        if max(took) > self.slowest or quantiles(took, n=100)[98] > self.p99:
            yield f"the slowest answer took {max(took):.3f} s, p99 {quantiles(took, n=100)[98]:.3f} s"


class Stopped(Outage):
    number = 9
    title = "RabbitMQ stopped for 60 s while forms are posted"
    slowest, p99 = 1.0, 0.2  # one in a hundred may meet whatever else this machine does just then

    def begin(self, field: Field) -> None:
        field.ground.rabbitmq.stop()

    def heal(self, field: Field) -> None:
        field.ground.rabbitmq.revive()


class Frozen(Outage):
    number = 10
    title = "RabbitMQ frozen (SIGSTOP) for 60 s"
    slowest, p99 = 3.0, 1.0

    def begin(self, field: Field) -> None:
        self.node = field.ground.rabbitmq
        self.node.freeze()

    def heal(self, field: Field) -> None:
        self.node.thaw()


class Wiped(BrokerFault):
    number = 11
    title = "RabbitMQ restarted with all its data wiped"

    def inject(self, field: Field) -> None:
        field.wait(lambda: len(field.client.sent) > field.runs / 4, 30, "a part of the load")
        field.ground.rabbitmq.wipe()


class PurgedAndDeleted(BrokerFault):
    number = 12
    title = "queue purged, then deleted by an operator"
    longest = 0.2

    def inject(self, field: Field) -> None:
        for share, act in ((0.3, "queue_purge"), (0.6, "queue_delete")):
            field.wait(lambda share=share: len(field.client.sent) > field.runs * share, 60, "a part of the load")
            with pika.BlockingConnection(pika.URLParameters(field.broker_url)) as connection:
                getattr(connection.channel(), act)("default")


class Alarmed(Outage):
    number = 13
    title = "RabbitMQ's memory alarm, then its disk alarm"
    slowest, p99 = 1.0, 0.2
    outage = 40.0

    def inject(self, field: Field) -> None:
        self.node = field.ground.rabbitmq
        super().inject(field)
        self.clear_memory()
        self.node.rabbitmqctl("set_disk_free_limit", "1000GB")
        for number in range(20):
            field.post("flaky", f"disk-{number}")
        field.pause(field.seconds(20))

    def begin(self, field: Field) -> None:
        self.node.rabbitmqctl("set_vm_memory_high_watermark", "absolute", "1MB")

    def clear_memory(self) -> None:
        self.node.rabbitmqctl("set_vm_memory_high_watermark", "0.4")

    def heal(self, field: Field) -> None:
        self.node.rabbitmqctl("set_disk_free_limit", "50MB")

    def check(self, field: Field, history: History) -> Iterator[str]:
        yield from super().check(field, history)
        retried = [row for row in history.runs if row.job == "flaky" and row.attempt > 1]
        if not retried:
            yield "no failing job was tried again"


class CutEveryTwoSeconds(BrokerFault):
    number = 14
    title = "consumer connection cut every 2 s under load"
    proxied = ("rabbitmq",)
    per_second = 10
    longest = 1.0

    def inject(self, field: Field) -> None:
        for _ in range(int(field.seconds(30) / CUT_EVERY)):
            field.pause(CUT_EVERY)
            field.proxies["rabbitmq"].cut()

    def check(self, field: Field, history: History) -> Iterator[str]:
        for row in history.given_up:
            yield f"a healthy attempt was {row.outcome}"


class BlackHole(BrokerFault):
    """Nothing is refused and nothing answers: the connection of a firewall that forgot it."""

    number = 15
    title = "silent black hole before RabbitMQ for 90 s"
    proxied = ("rabbitmq",)

    def inject(self, field: Field) -> None:
        field.wait(lambda: len(field.client.sent) > 10, 20, "the load has begun")
        field.proxies["rabbitmq"].drop()
        field.pause(max(field.seconds(90), 45))  # a shorter one is over before anybody notices it

    def heal(self, field: Field) -> None:
        field.proxies["rabbitmq"].heal()


class ConsumerTimeout(BrokerFault):
    """RabbitMQ takes a message back that was not acked in time, and closes the channel. It looks once a minute."""

    number = 16
    title = "consumer_timeout of 60 s and a job of 150 s"

    def prepare(self, field: Field) -> None:
        self.node = field.ground.rabbitmq
        self.logged = len(self.node.log_text())
        set_consumer_timeout(field, round(field.seconds(60) * 1000))
        super().prepare(field)

    def inject(self, field: Field) -> None:
        seconds = field.seconds(150)
        field.post("mark", "long", seconds=seconds)
        field.wait_for_event("start", "long")
        field.pause(seconds)
        field.wait_for_event("end", "long")

    def heal(self, field: Field) -> None:
        set_consumer_timeout(field, 1_800_000)

    def check(self, field: Field, history: History) -> Iterator[str]:
        if (count := field.starts("long")) != 1:
            yield f"the long job started {count} times"
        if "timed out waiting for delivery acknowledgement" in self.node.log_text()[self.logged :]:
            yield "RabbitMQ took a message back that a consumer held while a job ran"


def set_consumer_timeout(field: Field, milliseconds: int) -> None:
    field.ground.rabbitmq.rabbitmqctl("eval", f"application:set_env(rabbit, consumer_timeout, {milliseconds}).")


