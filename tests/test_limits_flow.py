"""Limits with real workers, embedded and over RabbitMQ: seen from the bodies themselves, whatever the ledger says."""

import os
import signal
import time

from dramatiq.rate_limits import Barrier, BucketRateLimiter, ConcurrentRateLimiter, WindowRateLimiter

from ledger.runs import NewRun, dispatch_many
from tests.stack import Stack
from workers.limiters import LedgerBackend

MODULE = "tests.jobs.limited"
WORKERS = {"processes": 2, "JOBS": f"tests.jobs.stock,{MODULE}"}
SCHEDULER = True


def send(stack: Stack, job: str, number: int, *args) -> list[str]:
    new = [NewRun(job=job, queue="default", origin="code", args=args) for _ in range(number)]
    return dispatch_many(stack.engine, new)


def wait_for(stack: Stack, run_ids: list[str]) -> list:
    return [stack.wait_for_state(run_id, "succeeded", 60) for run_id in run_ids]


def most_at_once(stack: Stack, what: str) -> int:
    present = most = 0
    for line in stack.witness.read_text().splitlines():
        present += {f"{what}_in": 1, f"{what}_out": -1}.get(line.split()[0], 0)
        most = max(most, present)
    assert present == 0
    return most


def test_never_two_at_a_time_and_what_is_free_goes_on(at_work: Stack):
    waiting, _ = send(at_work, "alone", 12, 0.2), send(at_work, "mark", 5, 1)
    at_work.processes.wait_until(lambda: at_work.witnessed("mark")["1"] == 5, 20, "what is free has run")
    assert "queued" in map(at_work.state, waiting)  # while others wait for their turn
    wait_for(at_work, waiting)
    assert most_at_once(at_work, "alone") == 1
    assert len(at_work.witnessed("alone_in")) == 12


def test_two_at_a_time_in_processes_and_a_killed_worker_leaves_its_places(at_work: Stack):
    supervisor, _scheduler = at_work.processes.started
    sent = send(at_work, "in_pairs", 8)
    at_work.processes.wait_until(lambda: at_work.witnessed("in_pairs_in"), 20, "one has begun")
    os.kill(supervisor.children[0], signal.SIGKILL)
    assert all(run.attempt <= 2 for run in wait_for(at_work, sent))


def test_a_rate_spreads_the_starts(at_work: Stack):
    starts = sorted(run.started_at for run in wait_for(at_work, send(at_work, "now_and_then", 8)))
    assert all(later - earlier >= 2_000_000 for earlier, later in zip(starts, starts[3:], strict=False))
    assert starts[-1] - starts[0] < 8_000_000  # and not much later than it may


def test_an_equal_message_stands_for_the_run_that_is_there(at_work: Stack):
    with at_work.sending(MODULE) as jobs:
        first = jobs.once.send("a", seconds=1.0)
        again = jobs.once.send("a", seconds=2.0)
        other = jobs.once.send("b")
        assert again.message_id == at_work.find(first).id
        assert again.get_result(block=True, timeout=20_000) == "a"
        assert other.get_result(block=True, timeout=20_000) == "b"
        assert jobs.once.send("a").get_result(block=True, timeout=20_000) == "a"
    assert len(at_work.witnessed("once_a_in")) == 2


def test_dramatiqs_rate_limiters_need_no_redis(at_work: Stack):
    guarded = send(at_work, "guarded", 12)
    metered = send(at_work, "metered", 6)
    met = send(at_work, "met", 3, 3)
    wait_for(at_work, guarded + metered + met)
    assert most_at_once(at_work, "guarded") == 1
    assert sorted(at_work.run(each).result for each in metered) == ["false"] * 4 + ["true"] * 2
    assert [at_work.run(each).result for each in met] == ["true"] * 3


def test_the_backend_keeps_to_dramatiqs_own_rules(at_work: Stack):
    with at_work.sending(MODULE):
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
