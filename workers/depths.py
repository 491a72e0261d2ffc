"""How many messages lie in RabbitMQ: passive declares, in the publisher's thread, on a channel of their own.

Who asks gets the last answer and waits a moment at most: a broker that hangs must not hold up a page. A channel of
its own, for asking for a queue that does not exist closes it.
"""

import threading
import time
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import pika
from dramatiq.common import dq_name, xq_name

FRESH_SECONDS = 2.0  # an answer so young is not asked for again
KEPT_SECONDS = 15.0  # an older one is none
PATIENCE_SECONDS = 0.3  # what a page waits for the first answer
GIVEN_UP_SECONDS = 10.0  # a look that takes so long has got lost with its connection


@dataclass(frozen=True, slots=True)
class Depth:
    """Messages that nobody has taken yet: ``hints`` of ours or messages of others in the queue; ``delayed`` and
    ``dead`` ones of other producers. None when there is no such queue."""

    hints: int | None
    delayed: int | None
    dead: int | None


@dataclass(frozen=True, slots=True)
class Depths:
    """By the queue's name."""

    of: dict[str, Depth]


@dataclass
class _Asking:
    """One look that is under way: names still to be asked, and what was said."""

    connection: Any
    left: list[str]
    found: dict[str, int | None] = field(default_factory=dict)
    since: float = field(default_factory=time.monotonic)


class Look:
    def __init__(self):
        self._found: dict[str, int | None] = {}
        self._found_at = float("-inf")
        self._asking: _Asking | None = None
        self._lock = threading.Lock()
        self._answered = threading.Event()

    def at(self, queues: list[str], connection: Any) -> Depths | None:
        """The newest answer about these queues; asks anew, through ``connection``, when it is not fresh."""
        if self._age() > FRESH_SECONDS:
            self._ask(queues, connection)
        if self._age() > KEPT_SECONDS:
            self._answered.wait(PATIENCE_SECONDS)
        if self._age() > KEPT_SECONDS:
            return None
        found = self._found
        return Depths({each: Depth(*(found.get(name) for name in names(each))) for each in queues})

    def _age(self) -> float:
        return time.monotonic() - self._found_at

    def _ask(self, queues: list[str], connection: Any) -> None:
        with self._lock:
            lost = self._asking is not None and time.monotonic() - self._asking.since > GIVEN_UP_SECONDS
            if self._asking is not None and not lost:
                return
            self._asking = asking = _Asking(connection, [name for each in queues for name in names(each)])
            self._answered.clear()
        try:
            connection.ioloop.add_callback_threadsafe(partial(self._open, asking))
        except Exception:  # the loop is just ending
            self._end(asking)

    # From here on in the publisher's thread.

    def _open(self, asking: _Asking) -> None:
        if not asking.left:
            self._end(asking, complete=True)
        elif asking.connection.is_open:
            asking.connection.channel(on_open_callback=partial(self._begin, asking))
        else:
            self._end(asking)

    def _begin(self, asking: _Asking, channel: pika.channel.Channel) -> None:
        channel.add_on_close_callback(lambda _channel, _reason: self._on_refused(asking))
        self._next(asking, channel)

    def _next(self, asking: _Asking, channel: pika.channel.Channel) -> None:
        if not asking.left:
            self._end(asking, complete=True)
            channel.close()
            return
        name = asking.left[0]
        channel.queue_declare(name, passive=True, callback=partial(self._note, asking, channel))

    def _note(self, asking: _Asking, channel: pika.channel.Channel, frame: Any) -> None:
        asking.found[asking.left.pop(0)] = frame.method.message_count
        self._next(asking, channel)

    def _on_refused(self, asking: _Asking) -> None:
        """There is no queue of that name, and the channel is closed for it."""
        if asking.left:
            asking.found[asking.left.pop(0)] = None
            self._open(asking)

    def _end(self, asking: _Asking, complete: bool = False) -> None:
        with self._lock:
            if self._asking is asking:
                self._asking = None
        if complete:
            self._found, self._found_at = asking.found, time.monotonic()
        self._answered.set()


def names(queue: str) -> tuple[str, str, str]:
    return queue, dq_name(queue), xq_name(queue)
