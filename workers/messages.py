"""Dramatiq messages as runs, and the endings that send further messages."""

from dramatiq import Message
from dramatiq.common import q_name

from ledger import clock, members, texts
from ledger.claims import Claim
from ledger.runs import NewRun

#: What other brokers keep in a message's options and the ledger keeps in columns of its own.
COLUMN_OPTIONS = {"eta", "delay", "retries", "traceback", "requeue_timestamp", "redelivered"}


def new_run(message: Message, *, origin: str, delay: int | None = None, actor=None, **fields) -> NewRun:
    """The run that ``message`` asks for; ``delay`` in milliseconds, ``actor`` if its options are known here."""
    return NewRun(
        job=message.actor_name,
        queue=q_name(message.queue_name),
        origin=origin,
        args=tuple(message.args),
        kwargs=dict(message.kwargs),
        options=members.stamped(_own_options(message), message.message_id),
        priority=priority(message, actor),
        due_at=due_at(message, delay),
        expires_at=expires_at(message, actor),
        message_id=message.message_id,
        **fields,
    )


def _own_options(message: Message) -> dict:
    return {name: value for name, value in message.options.items() if name not in COLUMN_OPTIONS}


def priority(message: Message, actor) -> int:
    """Lower goes first. RabbitMQ's own priorities count the other way round."""
    broker_priority = message.options.get("broker_priority")
    if isinstance(broker_priority, int):
        return -broker_priority
    return actor.priority if actor is not None else 0


def due_at(message: Message, delay: int | None) -> int | None:
    eta = message.options.get("eta")
    if delay:
        return clock.now() + delay * clock.MILLISECOND
    return eta * clock.MILLISECOND if isinstance(eta, int) else None


def expires_at(message: Message, actor) -> int | None:
    max_age = message.options.get("max_age") or (actor.options.get("max_age") if actor is not None else None)
    return (message.message_timestamp + int(max_age)) * clock.MILLISECOND if max_age else None


def original(claim: Claim) -> Message:
    """The message that a claimed run stands for, arguments included."""
    arguments = texts.from_json(claim.args)
    return Message(
        queue_name=claim.queue,
        actor_name=claim.job,
        args=tuple(arguments["args"]),
        kwargs=arguments["kwargs"],
        options=texts.from_json(claim.options),
        message_id=claim.message_id or claim.id,
        message_timestamp=claim.created_at // clock.MILLISECOND,
    )
