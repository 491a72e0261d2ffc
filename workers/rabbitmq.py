"""Consuming from RabbitMQ: a hint makes a consumer look into the ledger at once, no more and no less.

A hint is acked on the channel that delivered it, by the thread that read it, after the claims it led to are
committed: no ack is ever late, foreign, or a promise that a job has run. Messages of foreign producers are
adopted into the ledger; what nobody can read is kept there as rejected.
"""

import logging
import random
import time
from typing import Any

from pika.exceptions import AMQPError

from ledger import clock, notes, runs
from ledger.engine import Glance
from ledger.errors import LedgerAway, first_line
from ledger.runs import NewRun
from workers.arrivals import Delivery, Hint, Unreadable, understand
from workers.desk import Desk
from workers.intake import LOOK_SECONDS, LedgerConsumer
from workers.line import Line

log = logging.getLogger(__name__)

FULL_SECONDS = 0.25  # with all slots busy for so long, hints go back for other workers
AWAY_SECONDS = 1.0  # so long a ledger that is away is left alone: it refuses a thousand times a second


class HintConsumer(LedgerConsumer):
    """A consumer that RabbitMQ wakes. Without RabbitMQ it asks the ledger every few seconds: slower, not stopped."""

    def __init__(self, engine: Any, glance: Glance, desk: Desk, queue: str, timeout: int, actors: dict):
        super().__init__(glance, desk, queue, timeout)
        self._engine, self._actors = engine, actors
        self._line = Line(desk.settings, queue, desk.slots.count * 3)
        self._look_at = 0.0

    def close(self) -> None:
        super().close()
        self._line.close()

    def _take(self) -> None:
        try:
            if self._desk.draining.is_set():
                self._line.pause()
                time.sleep(self._timeout)
            elif not self._desk.slots.wait(FULL_SECONDS):
                self._line.pause()
                self._desk.slots.wait(self._timeout)
            else:
                self._serve(self._line.hints(min(self._timeout, max(0.001, self._look_at - time.monotonic()))))
        except LedgerAway as error:
            self._line.lose(error)  # hints go back unacked: an unreachable ledger must not drain RabbitMQ
            self._look_at = time.monotonic() + AWAY_SECONDS
        except (AMQPError, OSError) as error:
            self._line.lose(error)

    def _serve(self, deliveries: list[Delivery]) -> None:
        if deliveries:
            self._follow(deliveries)
            self._line.ack(deliveries)
        elif time.monotonic() >= self._look_at:
            self._look()

    def _follow(self, deliveries: list[Delivery]) -> None:
        """Claims as many runs as there are hints. Which ones, the ledger decides: priority first, then age."""
        understood = [(delivery, self._understand(delivery)) for delivery in deliveries]
        hints = {found.run_id: delivery for delivery, found in understood if isinstance(found, Hint)}
        for delivery, found in understood:
            if isinstance(found, NewRun):
                self._adopt(delivery, found)
        self._fill_slots(len(deliveries), FULL_SECONDS)
        if len(self._claimed) < len(deliveries):
            self._look_at = 0.0  # too few slots, or runs of several priorities: look again without a hint
        for run_id in self._unknown(hints.keys() - {claim.id for claim in self._claimed}):
            self._reject(hints[run_id], f"it hints at run {run_id}, which the ledger does not know")

    def _unknown(self, run_ids: set[str]) -> list[str]:
        if not run_ids:
            return []
        with self._glance() as connection:
            return notes.find_unknown(connection, sorted(run_ids))

    def _adopt(self, delivery: Delivery, new: NewRun) -> None:
        """Takes a foreign producer's message into the ledger; one that no column can hold is rejected."""
        try:
            self._desk.writer.call(runs.insert_groups, [new])
        except LedgerAway:
            raise
        except Exception as error:
            log.exception("A foreign message could not be adopted.")
            self._reject(delivery, f"the ledger cannot hold it: {first_line(error)}")

    def _understand(self, delivery: Delivery):
        try:
            return understand(delivery, self._actors)
        except Unreadable as error:
            self._reject(delivery, str(error))
            return None

    def _reject(self, delivery: Delivery, reason: str) -> None:
        log.warning("A message on %s was rejected and kept: %s", delivery.queue, reason)
        notes.reject(self._engine, delivery.queue, reason, delivery.body)

    def _look(self) -> None:
        """Claims without a hint: what was lost with RabbitMQ, and delayed runs that fell due."""
        if self._more or self._is_due():
            self._fill_slots(self._desk.slots.most, FULL_SECONDS)
        self._look_at = time.monotonic() + (0 if self._more else self._pause())

    def _pause(self) -> float:
        """Until the next run falls due, as a rate may have it; else not all at the same moment, when many workers
        lost RabbitMQ at the same moment."""
        longest = LOOK_SECONDS * random.uniform(0.7, 1)
        until = longest if self._due_at is None else (self._due_at - clock.now()) / clock.SECOND
        return until if 0 < until < longest else longest
