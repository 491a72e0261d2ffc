"""The job for Waybill: a plain Dramatiq actor."""

import dramatiq

from tests.faults.peers.body import body


@dramatiq.actor(max_retries=3, min_backoff=200, max_backoff=1_000)
def mark(key: str, seconds: float = 0.0) -> None:
    body(key, seconds)
