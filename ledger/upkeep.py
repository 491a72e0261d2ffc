"""What a scheduler does besides firing schedules: each function is one turn of a loop and answers the seconds
until the next. All raise LedgerAway. Any number of schedulers may do this at once.
"""

import logging
from collections.abc import Callable

from sqlalchemy import Engine

from ledger import actions, barriers, clock, counters, dispatch, muting, pauses, retention, schedules, tally, ticks
from ledger.engine import reading, writing
from ledger.files import remove_artifacts, remove_old_uploads, remove_strange_photos, remove_strange_volumes
from ledger.settings import Settings

log = logging.getLogger(__name__)

HINTS_AT_ONCE = 500
LONGEST_WAIT_SECONDS = 1.0
PRUNE_SECONDS = 600.0
UNCOUNTED_SECONDS = 5.0
MUTED_SECONDS = 10.0


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


def end_pauses(engine: Engine) -> float:
    """Wakes workers and schedules when the time of a pause is over."""
    with reading(engine) as connection:
        ends = (pauses.next_end(connection), schedules.next_resumption(connection))
    ends_at = min((at for at in ends if at is not None), default=None)
    if ends_at is None or ends_at > clock.now():
        return _seconds_until(ends_at)
    with writing(engine) as connection:
        for queue in pauses.end_overdue(connection):
            log.info("The pause of queue %s is over.", queue)
        for name in schedules.end_overdue_pauses(connection):
            log.info("The pause of schedule %s is over.", name)
    return 0.0


def prune(engine: Engine, settings: Settings) -> float:
    """Forgets what is beyond the retention: first runs, a batch a turn, then all else."""
    with reading(engine) as connection:
        old = retention.expired(connection, settings.retention_days)
        ids = old or retention.surplus(connection, settings.retention_runs_per_job)
        wait = UNCOUNTED_SECONDS if retention.has_uncounted(connection, settings.retention_days) else PRUNE_SECONDS
    if ids:
        remove_artifacts(settings.artifacts, retention.forget(engine, ids))
        return 0.1
    with writing(engine) as connection:
        before = clock.now() - settings.retention_days * retention.DAY
        retention.forget_rest(connection, settings.retention_days)
        ticks.prune(connection, before)
        actions.prune(connection, before)
        barriers.forget_expired(connection)
        tally.prune(connection)
        counters.forget_expired(connection)
    remove_old_uploads(engine, settings)
    remove_strange_volumes(engine, settings)
    remove_strange_photos(engine, settings)
    return wait


def bring_back(engine: Engine) -> float:
    """Tells people again of muted failures that have changed; takes the write lock only when there are some."""
    with reading(engine) as connection:
        changed = muting.changed(connection, clock.now())
    for each in changed:
        with writing(engine) as connection:
            if muting.bring_back(connection, each):
                log.info("A muted failure has changed: fingerprint=%s %s", each.fingerprint, each.because)
    return MUTED_SECONDS
