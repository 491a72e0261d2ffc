"""Paused queues: nothing of them is claimed. What runs goes on; what waits starts when the pause is over.

The claim itself asks for a pause (``is_open`` in ``claims``), so all workers honour it from its commit on, by
whatever broker they are woken.
"""

from dataclasses import dataclass

from sqlalchemy import BindParameter, Column, Connection, Engine, bindparam, delete, select, update

from ledger import clock, texts
from ledger.engine import announce, outlast_writers, upsert, writing
from ledger.prepared import Prepared
from ledger.tables import is_queued, runs
from ledger.tables_people import pauses

#: The end of a pause that lasts until somebody resumes the queue: a number, so that claims compare and no more.
ENDLESS = 2**62
REASON_LIMIT = 300
#: So many runs of a resumed queue are hinted at at once; the workers that they wake go on by themselves.
WOKEN = 100
#: How long the hints of a paused queue's runs sleep: nobody needs them before its end, which wakes some anyway.
SLEEP = 900 * clock.SECOND


@dataclass(frozen=True, slots=True, kw_only=True)
class Pause:
    """Why nothing of ``queue`` starts; ``ends_at`` is None when it lasts until somebody resumes the queue."""

    queue: str
    at: int
    by: str
    reason: str
    ends_at: int | None


def not_paused(queue: Column | BindParameter, now: BindParameter):
    """A condition: ``queue`` may be claimed from at ``now``."""
    return ~select(pauses.c.queue).where(pauses.c.queue == queue, pauses.c.ends_at > now).exists()


def end_of_pause(queue: BindParameter):
    """A value: when the last pause of ``queue`` ends or ended; NULL without one."""
    return select(pauses.c.ends_at).where(pauses.c.queue == queue).scalar_subquery()


def pause(engine: Engine, queue: str, by: str, reason: str = "", ends_at: int | None = None) -> None:
    """Pauses the queue, or says anew by whom, why and until when. Once it returned, nothing of it is claimed."""
    row = {
        "queue": queue, "paused_at": clock.now(), "paused_by": by, "reason": texts.clean(reason, REASON_LIMIT),
        "ends_at": ENDLESS if ends_at is None else ends_at,
    }  # fmt: skip
    with writing(engine) as connection:
        connection.execute(upsert(connection, pauses, "queue"), [row])
        announce(connection)
    outlast_writers(engine, runs)


def resume(connection: Connection, queue: str) -> bool:
    """Ends the pause and wakes workers; False when there was none."""
    ended = connection.execute(delete(pauses).where(pauses.c.queue == queue)).rowcount
    if ended:
        _wake(connection, queue)
    return bool(ended)


def end_overdue(connection: Connection) -> list[str]:
    """Forgets the pauses whose end has come, and wakes workers: the queues."""
    overdue = delete(pauses).where(pauses.c.ends_at <= clock.now()).returning(pauses.c.queue)
    queues = sorted(connection.scalars(overdue))
    for queue in queues:
        _wake(connection, queue)
    return queues


def _wake(connection: Connection, queue: str) -> None:
    """Lets hints of some waiting runs fall due now; workers without a broker hear of the commit itself."""
    now = clock.now()
    waiting = select(runs.c.id).where(is_queued, runs.c.queue == queue, runs.c.due_at <= now)
    some = list(connection.scalars(waiting.limit(WOKEN)))  # any will do: workers claim in order, whatever woke them
    if some:
        connection.execute(update(runs).where(runs.c.id.in_(some), is_queued).values(dispatch_at=now))
    announce(connection)


def next_end(connection: Connection) -> int | None:
    """When the next pause ends by itself; None when none does."""
    ends = select(pauses.c.ends_at).where(pauses.c.ends_at < ENDLESS)
    return connection.scalar(ends.order_by(pauses.c.ends_at).limit(1))


_paused = Prepared(select(pauses).where(pauses.c.ends_at > bindparam("now")).order_by(pauses.c.queue))


def paused(connection: Connection, now: int) -> dict[str, Pause]:
    """The pauses that hold at ``now``, by queue."""
    return {row.queue: _pause(row) for row in _paused.run(connection, {"now": now})}


def _pause(row) -> Pause:
    ends_at = None if row.ends_at >= ENDLESS else row.ends_at
    return Pause(queue=row.queue, at=row.paused_at, by=row.paused_by, reason=row.reason, ends_at=ends_at)
