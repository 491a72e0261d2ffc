"""Why a run waits. Facts only; the words are the site's."""

from dataclasses import dataclass
from enum import StrEnum

from sqlalchemy import Connection, select

from ledger import pauses
from ledger.pauses import Pause
from ledger.queries.consumers import Consumers, consumers
from ledger.queries.counting import Count
from ledger.queries.queued import due, priorities
from ledger.tables import runs

#: Places in a queue are counted up to here.
MOST_AHEAD = 1_000


class Why(StrEnum):
    PAUSED = "paused"  # a person paused its queue
    NO_WORKER = "no worker"  # no live worker consumes its queue
    UNKNOWN_JOB = "unknown job"  # those that do consume it do not know the job
    NOT_DUE = "not due"
    BEHIND = "behind"  # others go first
    NEXT = "next"  # nothing is in its way but a free slot


@dataclass(frozen=True, slots=True)
class Reason:
    """``attempt`` of ``attempts`` after a failure; ``due_at`` while that lies ahead; ``ahead`` for BEHIND; ``pause``
    for PAUSED."""

    why: Why
    queue: str
    attempt: int | None = None
    attempts: int | None = None
    due_at: int | None = None
    ahead: Count = Count()
    pause: Pause | None = None


def reasons(connection: Connection, rows: list, now: int) -> dict[str, Reason]:
    """Of queued rows, by run id."""
    served, paused = consumers(connection, now), pauses.paused(connection, now)
    due_queues = {row.queue for row in rows if row.due_at <= now and served.know(row.queue, row.job)}
    places = {queue: _places(connection, queue, now) for queue in sorted(due_queues - paused.keys())}
    return {row.id: _reason(row, served, paused.get(row.queue), places.get(row.queue, {}), now) for row in rows}


def _reason(row, served: Consumers, pause: Pause | None, places: dict[str, int], now: int) -> Reason:
    attempt, attempts = (row.failures + 1, row.max_attempts) if row.failures else (None, None)
    due_at = row.due_at if row.due_at > now else None
    why = Why.PAUSED if pause and due_at is None else _why(row, served, due_at, places)
    ahead = Count(places.get(row.id, MOST_AHEAD), row.id not in places) if why == Why.BEHIND else Count()
    return Reason(why, row.queue, attempt, attempts, due_at, ahead, pause if why == Why.PAUSED else None)


def _why(row, served: Consumers, due_at: int | None, places: dict[str, int]) -> Why:
    if due_at is not None:
        return Why.NOT_DUE
    if not served.consume(row.queue):
        return Why.NO_WORKER
    if not served.know(row.queue, row.job):
        return Why.UNKNOWN_JOB
    return Why.NEXT if places.get(row.id) == 0 else Why.BEHIND


def _places(connection: Connection, queue: str, now: int) -> dict[str, int]:
    """How many due runs go before each of the first ``MOST_AHEAD``, in the order of claims."""
    found: list[str] = []
    for priority in priorities(connection, queue):
        ordered = select(runs.c.id).where(*due(queue, priority, now)).order_by(runs.c.due_at, runs.c.id)
        found += connection.scalars(ordered.limit(MOST_AHEAD - len(found)))
        if len(found) >= MOST_AHEAD:
            break
    return {run_id: place for place, run_id in enumerate(found)}
