"""The same schedules as entries of celery beat. What it publishes is confirmed, as in ``bench.jobs.celery_jobs``."""

import os
from datetime import timedelta

from celery import Celery
from celery.schedules import BaseSchedule, crontab, schedule

from bench.ticks.load import Load, moment

QUEUE, TASK = "ticks", "bench.noop"
LOAD = Load.from_text(os.environ["BENCH_LOAD"])


def entry(number: int) -> dict:
    """It ran last just before what is to be its first time."""
    return {
        "task": TASK, "args": (number,), "schedule": rule(number), "options": {"queue": QUEUE},
        "last_run_at": moment(LOAD.first(number)) - timedelta(seconds=LOAD.interval if LOAD.shape == "spread" else 1),
    }  # fmt: skip


def rule(number: int) -> BaseSchedule:
    if LOAD.shape == "spread":
        return schedule(timedelta(seconds=LOAD.interval), app=app)
    return crontab(minute=LOAD.minutes(number), app=app)


app = Celery("ticks", broker=os.environ["BENCH_BROKER"], set_as_current=True)
app.conf.update(
    broker_connection_retry_on_startup=True,
    broker_transport_options={"confirm_publish": True},
    task_ignore_result=True,
    timezone="UTC",
    enable_utc=True,
)
app.conf.beat_schedule = {str(number): entry(number) for number in range(LOAD.schedules)}
