"""Jobs that may run only so many at a time, so often, or once for the same arguments."""

import time

import dramatiq
from dramatiq.middleware import CurrentMessage
from dramatiq.rate_limits import Barrier, ConcurrentRateLimiter, WindowRateLimiter

from tests.jobs.stock import witness
from workers.limiters import LedgerBackend


@dramatiq.actor(max_concurrency=1, max_retries=0)
def alone(seconds: float = 0.05):
    _present("alone", seconds)


@dramatiq.actor(max_concurrency=2, max_retries=0, isolation="process")
def in_pairs(seconds: float = 0.3):
    _present("in_pairs", seconds)


@dramatiq.actor(rate_limit="3 / 2 s", max_retries=0)
def now_and_then():
    witness("now_and_then", f"{time.time():.3f}")


@dramatiq.actor(unique="active", unique_by=["subject"], max_retries=0)
def once(subject: str, seconds: float = 0.5):
    """Loads a subject, once at a time."""
    _present(f"once_{subject}", seconds)
    return subject


@dramatiq.actor(max_retries=0)
def guarded(seconds: float = 0.05):
    """Stock Dramatiq: tries until it may."""
    while True:
        with ConcurrentRateLimiter(LedgerBackend(), "tests-mutex").acquire(raise_on_failure=False) as acquired:
            if acquired:
                return _present("guarded", seconds)
        time.sleep(0.02)


@dramatiq.actor(max_retries=0)
def metered():
    with WindowRateLimiter(LedgerBackend(), "tests-window", limit=2, window=60).acquire(raise_on_failure=False) as may:
        return bool(may)


@dramatiq.actor(max_retries=0)
def met(parties: int):
    barrier = Barrier(LedgerBackend(), "tests-barrier")
    barrier.create(parties)
    return barrier.wait(timeout=20_000)


def _present(what: str, seconds: float) -> None:
    """Says when it came and when it went."""
    key = CurrentMessage.get_current_message().message_id
    witness(f"{what}_in", key)
    time.sleep(seconds)
    witness(f"{what}_out", key)
