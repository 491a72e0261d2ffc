"""What ``/metrics`` tells of the ledger: totals that only grow, and how things are now. Capped and cheap."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import islice

from sqlalchemy import Connection, Engine, func, select

from ledger import clock
from ledger.dispatch import next_dispatch_at
from ledger.engine import reading
from ledger.queries.backlog import Backlog, backlog_of
from ledger.queries.counting import Count, count
from ledger.queries.queued import MOST_QUEUES, Range, by_queue, ranges
from ledger.queries.workers import Process, alive_processes
from ledger.tables import attempts, is_queued, is_running, rejected, runs, totals
from ledger.tally import marks_of

DAY = 24 * 3_600 * clock.SECOND
MOST_RARE = 10_000


@dataclass(frozen=True, slots=True)
class Total:
    """What ``tally`` counted of a job's runs that ended in ``state``; ``numbers`` by name, see ``measures``."""

    job: str
    state: str
    numbers: Counter


@dataclass(frozen=True, slots=True, kw_only=True)
class Gauges:
    """``counted_to`` is up to when the totals count; the last three are of the last day, or of now."""

    now: int
    counted_to: int
    totals: tuple[Total, ...]
    backlog: Backlog
    running: tuple[tuple[str, int], ...]
    alive: tuple[Process, ...]
    hint_due_at: int | None
    late: Count
    rejected: Count
    other_queues: Count


def gauges(engine: Engine) -> Gauges:
    with reading(engine) as connection:
        now = clock.now()
        parts = ranges(connection, now)
        return Gauges(
            now=now,
            counted_to=marks_of(connection).counted_to,
            totals=_totals(connection),
            backlog=backlog_of(connection, parts, now),
            running=_running(connection),
            alive=alive_processes(connection),
            hint_due_at=next_dispatch_at(connection),
            late=count(connection, select(attempts.c.run_id).where(attempts.c.late_at > now - DAY), MOST_RARE),
            other_queues=_other_queues(connection, parts),
            rejected=count(connection, select(rejected.c.id).where(rejected.c.received_at > now - DAY), MOST_RARE),
        )


def _totals(connection: Connection) -> tuple[Total, ...]:
    found: dict[tuple[str, str], Counter] = {}
    for job, state, name, number in connection.execute(select(totals)):
        found.setdefault((job, state), Counter())[name] = int(number)
    return tuple(Total(*key, numbers) for key, numbers in sorted(found.items()))


def _other_queues(connection: Connection, parts: Iterable[Range]) -> Count:
    """Runs that are queued beyond the queues that have numbers of their own."""
    names = list(by_queue(parts))  # in the order of the database, which need not be ours
    if len(names) < MOST_QUEUES:
        return Count()
    return count(connection, select(runs.c.id).where(is_queued, runs.c.queue > names[-1]))


def _running(connection: Connection) -> tuple[tuple[str, int], ...]:
    by_queue = select(runs.c.queue, func.count()).where(is_running).group_by(runs.c.queue).order_by(runs.c.queue)
    return tuple((queue, number) for queue, number in islice(connection.execute(by_queue), MOST_QUEUES))
