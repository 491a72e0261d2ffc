"""What a scheduler does besides firing schedules: each function is one turn of a loop and answers the seconds
until the next. All raise LedgerAway. Any number of schedulers may do this at once.
"""

import logging
from collections.abc import Callable

from sqlalchemy import Engine, select

from ledger import barriers, clock, counters, dispatch, retention, ticks
from ledger.engine import reading, writing
from ledger.files import remove_artifacts, remove_old_uploads
from ledger.settings import Settings
from ledger.tables import runs

log = logging.getLogger(__name__)

HINTS_AT_ONCE = 500
LONGEST_WAIT_SECONDS = 1.0
PRUNE_SECONDS = 600.0


def dispatch_due(
    engine: Engine, hint: Callable[[str, str, str], None], repeats: dispatch.Repeats | None = None
) -> float:
    """Publishes the hints that are due, with ``hint(run_id, job, queue)``, after their next ones are on record;
    of repeated ones, as many as ``repeats`` allow."""
    with reading(engine) as connection:
        due_at = dispatch.next_dispatch_at(connection)
    if due_at is None or due_at > clock.now():
        return _seconds_until(due_at)
    with writing(engine) as connection:
        hints = dispatch.take_due_hints(connection, HINTS_AT_ONCE)
    for each in hints:
        if repeats is None or not each.is_repeated or repeats.allow():
            hint(each.run_id, each.job, each.queue)
    return 0.0


def _seconds_until(at: int | None) -> float:
    if at is None:
        return LONGEST_WAIT_SECONDS
    return min(max(at - clock.now(), 0) / clock.SECOND, LONGEST_WAIT_SECONDS)


def expire_overdue(engine: Engine) -> float:
    """Ends queued runs whose offer ran out; takes the write lock only when there is one."""
    with reading(engine) as connection:
        overdue = dispatch.is_overdue(connection)
    if overdue:
        with writing(engine) as connection:
            log.info("%d runs expired before anybody started them.", dispatch.expire_overdue(connection))
    return LONGEST_WAIT_SECONDS



def prune(engine: Engine, settings: Settings) -> float:
    """Forgets what is older than the retention: first runs, a batch a turn, then all else."""
    with writing(engine) as connection:
        paths = retention.prune(connection, settings.retention_days)
    remove_artifacts(settings.artifacts, paths)
    before = clock.now() - settings.retention_days * retention.DAY
    if _holds_runs_finished(engine, before):
        return 0.1
    with writing(engine) as connection:
        ticks.prune(connection, before)
        barriers.forget_expired(connection)
        counters.forget_expired(connection)
    remove_old_uploads(engine, settings)
    return PRUNE_SECONDS


def _holds_runs_finished(engine: Engine, before: int) -> bool:
    with reading(engine) as connection:
        return connection.scalar(select(runs.c.id).where(runs.c.finished_at < before).limit(1)) is not None
