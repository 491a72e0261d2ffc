"""What time does to a run that waits: hints fall due, again and again until it is claimed; offers expire.

One column, ``dispatch_at``, is outbox, delay, retry and the sweep for lost hints.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass

from sqlalchemy import ColumnElement, Connection, bindparam, func, select, update
from sqlalchemy.ext.compiler import compiles

from ledger import clock, failpoints, pauses
from ledger.states import State
from ledger.tables import is_queued, runs

#: Pauses between the hints of one run, in seconds: a lost hint is made good soon, a long queue is not flooded.
STEPS = (10, 30, 60, 300, 900)


@dataclass(frozen=True, slots=True)
class Hint:
    """``is_repeated``: the dispatcher has sent one for this run before."""

    run_id: str
    job: str
    queue: str
    is_repeated: bool = False


class Repeats:
    """How many repeated hints may be sent: many at once, then so many a second.

    Hints are alike, and a worker that one of them wakes goes on by itself. So a few repeated ones make good what
    a broker lost, and a queue of 100,000 runs that nobody serves does not lie in the broker three times.
    """

    def __init__(self, at_once: float = 500, per_second: float = 20, clock: Callable[[], float] = time.monotonic):
        self._most, self._per_second, self._clock = at_once, per_second, clock
        self._left, self._filled_at = at_once, clock()

    def allow(self) -> bool:
        """Whether one more may be sent, which then counts."""
        now = self._clock()
        self._left = min(self._most, self._left + (now - self._filled_at) * self._per_second)
        self._filled_at = now
        if self._left < 1:
            return False
        self._left -= 1
        return True


class _IsQueued(ColumnElement):
    """``is_queued``, told to SQLite as something that narrows nothing: it would look up, and sort, all queued
    runs by their state (80 ms for 20,000 of them) rather than read ``ix_runs_dispatch`` from its start."""

    inherit_cache = True


@compiles(_IsQueued)
def _plainly(_element, _compiler, **_options) -> str:
    return is_queued.text


@compiles(_IsQueued, "sqlite")
def _as_likely(_element, _compiler, **_options) -> str:
    return f"likelihood({is_queued.text}, 0.99)"


_due = (
    select(runs.c.id, runs.c.job, runs.c.queue, runs.c.dispatches)
    .where(_IsQueued(), runs.c.dispatch_at <= bindparam("now"))
    .order_by(runs.c.dispatch_at)
    .limit(bindparam("most"))
    .with_for_update(skip_locked=True)
)
_let_sleep = (
    update(runs).where(runs.c.id == bindparam("the_id"), is_queued).values(dispatch_at=bindparam("next_at"))
)
_push_ahead = (
    update(runs)
    .where(runs.c.id == bindparam("the_id"), is_queued)
    .values(dispatch_at=bindparam("next_at"), dispatches=runs.c.dispatches + 1)
)


def take_due_hints(connection: Connection, most: int) -> list[Hint]:
    """Up to ``most`` hints that are due now; each run's next one is pushed ahead. ``state`` is never touched.

    Those of paused queues are not among them: nobody could follow them, and the end of the pause brings some.
    """
    now = clock.now()
    rows = connection.execute(_due, {"now": now, "most": most}).fetchall()
    if not rows:
        return []
    failpoints.mark(connection, "hint")
    paused = pauses.paused(connection, now)
    open_rows = [row for row in rows if row.queue not in paused]
    if open_rows:
        nexts = [{"the_id": row.id, "next_at": now + pause(row.dispatches)} for row in open_rows]
        connection.execute(_push_ahead, nexts)
    if len(open_rows) < len(rows):
        _put_to_sleep(connection, [row for row in rows if row.queue in paused], now)
    return [Hint(row.id, row.job, row.queue, row.dispatches > 0) for row in open_rows]


def _put_to_sleep(connection: Connection, rows: list, now: int) -> None:
    connection.execute(_let_sleep, [{"the_id": row.id, "next_at": now + pauses.SLEEP} for row in rows])


def pause(dispatches: int) -> int:
    return STEPS[min(dispatches, len(STEPS) - 1)] * clock.SECOND


def next_dispatch_at(connection: Connection) -> int | None:
    """When the next hint falls due; None when nothing waits."""
    return connection.scalar(select(func.min(runs.c.dispatch_at)).where(_IsQueued()))


_is_overdue = select(runs.c.id).where(_IsQueued(), runs.c.expires_at <= bindparam("now")).limit(1)


def is_overdue(connection: Connection) -> bool:
    """Whether there is anything to expire; looks without a lock."""
    return connection.scalar(_is_overdue, {"now": clock.now()}) is not None


def expire_overdue(connection: Connection) -> int:
    """Ends queued runs whose offer ran out before anybody started them; how many."""
    failpoints.mark(connection, "expire")
    now = clock.now()
    statement = update(runs).where(is_queued, runs.c.expires_at <= now)
    return connection.execute(statement.values(state=State.EXPIRED, finished_at=now)).rowcount
