"""Runs that wait, lane by lane: which may start now, and when the next one may.

Most queues have the one lane without a name. A limited job has a lane of its own in each queue, so that its runs
hold up nobody; what may start from several lanes starts in one order, by priority and due time.
"""

from sqlalchemy import Connection, and_, bindparam, func, or_, select

from ledger import clock, limits
from ledger.limits import Use
from ledger.pauses import ENDLESS, end_of_pause, not_paused
from ledger.prepared import OneOf, Prepared
from ledger.tables import is_limited, is_queued, runs

OPEN = ""  # the lane of runs that no limit holds up
LOWEST = -(2**31)

queued_here = and_(is_queued, runs.c.queue == bindparam("the_queue"), runs.c.lane == bindparam("lane"))
still_offered = or_(runs.c.expires_at.is_(None), runs.c.expires_at > bindparam("now"))
next_priority = select(func.min(runs.c.priority)).where(queued_here, runs.c.priority > bindparam("above"))

_next_priority = Prepared(next_priority)
_first = (
    select(runs.c.priority, runs.c.due_at, runs.c.id)
    .where(
        queued_here,
        runs.c.priority == next_priority.scalar_subquery(),
        still_offered,
        OneOf(runs.c.job, "jobs"),
    )
    .order_by(runs.c.due_at, runs.c.id)
)
_ready = Prepared(
    _first.where(runs.c.due_at <= bindparam("now"))
    .where(not_paused(bindparam("the_queue"), bindparam("now")))
    .limit(bindparam("most"))
)
_next_due = Prepared(_first.add_columns(end_of_pause(bindparam("the_queue")).label("paused_until")).limit(1))
_is_limited_here = Prepared(
    select(runs.c.lane).where(is_queued, runs.c.queue == bindparam("the_queue"), is_limited).limit(1)
)


def choose(connection: Connection, queue: str, jobs: list[str], most: int, now: int) -> list[str]:
    """Ids of up to ``most`` runs that may start now, in the order in which they are to; nobody else uses up the
    limits that they need until this transaction ends."""
    may = [use.job for use in limits.uses_here(connection, queue, jobs, now) if use.free]
    found = _first_ready(connection, queue, OPEN, jobs, most, now)
    for use in limits.uses_locked(connection, may, now):
        found += _first_ready(connection, queue, use.job, jobs, min(most, use.free), now)
    return [run_id for _, _, run_id in sorted(found)[:most]]


def _first_ready(connection: Connection, queue: str, lane: str, jobs: list[str], most: int, now: int) -> list[tuple]:
    """The first of one lane, as priority, due time and id."""
    found: list[tuple] = []
    above: int | None = LOWEST
    while above is not None and len(found) < most:
        asked = {"the_queue": queue, "lane": lane, "above": above, "jobs": jobs, "now": now, "most": most - len(found)}
        rows = _ready.run(connection, asked).fetchall()
        found += map(tuple, rows)
        above = rows[0].priority if rows else priority_above(connection, queue, above, lane)
    return found


def is_limited_here(connection: Connection, queue: str) -> bool:
    """Whether runs of limited jobs wait in ``queue``."""
    return _is_limited_here.run(connection, {"the_queue": queue}).first() is not None


def priority_above(connection: Connection, queue: str, above: int, lane: str = OPEN) -> int | None:
    """The lowest priority number beyond ``above`` that any run has that waits in this lane of ``queue``."""
    return _next_priority.run(connection, {"the_queue": queue, "lane": lane, "above": above}).scalar()


def next_due(connection: Connection, queue: str, jobs: list[str]) -> int | None:
    """When the next run of ``queue`` and ``jobs`` may start, as seen without a lock; None when nothing waits, or only
    for a run to end or for somebody to resume the queue.

    One statement when something of the most urgent priority is due now, which is the case that is in a hurry.
    """
    earliest = _earliest(connection, queue, OPEN, jobs)
    if earliest is not None and earliest <= clock.now():
        return earliest
    uses = limits.uses_here(connection, queue, jobs, clock.now())
    times = (_earliest_limited(connection, queue, use, jobs) for use in uses if not use.is_full)
    return min((at for at in (earliest, *times) if at is not None and at < ENDLESS), default=None)


def _earliest_limited(connection: Connection, queue: str, use: Use, jobs: list[str]) -> int | None:
    at = _earliest(connection, queue, use.job, jobs)
    return at if at is None else max(at, use.next_start_at or 0)


def _earliest(connection: Connection, queue: str, lane: str, jobs: list[str]) -> int | None:
    earliest = None
    above: int | None = LOWEST
    while above is not None:
        now = clock.now()
        asked = {"the_queue": queue, "lane": lane, "above": above, "jobs": jobs, "now": now}
        row = _next_due.run(connection, asked).first()
        if row is not None:
            due_at = max(row.due_at, row.paused_until or 0)
            earliest = due_at if earliest is None else min(earliest, due_at)
            if due_at <= now or row.paused_until == ENDLESS:
                break
        above = row.priority if row is not None else priority_above(connection, queue, above, lane)
    return earliest
