"""A job that only newer code knows."""

import dramatiq

from tests.faults.work import work
from workers import context


@dramatiq.actor(max_retries=0)
def newer(key: str):
    return work(key, context.run_id(), context.attempt())
