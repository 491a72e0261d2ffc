"""``waybill.bulk``: the job that works off a bulk action, in every worker, whatever its own jobs are.

The site makes its runs (``ledger.actions``), in a queue that some worker serves. It is not announced as a job to
start: it does what a person confirmed, and nothing else.
"""

import logging

import dramatiq

from ledger.acting import Batch, act_on_next
from ledger.actions import JOB
from ledger.files import remove_artifacts
from ledger.queries.actions import progress_of
from workers import context
from workers.broker import WaybillBroker

log = logging.getLogger(__name__)

HOUR = 3_600_000  # milliseconds


def declare(broker: WaybillBroker) -> None:
    """Makes it one of the broker's jobs, in a queue that the worker has anyway."""
    queue = "default" if "default" in broker.queues else next(iter(broker.queues), "default")

    @dramatiq.actor(actor_name=JOB, queue_name=queue, broker=broker, max_retries=10, time_limit=HOUR)
    def bulk(action_id: str) -> dict:
        return work_off(broker, action_id)


def work_off(broker: WaybillBroker, action_id: str) -> dict:
    """Goes on where an earlier attempt, or another worker, left off: each run is acted on once."""
    while True:
        done = progress_of(broker.engine, action_id)
        context.progress(done.acted, done.number)
        with context.undisturbed():
            batch = act_on_next(broker.engine, action_id)
            _settle(broker, batch)
        if not batch.notes:
            return _summary(broker, action_id)


def _settle(broker: WaybillBroker, batch: Batch) -> None:
    for hint in batch.hints:
        broker.publisher.hint(hint.run_id, hint.job, hint.queue)
    remove_artifacts(broker.settings.artifacts, batch.paths)


def _summary(broker: WaybillBroker, action_id: str) -> dict:
    done = progress_of(broker.engine, action_id)
    log.info("%d of %d runs: %s.", done.acted, done.number, done.outcomes)
    return {"runs": done.number, **done.outcomes}
