"""Why a run waits. Facts only; the words are the site's."""

from dataclasses import dataclass
from enum import StrEnum

from sqlalchemy import Connection, select

from ledger import limits, pauses
from ledger.lanes import OPEN
from ledger.limits import Use
from ledger.pauses import Pause
from ledger.queries.consumers import Consumers, consumers
from ledger.queries.counting import Count
from ledger.queries.queued import in_range, priorities
from ledger.tables import runs

#: Places in a queue are counted up to here.
MOST_AHEAD = 1_000


class Why(StrEnum):
    PAUSED = "paused"  # a person paused its queue
    NO_WORKER = "no worker"  # no live worker serves its queue
    UNKNOWN_JOB = "unknown job"  # those that do serve it do not know the job
    NOT_DUE = "not due"
    FULL = "full"  # as many runs of its job run as may
    USED_UP = "used up"  # as many runs of its job have started within a period as may
    BEHIND = "behind"  # others go first
    NEXT = "next"  # nothing is in its way but a free slot


@dataclass(frozen=True, slots=True)
class Reason:
    """``attempt`` of ``attempts`` after a failure; ``due_at`` while that lies ahead; ``ahead`` for BEHIND, ``newer`` of
    them made later, which go first by their priority; ``pause`` for PAUSED; ``limits`` of its job and what is in use of
    them, for FULL and USED_UP."""

    why: Why
    queue: str
    attempt: int | None = None
    attempts: int | None = None
    due_at: int | None = None
    ahead: Count = Count()
    newer: int = 0
    pause: Pause | None = None
    limits: Use | None = None


def reasons(connection: Connection, rows: list, now: int) -> dict[str, Reason]:
    """Of queued rows, by run id."""
    served, paused = consumers(connection, now), pauses.paused(connection, now)
    due = [row for row in rows if row.due_at <= now and row.queue not in paused and served.know(row.queue, row.job)]
    uses = {use.job: use for use in limits.uses(connection, {row.job for row in due}, now)} if due else {}
    lanes = {row.id: (row.queue, _lane(uses.get(row.job))) for row in due}
    places = {lane: _places(connection, *lane, now) for lane in sorted(set(lanes.values()))}
    return {
        row.id: _reason(row, served, paused.get(row.queue), places.get(lanes.get(row.id), []), uses.get(row.job), now)
        for row in rows
    }


def _lane(use: Use | None) -> str:
    return use.job if use is not None and use.is_limited else OPEN


def _reason(
    row, served: Consumers, pause: Pause | None, places: list[str], use: Use | None, now: int
) -> Reason:
    attempt, attempts = (row.failures + 1, row.max_attempts) if row.failures else (None, None)
    due_at = row.due_at if row.due_at > now else None
    why = Why.PAUSED if pause and due_at is None else _why(row, served, due_at, places, use)
    return Reason(
        why, row.queue, attempt, attempts, due_at, *(_ahead(row.id, places) if why == Why.BEHIND else ()),
        pause=pause if why == Why.PAUSED else None,
        limits=use if why in (Why.FULL, Why.USED_UP) else None,
    )  # fmt: skip


def _ahead(run_id: str, places: list[str]) -> tuple[Count, int]:
    """How many go before the run, and how many of them were made after it."""
    is_seen = run_id in places
    first = places[: places.index(run_id)] if is_seen else places
    return Count(len(first), not is_seen), sum(each > run_id for each in first)


def _why(row, served: Consumers, due_at: int | None, places: list[str], use: Use | None) -> Why:
    if due_at is not None:
        return Why.NOT_DUE
    if not served.consume(row.queue):
        return Why.NO_WORKER
    if not served.know(row.queue, row.job):
        return Why.UNKNOWN_JOB
    if use is not None and not use.free:
        return Why.FULL if use.is_full else Why.USED_UP
    return Why.NEXT if places[:1] == [row.id] else Why.BEHIND


def _places(connection: Connection, queue: str, lane: str, now: int) -> list[str]:
    """The first ``MOST_AHEAD`` due runs of the lane, in the order of claims."""
    found: list[str] = []
    for priority in priorities(connection, queue, lane):
        due = select(runs.c.id).where(*in_range(queue, lane, priority), runs.c.due_at <= now)
        found += connection.scalars(due.order_by(runs.c.due_at, runs.c.id).limit(MOST_AHEAD - len(found)))
        if len(found) >= MOST_AHEAD:
            break
    return found
