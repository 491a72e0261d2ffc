"""Threads that hang or die: the worker process is replaced, and the other runs wait again, none the worse."""

import pytest

from ledger import runs
from ledger.runs import NewRun
from tests.stack import Stack

JOBS = "tests.jobs.stock,tests.jobs.isolated"


@pytest.fixture
def isolated_stack(embedded_stack: Stack) -> Stack:
    embedded_stack.processes.environment["JOBS"] = JOBS
    return embedded_stack


def outcomes(stack: Stack, run_id: str) -> list[str]:
    found = stack.rows("SELECT outcome FROM attempts WHERE run_id = :id ORDER BY number", id=run_id)
    return [row.outcome for row in found]


def new(job: str, *args) -> NewRun:
    return NewRun(job=job, queue="default", origin="code", args=args)


def reasons(stack: Stack) -> list[str]:
    """Why workers ended in order, the supervisor going on."""
    found = stack.rows("SELECT ended_because FROM processes WHERE kind = 'worker' AND state = 'stopped'")
    return [row.ended_because for row in found]


def test_a_thread_that_a_time_limit_cannot_stop_costs_its_worker_and_nothing_else(isolated_stack: Stack):
    stack = isolated_stack
    workers = stack.workers(1, 2)
    (child,) = workers.children
    deaf, neighbour = stack.dispatch("deaf"), stack.dispatch("long_at_first")
    run = stack.wait_for_state(deaf, "failed")
    assert (run.error_type, run.failures, run.crashes) == ("TimeLimitExceeded", 1, 0)
    run = stack.wait_for_state(neighbour, "succeeded")
    assert outcomes(stack, neighbour) == ["interrupted", "succeeded"]
    assert (run.failures, run.crashes) == (0, 0)
    assert len(workers.children) == 1 and workers.children != [child]
    assert reasons(stack) == [f"replaced: run {deaf} did not stop when it was interrupted"]


def test_a_thread_that_a_cancel_cannot_stop_ends_as_canceled(isolated_stack: Stack):
    stack = isolated_stack
    stack.workers(1, 2)
    run_id = stack.dispatch("deaf_to_cancel")
    stack.wait_for_state(run_id, "running")
    runs.cancel(stack.engine, run_id, "ana")
    assert stack.wait_for_state(run_id, "canceled").attempt == 1
    assert stack.wait_for_state(stack.dispatch("add", 1, 1), "succeeded").attempt == 1


@pytest.mark.parametrize("kind", ["worker", "consumer"])
def test_a_worker_process_with_a_dead_thread_is_replaced(isolated_stack: Stack, kind: str):
    stack = isolated_stack
    stack.workers(1, 3)
    neighbour = stack.dispatch("long_at_first")
    stack.wait_for_state(neighbour, "running")
    stack.dispatch("kill_thread", kind)
    stack.processes.wait_until(lambda: reasons(stack), 10, "the worker is replaced")
    assert reasons(stack) == [f"replaced: its thread {kind.capitalize()}Thread has died"]
    assert stack.wait_for_state(neighbour, "succeeded").crashes == 0
    assert outcomes(stack, neighbour) == ["interrupted", "succeeded"]
    assert stack.wait_for_state(stack.dispatch("collect", 1, queue="side"), "succeeded").attempt == 1


def test_what_a_dead_worker_had_claimed_and_not_begun_is_none_the_worse(isolated_stack: Stack):
    """One thread that has seen forty short runs claims six more than it can begin."""
    stack = isolated_stack
    stack.workers(1, 1)
    runs.dispatch_many(stack.engine, [new("mark", n) for n in range(40)])
    stack.wait_for_all()
    poison, *waiting = runs.dispatch_many(stack.engine, [new("poison"), *(new("mark", n) for n in range(40, 46))])
    assert stack.wait_for_state(poison, "dead", 60).crashes == stack.settings.crash_limit
    for run_id in waiting:
        run = stack.wait_for_state(run_id, "succeeded")
        assert (run.attempt, run.crashes, outcomes(stack, run_id)) == (1, 0, ["succeeded"])
