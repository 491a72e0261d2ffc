"""Limits with real workers, embedded and over RabbitMQ: seen from the bodies themselves, whatever the ledger says."""

import os
import signal
import time

import pytest
from dramatiq.rate_limits import Barrier, BucketRateLimiter, ConcurrentRateLimiter, WindowRateLimiter

from ledger.runs import NewRun, dispatch_many
from tests.stack import Stack
from workers.limiters import LedgerBackend

MODULE = "tests.jobs.limited"


@pytest.fixture
def limited(stack: Stack) -> Stack:
    stack.processes.environment["JOBS"] = f"tests.jobs.stock,{MODULE}"
    return stack


def send(stack: Stack, job: str, number: int, *args) -> list[str]:
    new = [NewRun(job=job, queue="default", origin="code", args=args) for _ in range(number)]
    return dispatch_many(stack.engine, new)


def most_at_once(stack: Stack, what: str) -> int:
    present = most = 0
    for line in stack.witness.read_text().splitlines():
        present += {f"{what}_in": 1, f"{what}_out": -1}.get(line.split()[0], 0)
        most = max(most, present)
    assert present == 0
    return most


def test_never_two_at_a_time_and_what_is_free_goes_on(limited: Stack):
    limited.scheduler()
    limited.workers(2, 4)
    send(limited, "alone", 20, 0.2)
    send(limited, "mark", 5, 1)
    limited.processes.wait_until(lambda: limited.witnessed("mark")["1"] == 5, 20, "what is free has run")
    assert limited.states()["queued"]  # while others wait for their turn
    limited.wait_for_all()
    assert most_at_once(limited, "alone") == 1
    assert len(limited.witnessed("alone_in")) == 20


def test_two_at_a_time_in_processes_and_a_killed_worker_leaves_its_places(limited: Stack):
    limited.scheduler()
    supervisor = limited.workers(2, 4)
    send(limited, "in_pairs", 8)
    limited.processes.wait_until(lambda: limited.witnessed("in_pairs_in"), 20, "one has begun")
    os.kill(supervisor.children[0], signal.SIGKILL)
    limited.wait_for_all()
    counts = limited.rows("SELECT id, attempt FROM runs WHERE job = 'in_pairs'")
    assert len(counts) == 8 and all(row.attempt <= 2 for row in counts)


def test_a_rate_spreads_the_starts(limited: Stack):
    limited.scheduler()
    limited.workers(2, 4)
    send(limited, "now_and_then", 8)
    limited.wait_for_all()
    starts = sorted(row.started_at for row in limited.rows("SELECT started_at FROM runs"))
    assert all(later - earlier >= 2_000_000 for earlier, later in zip(starts, starts[3:], strict=False))
    assert starts[-1] - starts[0] < 8_000_000  # and not much later than it may


def test_an_equal_message_stands_for_the_run_that_is_there(limited: Stack):
    limited.workers(1, 4)
    with limited.sending(MODULE) as jobs:
        first = jobs.once.send("a", seconds=1.0)
        again = jobs.once.send("a", seconds=2.0)
        other = jobs.once.send("b")
        assert again.message_id == limited.find(first).id
        assert again.get_result(block=True, timeout=20_000) == "a"
        assert other.get_result(block=True, timeout=20_000) == "b"
        assert jobs.once.send("a").get_result(block=True, timeout=20_000) == "a"
    assert len(limited.witnessed("once_a_in")) == 2


def test_dramatiqs_rate_limiters_need_no_redis(limited: Stack):
    limited.workers(2, 4)
    send(limited, "guarded", 12)
    metered = send(limited, "metered", 6)
    met = send(limited, "met", 3, 3)
    limited.wait_for_all()
    assert most_at_once(limited, "guarded") == 1
    assert sorted(limited.run(each).result for each in metered) == ["false"] * 4 + ["true"] * 2
    assert [limited.run(each).result for each in met] == ["true"] * 3


def test_the_backend_keeps_to_dramatiqs_own_rules(limited: Stack):
    with limited.sending(MODULE):
        backend = LedgerBackend()
        mutex = ConcurrentRateLimiter(backend, "m", limit=2)
        with mutex.acquire(), mutex.acquire():
            with mutex.acquire(raise_on_failure=False) as third:
                assert not third
        with mutex.acquire(raise_on_failure=False) as again:
            assert again
        bucket = BucketRateLimiter(backend, "b", limit=3, bucket=60_000)
        window = WindowRateLimiter(backend, "w", limit=3, window=60)
        for limiter in (bucket, window):
            assert [_may(limiter) for _ in range(5)] == [True] * 3 + [False] * 2
        assert (backend.add("k", 1, 100), backend.add("k", 1, 100)) == (True, False)
        time.sleep(0.15)  # its time to live
        assert backend.add("k", 1, 100)
        barrier = Barrier(backend, "x")
        assert barrier.create(2)
        assert not barrier.wait(block=False)
        assert barrier.wait(timeout=1_000)


def _may(limiter) -> bool:
    with limiter.acquire(raise_on_failure=False) as may:
        return bool(may)
