"""How claimed runs reach Dramatiq's worker threads when workers watch the ledger themselves.

A consumer takes as many runs as there are free slots, and hands each on only after its claim was committed.
Dramatiq's later "ack" gives the slot back; nothing else depends on it.
"""

import logging
import time
from collections import deque

from dramatiq import Message
from dramatiq.broker import Consumer, MessageProxy

from ledger import claims, clock
from ledger.claims import Claim
from ledger.engine import Glance
from ledger.errors import LedgerAway
from workers.desk import Desk

log = logging.getLogger(__name__)

AWAY_SECONDS = 1.0
LOOK_SECONDS = 3.0  # an idle consumer asks the ledger at least so often
RESTLESS_SECONDS = 0.02  # the longest rest between two looks while the ledger is busy with others' runs


def proxy(claim: Claim) -> MessageProxy:
    """A claimed run as Dramatiq's worker threads take it. The claim is the only argument: see broker.declare_actor."""
    return MessageProxy(
        Message(queue_name=claim.queue, actor_name=claim.job, args=(claim,), kwargs={}, options={}, message_id=claim.id)
    )


class LedgerConsumer(Consumer):
    """Yields claimed runs of one queue; None when there was nothing for ``timeout`` milliseconds."""

    def __init__(self, glance: Glance, desk: Desk, queue: str, timeout: int):
        self._glance, self._desk, self._queue = glance, desk, queue
        self._timeout = timeout / 1000
        self._claimed: deque[Claim] = deque()
        self._more = True  # the last claim filled all free slots: there may be more
        self._due_at: int | None = None
        self._fruitless = 0

    def __next__(self) -> MessageProxy | None:
        if not self._claimed:
            self._take()
        return proxy(self._claimed.popleft()) if self._claimed else None

    def ack(self, message: MessageProxy) -> None:
        self._desk.slots.release()

    nack = ack

    def close(self) -> None:
        """What it has claimed and not handed on is given back by the desk."""
        self._desk.slots.release(len(self._claimed))
        self._claimed.clear()

    def _take(self) -> None:
        seen = self._desk.watch.version
        try:
            if self._desk.draining.is_set():
                time.sleep(self._timeout)
            elif not (self._more or self._is_due()) or not self._fill_slots(self._desk.slots.most, self._timeout):
                self._rest(seen)
        except LedgerAway as error:
            log.warning("No run is started now: %s", error)
            time.sleep(AWAY_SECONDS)

    def _is_due(self) -> bool:
        """Looks without a lock, and remembers when the next run falls due."""
        with self._glance() as connection:
            self._due_at = claims.next_due(connection, self._queue, self._desk.claims.jobs)
        due = self._due_at is not None and self._due_at <= clock.now()
        self._fruitless = 0 if due else self._fruitless + 1
        return due

    def _fill_slots(self, wanted: int, wait: float = 0) -> bool:
        """Claims up to ``wanted`` runs for the slots that are free, after ``wait`` seconds at most.

        False when there was a slot and no run for it: others were quicker, or may not be served from here. Without
        a slot nobody knows whether there is more.
        """
        reserved = self._desk.slots.reserve(wanted, wait)
        try:
            self._claimed.extend(self._desk.claim(self._queue, reserved) if reserved else ())
            self._more = len(self._claimed) == reserved
        finally:
            self._desk.slots.release(reserved - len(self._claimed))
        return bool(self._claimed) or not reserved

    def _rest(self, seen: int) -> None:
        """Until the ledger changes or the next run falls due; longer each time when the changes were others' runs."""
        longest = self._timeout
        if self._due_at is not None and self._due_at > clock.now():
            longest = min(longest, (self._due_at - clock.now()) / clock.SECOND)
        changed = self._desk.watch.wait(seen, longest) != seen
        if not changed:
            self._fruitless = 0
        elif self._fruitless > 3:
            time.sleep(min(RESTLESS_SECONDS, 0.001 * self._fruitless))
