"""Messages that come too often, too early, or say nothing that anybody understands."""

import json
import secrets
import time
import uuid
from collections.abc import Iterator

import pika

from tests.faults.field import Field
from tests.faults.history import History
from tests.faults.scenario import POSTGRESQL, Fault

TIMES = 20
HUGE = 17_000_000


def hint(run_id: str, job: str = "mark") -> bytes:
    return foreign(actor_name=job, options={"run_id": run_id}, message_id=run_id)


def foreign(**changes) -> bytes:
    """A message as a stock Dramatiq producer sends it."""
    fields = {
        "queue_name": "default", "actor_name": "mark", "args": [], "kwargs": {}, "options": {},
        "message_id": str(uuid.uuid4()), "message_timestamp": int(time.time() * 1000),
    }  # fmt: skip
    return json.dumps(fields | changes).encode()


def publish(url: str, *bodies: bytes, queue: str = "default") -> None:
    with pika.BlockingConnection(pika.URLParameters(url)) as connection:
        channel = connection.channel()
        for body in bodies:
            channel.basic_publish("", queue, body)


class PublishedTwentyTimes(Fault):
    number = 21
    title = f"each message published {TIMES} times"
    on = (POSTGRESQL,)

    def inject(self, field: Field) -> None:
        field.wait(lambda: len(field.client.sent) > 10, 20, "the load has begun")
        for _ in range(5):
            ids = [row.id for row in field.stack.rows("SELECT id FROM runs ORDER BY id DESC LIMIT 40")]
            bodies = [hint(run_id) for run_id in ids for _ in range(TIMES)]
            field.chance.shuffle(bodies)
            publish(field.broker_url, *bodies)

    def check(self, field: Field, history: History) -> Iterator[str]:
        if history.rejected:
            yield f"{len(history.rejected)} hints of known runs were rejected"


class Unreadable(Fault):
    number = 22
    title = "malformed, foreign and huge messages, unknown and finished ids"
    on = (POSTGRESQL,)

    def inject(self, field: Field) -> None:
        field.post("mark", "finished")
        field.wait_for_event("end", "finished")
        self.bad = self.unreadable(field)
        shuffled = list(self.bad)
        field.chance.shuffle(shuffled)
        publish(field.broker_url, *shuffled, hint(field.run_of("finished").id))
        publish(field.broker_url, foreign(kwargs={"key": "adopted"}))
        publish(field.broker_url, foreign(queue_name="else", kwargs={"key": "moved"}))
        for key in ("adopted", "moved"):
            field.wait_for_event("end", key)

    def unreadable(self, field: Field) -> list[bytes]:
        return [
            b"", b"\x00\xff", b"[1]", b"{}", b"null", secrets.token_bytes(300), b"x" * HUGE,
            foreign(options=None), foreign(actor_name=["mark"]), foreign(actor_name="a\x00"), foreign(args=None),
            foreign(message_id="\ud800"), foreign(options={"eta": 10**40}), foreign(options={"run_id": 7}),
            foreign(options={"run_id": "\x00"}), hint(str(uuid.uuid4())),
        ]  # fmt: skip

    def check(self, field: Field, history: History) -> Iterator[str]:
        kept = sorted(bytes(row.body) for row in history.rejected)
        wanted = sorted(body[: 1024 * 1024] for body in self.bad)
        if kept != wanted:
            yield f"{len(kept)} messages were kept as rejected, {len(wanted)} were unreadable"


class OldHint(Fault):
    """A retry waits for its time; a hint that comes earlier, and many do, must not start it."""

    number = 23
    title = "an old hint during a retry's back-off"
    on = (POSTGRESQL,)

    def inject(self, field: Field) -> None:
        field.post("later", "waits")
        field.wait_for_event("end", "waits")
        self.run_id = field.run_of("waits").id
        for _ in range(15):
            publish(field.broker_url, hint(self.run_id, "later"))
            field.pause(0.1)

    def after(self, field: Field) -> None:
        field.wait_for_event("end", "waits", count=2)

    def check(self, field: Field, history: History) -> Iterator[str]:
        own = [row for row in history.attempts if row.run_id == self.run_id]
        first, second = sorted(own, key=lambda row: row.number)
        if second.started_at < first.retry_at:
            yield f"it started {(first.retry_at - second.started_at) / 1e6:.3f} s before its time"
