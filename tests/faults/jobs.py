"""The jobs that faults are done to: plain Dramatiq actors that leave a trace in the witness."""

import dramatiq

from tests.faults import witness
from tests.faults.work import work
from workers import context


@dramatiq.actor(max_retries=0)
def mark(key: str, seconds: float = 0.0):
    """Has one attempt: it may start again only after a crash."""
    return work(key, context.run_id(), context.attempt(), seconds)


@dramatiq.actor(max_retries=3, min_backoff=100, max_backoff=400)
def flaky(key: str, failures: int = 1, seconds: float = 0.0):
    """Fails so often before it succeeds."""
    done = work(key, context.run_id(), context.attempt(), seconds)
    if failed_before(key) <= failures:
        raise ValueError("not yet")
    return done


def failed_before(key: str) -> int:
    """How many bodies of this key got to their end, this one included."""
    with open(witness.os.environ[witness.VARIABLE]) as lines:
        return sum(line.startswith(f"end {key} ") for line in lines)


@dramatiq.actor(max_retries=1, min_backoff=4_000, max_backoff=4_000)
def later(key: str):
    """Fails once, and is tried again after some seconds."""
    done = work(key, context.run_id(), context.attempt())
    if failed_before(key) <= 1:
        raise ValueError("later")
    return done
