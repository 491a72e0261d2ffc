"""Pausing a queue and draining workers, with real processes, embedded and over RabbitMQ."""

import time

from ledger import clock, fleet, pauses
from ledger.engine import writing
from ledger.runs import NewRun, dispatch_many
from tests.stack import Stack

QUIET_SECONDS = 0.6  # what a claimed run may take to begin or to go back, and a little


def send_marks(stack: Stack, first: int, number: int) -> None:
    new = [NewRun(job="mark", queue="default", origin="code", args=(first + i,)) for i in range(number)]
    dispatch_many(stack.engine, new)


def send_naps(stack: Stack, number: int, seconds: float) -> None:
    dispatch_many(
        stack.engine, [NewRun(job="nap", queue="default", origin="code", args=(seconds,)) for _ in range(number)]
    )


def resume(stack: Stack) -> None:
    with writing(stack.engine) as connection:
        assert pauses.resume(connection, "default")


def started(stack: Stack) -> int:
    return stack.ask("SELECT count(*) FROM attempts")


def test_a_pause_holds_within_a_second_and_its_end_starts_what_waits_within_about_one(stack: Stack):
    stack.scheduler()
    stack.workers(2, 2)
    send_naps(stack, 40, 0.1)
    stack.processes.wait_until(lambda: started(stack) > 4, 15, "the first have begun")
    pauses.pause(stack.engine, "default", "ana", "DB upgrade")
    time.sleep(QUIET_SECONDS)
    begun = started(stack)
    send_marks(stack, 0, 5)
    busy = stack.dispatch("collect", [1, 2], queue="side")
    stack.wait_for_state(busy, "succeeded")  # other queues go on
    assert started(stack) == begun + 1 < 40
    assert not stack.witnessed("mark")
    stack.processes.wait_until(lambda: "running" not in stack.states(), 5, "what ran has ended")
    resume(stack)
    resumed_at = time.monotonic()
    stack.processes.wait_until(lambda: started(stack) > begun + 1, 10, "the rest begins")
    assert time.monotonic() - resumed_at < 8  # the dispatcher alone would take ten
    stack.wait_for_all()


def test_a_pause_ends_by_itself_at_its_time(stack: Stack):
    stack.scheduler()
    stack.workers(1, 2)
    ends_at = clock.now() + int(2.5 * clock.SECOND)
    pauses.pause(stack.engine, "default", "ana", ends_at=ends_at)
    send_marks(stack, 0, 6)
    stack.wait_for_all(timeout=20)
    first = stack.ask("SELECT min(started_at) FROM attempts")
    assert ends_at <= first < ends_at + 2 * clock.SECOND


def test_a_drained_worker_finishes_what_it_runs_and_none_takes_its_place(stack: Stack):
    supervisor = stack.workers(2, 2)
    send_naps(stack, 4, 3)
    stack.processes.wait_until(lambda: stack.states() == {"running": 4}, 15, "all run")
    chosen = stack.ask("SELECT min(id) FROM processes WHERE kind = 'worker'")
    drain(stack, chosen)
    send_marks(stack, 0, 5)
    stack.wait_for_all(timeout=30)
    stack.processes.wait_until(lambda: state_of(stack, chosen) == "stopped", 10, "it stopped")
    taken = "SELECT count(*) FROM runs WHERE worker_id = :id"
    assert stack.ask(taken, id=chosen) == 2
    assert stack.ask("SELECT count(*) FROM attempts WHERE outcome <> 'succeeded'") == 0
    send_marks(stack, 5, 5)
    stack.wait_for_all(timeout=30)
    stack.processes.wait_until(lambda: len(supervisor.children) == 1, 10, "its process has left")
    assert stack.alive("worker") == 1


def test_a_drained_supervisor_stays_without_workers_and_stops_when_it_is_told_to(embedded_stack: Stack):
    stack = embedded_stack
    supervisor = stack.workers(2, 2)
    run_id = stack.dispatch("nap", 2)
    stack.wait_for_state(run_id, "running")
    drain(stack, stack.ask("SELECT id FROM processes WHERE kind = 'supervisor'"))
    stack.wait_for_state(run_id, "succeeded")
    stack.processes.wait_until(lambda: not supervisor.children, 10, "its workers have left")
    later = stack.dispatch("mark", 1)
    time.sleep(QUIET_SECONDS)
    assert supervisor.running and stack.state(later) == "queued"
    assert supervisor.stop() == 0


def drain(stack: Stack, process_id: str) -> None:
    with writing(stack.engine) as connection:
        assert fleet.ask_to_drain(connection, process_id, "ana")


def state_of(stack: Stack, process_id: str) -> str:
    return stack.ask("SELECT state FROM processes WHERE id = :id", id=process_id)
