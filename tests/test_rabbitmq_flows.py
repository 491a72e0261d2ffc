"""What RabbitMQ may do to us: go away, lose everything, repeat itself, and bring messages of others."""

import gc
import json
import os
import time
import uuid

import pika
import pytest
from pika.exceptions import ChannelClosedByBroker

from ledger.runs import NewRun, dispatch_many
from tests.processes import wait_until
from tests.servers import RabbitMQ
from tests.stack import Stack
from workers.publisher import RabbitmqPublisher, envelope


def mark(number: int) -> NewRun:
    return NewRun(job="mark", queue="default", origin="code", args=(number,))


def publish(url: str, *bodies: bytes, queue: str = "default") -> None:
    wait_until(lambda: exists(url, queue), 20, "a worker has declared the queue")
    with pika.BlockingConnection(pika.URLParameters(url)) as connection:
        channel = connection.channel()
        for body in bodies:
            channel.basic_publish("", queue, body)


def exists(url: str, queue: str) -> bool:
    return consumers(url, queue) is not None


def consumers(url: str, queue: str) -> int | None:
    """How many consume from the queue; None when there is none of that name."""
    with pika.BlockingConnection(pika.URLParameters(url)) as connection:
        try:
            return connection.channel().queue_declare(queue, passive=True).method.consumer_count
        except ChannelClosedByBroker:
            return None


def foreign(**changes) -> bytes:
    """A message as a stock Dramatiq producer sends it."""
    fields = {
        "queue_name": "default", "actor_name": "add", "args": [20], "kwargs": {"y": 22}, "options": {},
        "message_id": str(uuid.uuid4()), "message_timestamp": int(time.time() * 1000),
    }  # fmt: skip
    return json.dumps(fields | changes).encode()


def test_each_message_published_20_times_starts_one_body(rabbitmq_stack: Stack):
    stack = rabbitmq_stack
    stack.workers(2, 4)
    new = [mark(number) for number in range(200)]
    dispatch_many(stack.engine, new)
    publish(stack.settings.broker_url, *[envelope(run.id, run.job, run.queue) for run in new for _ in range(20)])
    stack.wait_for_all()
    stack.processes.wait_until(lambda: depth(stack) == 0, 20, "all hints are consumed")
    assert set(stack.witnessed("mark").values()) == {1}
    assert len(stack.witnessed("mark")) == 200
    assert stack.ask("SELECT count(*) FROM attempts") == 200


def depth(stack: Stack, queue: str = "default") -> int:
    with pika.BlockingConnection(pika.URLParameters(stack.settings.broker_url)) as connection:
        return connection.channel().queue_declare(queue, passive=True).method.message_count


def test_runs_finish_while_rabbitmq_is_away_and_after_it_lost_everything(rabbitmq_stack: Stack, rabbitmq: RabbitMQ):
    stack = rabbitmq_stack
    stack.workers(1, 4)
    stack.scheduler()
    rabbitmq.kill()
    dispatch_many(stack.engine, [mark(number) for number in range(50)])
    stack.wait_for_all(timeout=30)  # idle workers ask the ledger
    rabbitmq.wipe()
    dispatch_many(stack.engine, [mark(number) for number in range(50, 100)])
    stack.wait_for_all(timeout=30)
    assert set(stack.witnessed("mark").values()) == {1}


def test_a_purged_queue_loses_nothing(rabbitmq_stack: Stack, rabbitmq: RabbitMQ):
    stack = rabbitmq_stack
    stack.workers(1, 1)
    blocker = stack.dispatch("nap", 2)
    stack.wait_for_state(blocker, "running")
    new = [mark(number) for number in range(20)]
    dispatch_many(stack.engine, new)
    publish(stack.settings.broker_url, *[envelope(run.id, run.job, run.queue) for run in new])
    rabbitmq.rabbitmqctl("purge_queue", "default")
    stack.wait_for_all(timeout=30)


def test_a_deleted_queue_is_declared_again(rabbitmq_stack: Stack):
    stack = rabbitmq_stack
    workers = stack.workers(1, 1)
    url = stack.settings.broker_url
    wait_until(lambda: consumers(url, "default"), 20, "a worker consumes from the queue")
    with pika.BlockingConnection(pika.URLParameters(url)) as connection:
        connection.channel().queue_delete("default")
    workers.wait_for_log("its queue was deleted")
    publish(url, foreign())
    stack.processes.wait_until(lambda: stack.states() == {"succeeded": 1}, 20, "a message came through the new one")


def test_messages_of_a_stock_producer_are_adopted(rabbitmq_stack: Stack):
    stack = rabbitmq_stack
    stack.workers()
    eta = int(time.time() * 1000) + 1_500
    again = foreign()
    delayed = foreign(args=[1], queue_name="default.DQ", options={"eta": eta})
    publish(stack.settings.broker_url, again, again)
    publish(stack.settings.broker_url, delayed, queue="default.DQ")
    stack.processes.wait_until(lambda: stack.states() == {"succeeded": 2}, 20, "both are done, and one came twice")
    results = stack.rows("SELECT result, origin, due_at, started_at FROM runs ORDER BY due_at")
    assert [(run.result, run.origin) for run in results] == [("42", "message"), ("23", "message")]
    assert results[1].started_at >= eta * 1000


UNREADABLE = {
    "not JSON": b"\x00\xff",
    "not an object": b"[1]",
    "options are null": foreign(options=None),
    "actor_name is a list": foreign(actor_name=["add"]),
    "NUL in the name": foreign(actor_name="a\x00"),
    "a lone surrogate": foreign(message_id="\ud800"),
    "args are text": foreign(args=None),
    "an eta beyond time": foreign(options={"eta": 10**40}),
    "a run id of no run": envelope(str(uuid.uuid4()), "add", "default"),
    "a run id that is no text": foreign(options={"run_id": 7}),
    "a hint with NUL": foreign(options={"run_id": "\x00"}),
}


def test_what_nobody_can_read_is_kept_and_stops_nothing(rabbitmq_stack: Stack):
    stack = rabbitmq_stack
    stack.workers()
    publish(stack.settings.broker_url, *UNREADABLE.values(), foreign(queue_name="elsewhere"))
    stack.wait_for_all(timeout=20)
    stack.processes.wait_until(lambda: stack.states() == {"succeeded": 1}, 20, "the good one behind them is done")
    rejected = stack.rows("SELECT body, reason, queue FROM rejected")
    assert {bytes(row.body) for row in rejected} == set(UNREADABLE.values())
    assert all(row.reason and row.queue == "default" for row in rejected)


def test_quorum_queues_serve_as_well(stack_with_quorum: Stack, rabbitmq: RabbitMQ):
    stack = stack_with_quorum
    stack.workers()
    with stack.sending() as jobs:
        assert jobs.add.send(1, 1).get_result(block=True, timeout=20_000) == 2
    vhost = stack.settings.broker_url.rpartition("/")[2]
    assert "quorum" in rabbitmq.rabbitmqctl("list_queues", "-p", vhost, "name", "type")


@pytest.fixture
def stack_with_quorum(processes, broker_url: str, sqlite_url: str):
    processes.environment["BROKER_QUORUM"] = "true"
    made = Stack(processes, sqlite_url, broker_url)
    yield made
    made.close()


def test_the_publisher_says_what_became_of_the_broker(rabbitmq: RabbitMQ, processes):
    rabbitmq.revive()
    publisher = RabbitmqPublisher(rabbitmq.url)
    try:
        processes.wait_until(lambda: publisher.status().ok, 10, "connected")
        rabbitmq.kill()
        processes.wait_until(lambda: not publisher.status().ok, 20, "the loss is seen")
        publisher.hint("id", "add", "default")  # neither blocks nor raises
        rabbitmq.revive()
        processes.wait_until(lambda: publisher.status().ok, 30, "connected again")
    finally:
        publisher.close()
    assert "guest" not in publisher.status().detail


def test_a_connection_that_is_lost_leaves_no_socket_behind(rabbitmq: RabbitMQ):
    rabbitmq.revive()
    publisher = RabbitmqPublisher(rabbitmq.url)
    wait_until(lambda: publisher.status().ok, 20, "the publisher is connected")
    gc.collect()
    gc.disable()  # what only the collector closes, nobody closes in time
    try:
        before = len(os.listdir("/proc/self/fd"))
        for _ in range(3):
            rabbitmq.rabbitmqctl("close_all_connections", "a test")
            wait_until(lambda: not publisher.status().ok, 20, "the publisher has seen that")
            wait_until(lambda: publisher.status().ok, 20, "the publisher is connected again")
        assert len(os.listdir("/proc/self/fd")) <= before + 1
    finally:
        gc.enable()
        publisher.close()


def test_what_lies_in_rabbitmq_is_seen_without_waiting_for_it(rabbitmq_stack: Stack, rabbitmq: RabbitMQ):
    publisher = RabbitmqPublisher(rabbitmq.url)
    try:
        with pika.BlockingConnection(pika.URLParameters(rabbitmq.url)) as connection:
            channel = connection.channel()
            for queue in ("seen", "seen.XQ"):
                channel.queue_declare(queue, durable=True)
                channel.basic_publish("", queue, b"x")
        found = wait_until(lambda: publisher.depths(["seen", "nowhere"]), 20, "it was looked at")
        seen, nowhere = found.of["seen"], found.of["nowhere"]
        assert (seen.hints, seen.delayed, seen.dead) == (1, None, 1)
        assert (nowhere.hints, nowhere.delayed, nowhere.dead) == (None, None, None)
        assert publisher.status().ok
        rabbitmq.kill()
        asked_at = time.monotonic()
        publisher.depths(["seen"])
        assert time.monotonic() - asked_at < 5  # nobody waits for the broker
        wait_until(lambda: publisher.depths(["seen"]) is None, 20, "nothing is known any more")
    finally:
        publisher.close()


def test_with_broker_and_ledger_away_both_are_asked_now_and_then(rabbitmq_stack: Stack, rabbitmq, postgresql):
    workers = rabbitmq_stack.workers()
    rabbitmq.kill()
    postgresql.stop("immediate")
    workers.wait_for_log("the ledger cannot be used now")
    began, asked = time.monotonic(), workers.log_text().count("lost RabbitMQ")
    workers.wait_until(lambda: workers.log_text().count("lost RabbitMQ") >= asked + 6, 60, "they are asked again")
    assert time.monotonic() - began > 0.5  # without a pause: a thousand times a second
