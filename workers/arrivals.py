"""What a RabbitMQ message says: a hint of ours, a run that a foreign producer asks for, or nothing readable.

Everything is checked here, before Dramatiq sees any of it: a malformed field there stops a whole queue.
"""

from dataclasses import dataclass

from dramatiq import Message
from dramatiq.common import q_name
from dramatiq.errors import DecodeError

from ledger import texts
from ledger.ids import is_id
from ledger.runs import NewRun
from workers import messages


class Unreadable(Exception):
    """A message that is no run and cannot become one; its text says why."""


@dataclass(frozen=True, slots=True)
class Delivery:
    tag: int
    queue: str
    body: bytes


@dataclass(frozen=True, slots=True)
class Hint:
    run_id: str


FIELDS = {
    "args": tuple,
    "kwargs": dict,
    "options": dict,
    "message_id": str,
    "message_timestamp": int,
    "actor_name": str,
}


def understand(delivery: Delivery, actors: dict) -> Hint | NewRun:
    """Raises Unreadable with a sentence for people."""
    message = decode(delivery.body)
    check(message)
    run_id = message.options.get("run_id")
    if run_id is not None:
        if not (isinstance(run_id, str) and is_id(run_id)):
            raise Unreadable(f"its run id is no id: {str(run_id)[:50]!r}")
        return Hint(run_id)
    return adopt(message, delivery, actors)


def decode(body: bytes) -> Message:
    try:
        return Message.decode(body)
    except DecodeError as error:
        raise Unreadable(f"it is no Dramatiq message: {error.error}") from None


def check(message: Message) -> None:
    for name, wanted in FIELDS.items():
        value = getattr(message, name)
        if not isinstance(value, wanted) or isinstance(value, bool):
            raise Unreadable(f"its {name} is {type(value).__name__}, not {wanted.__name__}")
    for name in (message.actor_name, message.message_id):
        if not 0 < len(name) <= 200 or texts.clean(name) != name:
            raise Unreadable(f"its actor_name or message_id is empty, too long or no clean text: {name[:50]!r}")


def adopt(message: Message, delivery: Delivery, actors: dict) -> NewRun:
    """The run that a foreign producer's message asks for; where it lay decides the queue, not what it says."""
    located = message.copy(queue_name=q_name(delivery.queue))
    try:
        new = messages.new_run(located, origin="message", actor=actors.get(message.actor_name))
        texts.to_json([new.args, new.kwargs, new.options])
        check_ranges(new)
    except (TypeError, ValueError, OverflowError) as error:
        raise Unreadable(f"its options cannot be used: {error}") from None
    return new


def check_ranges(new: NewRun) -> None:
    """ValueError for numbers that no column can hold."""
    for name, value, limit in (
        ("eta", new.due_at, 2**62),
        ("max_age", new.expires_at, 2**62),
        ("priority", new.priority, 2**31),
    ):
        if value is not None and not -limit < value < limit:
            raise ValueError(f"{name} is out of range")
