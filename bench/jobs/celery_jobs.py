"""The measured job for Celery, and the settings by which it promises about what Waybill promises.

A job survives its worker, a publish is confirmed, events tell each job's state, a database keeps its result.
"""

import os

from celery import Celery

from bench import witness

app = Celery("bench", broker=os.environ["BROKER_URL"], backend=f"db+{os.environ['DATABASE_URL']}")
app.conf.update(
    broker_connection_retry_on_startup=True,
    broker_transport_options={"confirm_publish": True},
    task_acks_late=True,
    task_reject_on_worker_lost=True,
    task_send_sent_event=True,
    worker_send_task_events=True,
)


@app.task
def noop(number: int) -> None:
    witness.note(number)
