"""The twelve faults of loss and duplication that every system can meet, and what came of one."""

import os
import signal
import threading
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

import pika

from tests.faults.brokers import set_consumer_timeout
from tests.faults.ground import Ground
from tests.faults.messages import foreign
from tests.faults.peers.field import PeerField
from tests.faults.peers.systems import System

LONG = 150.0


@dataclass(frozen=True, slots=True)
class PeerFault:
    number: int
    title: str
    act: Callable[[PeerField], Any]
    die_at: str = ""


@dataclass
class PeerOutcome:
    number: int
    title: str
    system: str
    sent: int = 0
    refused: int = 0
    hung: int = 0  # sends that had not been answered when all else was over
    lost: int = 0
    twice: int = 0  # bodies that came to their end more than once
    again: int = 0  # bodies that were started more than once, whatever the reason
    slowest: float = 0.0
    seconds: float = 0.0
    error: str = ""

    def asdict(self) -> dict:
        return asdict(self)


def run(fault: PeerFault, system: type[System], ground: Ground, runs: int, short: bool) -> PeerOutcome:
    outcome = PeerOutcome(fault.number, fault.title, system.name)
    began = time.monotonic()
    try:
        with PeerField(ground, system, runs, short, fault.die_at) as field:
            fault.act(field)
            field.settle()
            judge(field, outcome)
    except Exception as error:
        outcome.error = f"{type(error).__name__}: {str(error)[:200]}"
    outcome.seconds = time.monotonic() - began
    return outcome


def judge(field: PeerField, outcome: PeerOutcome) -> None:
    load = [answer for answer in field.answers if not answer.key.startswith("warm-")]
    outcome.sent = len(load)
    outcome.hung = len(field.sent) - len(field.answers)
    outcome.refused = sum(answer.error != "-" for answer in load)
    outcome.lost, outcome.twice = len(field.lost()), len(field.ended_twice())
    outcome.again = len(field.started_twice())
    outcome.slowest = max((answer.seconds for answer in load), default=0.0)


def killed_in_the_body(field: PeerField) -> None:
    load = field.load()
    field.send("victim", 3)
    start = field.wait_for("start", "victim")
    os.kill(start.pid, signal.SIGKILL)
    load.join()


def dies_by_itself(field: PeerField) -> None:
    load = field.load()
    field.send("victim", 0.2)
    load.join()


def stopped(field: PeerField) -> None:
    during(field, field.ground.rabbitmq.stop, field.ground.rabbitmq.start, 60)


def frozen(field: PeerField) -> None:
    node = field.ground.rabbitmq
    during(field, node.freeze, node.thaw, 60)


def alarmed(field: PeerField) -> None:
    node = field.ground.rabbitmq
    during(
        field,
        lambda: node.rabbitmqctl("set_vm_memory_high_watermark", "absolute", "1MB"),
        lambda: node.rabbitmqctl("set_vm_memory_high_watermark", "0.4"),
        40,
    )


def during(field: PeerField, begin: Callable, end: Callable, full: float) -> None:
    """Breaks something, sends all the time, mends it. Who waits in a send until then is counted as slow."""
    seconds = field.seconds(full)
    begin()
    load = field.load(per_second=field.runs / (seconds * 0.8))
    field.pause(seconds)
    end()
    load.join()


def wiped(field: PeerField) -> None:
    """While jobs wait: the load is more than the workers can take at once."""
    load = field.load(per_second=100, seconds=0.2)
    field.pause(field.runs / 100 / 2)
    field.ground.rabbitmq.wipe()
    load.join()


def purged_and_deleted(field: PeerField) -> None:
    """While jobs wait: the load is more than the workers can take at once."""
    load = field.load(per_second=100, seconds=0.2)
    field.pause(field.runs / 100)
    act_on_queue(field, "queue_purge")
    field.pause(1)
    act_on_queue(field, "queue_delete")
    load.join()
    for number in range(20):
        field.send(f"after-{number}")


def act_on_queue(field: PeerField, name: str) -> None:
    with pika.BlockingConnection(pika.URLParameters(field.ground.rabbitmq.url)) as connection:
        getattr(connection.channel(), name)("default")


def cut_every_two_seconds(field: PeerField) -> None:
    load = field.load(per_second=10, seconds=1.0)
    for _ in range(int(field.seconds(30) / 2)):
        field.pause(2)
        field.proxy.cut()
    load.join()


def black_hole(field: PeerField) -> None:
    load = field.load(per_second=10, seconds=0.3)
    field.pause(2)
    field.proxy.drop()
    field.pause(max(field.seconds(90), 45))
    field.proxy.heal()
    load.join()


def consumer_timeout(field: PeerField) -> None:
    """Set for channels to come: the connections are cut once, so that all channels are new."""
    set_consumer_timeout(field, round(field.seconds(60) * 1000))
    try:
        field.proxy.cut()
        field.pause(5)
        seconds = field.seconds(LONG)
        field.send("long", seconds)
        field.wait_for("start", "long")
        field.load().join()
        field.pause(seconds)
        field.wait_for("end", "long")
        field.pause(field.seconds(60))  # who was given the job again meanwhile needs time to show it
    finally:
        set_consumer_timeout(field, 1_800_000)


def doubled_messages(field: PeerField) -> None:
    """Each message that waits is published twenty times, bytes and properties alike, as a broker or a proxy may."""
    load = field.load(per_second=100, seconds=0.1)
    stop = threading.Event()
    field.pause(0.5)
    with pika.BlockingConnection(pika.URLParameters(field.ground.rabbitmq.url)) as connection:
        channel = connection.channel()
        while load.is_alive() and not stop.is_set():
            method, properties, body = channel.basic_get("default")
            if method is None:
                time.sleep(0.01)
                continue
            for _ in range(20):
                channel.basic_publish("", "default", body, properties)
            channel.basic_ack(method.delivery_tag)
    load.join()


def malformed(field: PeerField) -> None:
    """Bytes of no protocol, and what a producer with a bug sends in Dramatiq's and in Celery's own."""
    plain = [b"", b"\x00\xff", b"[1]", b"{}", b"null", b"x" * 100_000]
    dramatiq = [foreign(options=None), foreign(actor_name=["mark"]), foreign(queue_name="else"), foreign(args=None)]
    for body in plain + dramatiq:
        publish(field, body)
    for body in (b"null", b"[]", b"[null, null, null]", b"[[], {}, null]", b"not json"):
        headers = {"lang": "py", "task": "mark", "id": "1", "root_id": "1", "parent_id": None, "group": None}
        publish(field, body, content_type="application/json", content_encoding="utf-8", headers=headers)
        publish(field, body, content_type="application/json", content_encoding="utf-8", headers={"task": "mark"})
    field.load().join()


def publish(field: PeerField, body: bytes, **properties: Any) -> None:
    with pika.BlockingConnection(pika.URLParameters(field.ground.rabbitmq.url)) as connection:
        connection.channel().basic_publish("", "default", body, pika.BasicProperties(**properties))


FAULTS = {
    fault.number: fault
    for fault in (
        PeerFault(1, "process SIGKILLed in a job", killed_in_the_body),
        PeerFault(3, "process dies as the body starts", dies_by_itself, "start"),
        PeerFault(4, "process dies as the body ends", dies_by_itself, "end"),
        PeerFault(9, "RabbitMQ stopped for 60 s while jobs are sent", stopped),
        PeerFault(10, "RabbitMQ frozen for 60 s while jobs are sent", frozen),
        PeerFault(11, "RabbitMQ wiped", wiped),
        PeerFault(12, "queue purged, then deleted", purged_and_deleted),
        PeerFault(13, "memory alarm for 40 s while jobs are sent", alarmed),
        PeerFault(14, "connections cut every 2 s", cut_every_two_seconds),
        PeerFault(15, "silent black hole for 90 s", black_hole),
        PeerFault(16, "consumer_timeout of 60 s, a job of 150 s", consumer_timeout),
        PeerFault(21, "each waiting message published 20 times", doubled_messages),
        PeerFault(22, "malformed messages before good ones", malformed),
    )
}
