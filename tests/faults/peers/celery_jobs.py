"""The job for Celery, with what its documentation advises for jobs that must not be lost.

Late acks, requeued when a worker dies, one message ahead, confirmed publishes, publishing tried again.
"""

import os

from celery import Celery

from tests.faults.peers.body import body

app = Celery("faults", broker=os.environ["BROKER_URL"])
app.conf.update(
    broker_connection_max_retries=None,
    broker_connection_retry_on_startup=True,
    broker_heartbeat=15,
    broker_transport_options={"confirm_publish": True},
    task_acks_late=True,
    task_default_queue="default",
    task_ignore_result=True,
    task_publish_retry=True,
    task_reject_on_worker_lost=True,
    worker_cancel_long_running_tasks_on_connection_loss=False,
    worker_prefetch_multiplier=1,
)


@app.task(name="mark")
def mark(key: str, seconds: float = 0.0) -> None:
    body(key, seconds)
