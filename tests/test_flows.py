"""From a message to a result with real worker processes, on every pair of broker and database.

The jobs are plain Dramatiq actors (``tests/jobs/stock.py``): what they mean there, they mean here.
"""

import os
import signal
import time
from pathlib import Path

import dramatiq
import pytest
from dramatiq.results import ResultFailure, ResultMissing

from ledger import runs, texts
from tests.stack import Stack

TIMEOUT = 20_000


def test_stock_actors_keep_their_meaning(any_stack: Stack):
    any_stack.scheduler()
    any_stack.workers(2)
    with any_stack.sending() as jobs:
        results(jobs)
        retries(any_stack, jobs)
        callbacks(any_stack, jobs)
        limits(any_stack, jobs)


def test_a_module_that_sets_its_own_broker_is_taken_over_with_a_notice(stack: Stack):
    stack.processes.environment["JOBS"] = "tests.jobs.tutorial"
    workers = stack.workers()
    run_ids = [stack.dispatch("count_words", "one two three"), stack.dispatch("shout", "hey")]
    assert [stack.wait_for_state(run_id, "succeeded").result for run_id in run_ids] == ["3", '"HEY"']
    workers.wait_for_log("has set a broker of its own; its jobs now run here: count_words, shout")


def results(jobs):
    assert jobs.add.send(2, 3).get_result(block=True, timeout=TIMEOUT) == 5
    assert jobs.asynchronous.send(21).get_result(block=True, timeout=TIMEOUT) == 42
    pipe = jobs.add.message(1, 2) | jobs.add.message(3) | jobs.collect.message(10)
    assert pipe.run().get_result(block=True, timeout=TIMEOUT) == 16
    group = dramatiq.group([jobs.add.message(i, i) for i in range(5)])
    assert list(group.run().get_results(block=True, timeout=TIMEOUT)) == [0, 2, 4, 6, 8]
    with pytest.raises(ResultMissing):
        jobs.add.message(1, 1).get_result()


def retries(stack: Stack, jobs):
    message = jobs.flaky.send(3)
    assert message.get_result(block=True, timeout=TIMEOUT) == "at last"
    assert (stack.find(message).attempt, stack.find(message).failures) == (3, 2)
    assert jobs.retry_later.send().get_result(block=True, timeout=TIMEOUT) == "later"
    for actor, attempts in ((jobs.broken, 1), (jobs.throws, 1), (jobs.once_more, 2)):
        message = actor.send()
        with pytest.raises(ResultFailure):
            message.get_result(block=True, timeout=TIMEOUT)
        assert stack.find(message).attempt == attempts


def callbacks(stack: Stack, jobs):
    jobs.fails_with_callback.send()
    called = "SELECT result FROM runs WHERE job = 'note_failure' AND state = 'succeeded'"
    stack.processes.wait_until(lambda: stack.ask(called) == '"ValueError"', 20, "on_failure was called")
    group = dramatiq.group([jobs.add.message(i) for i in range(4)])
    group.add_completion_callback(jobs.collect.message(100, 11))
    group.run()
    done = "SELECT count(*) FROM runs WHERE job = 'collect' AND result = '111'"
    stack.processes.wait_until(lambda: stack.ask(done) == 1, 20, "the group's callback ran once")
    fan = jobs.fan_out.send(3)
    fan.get_result(block=True, timeout=TIMEOUT)
    children = "SELECT count(*) FROM runs WHERE caller_id = :id"
    assert stack.ask(children, id=stack.find(fan).id) == 3


def limits(stack: Stack, jobs):
    with pytest.raises(ResultFailure, match="TimeLimitExceeded"):
        jobs.too_slow.send().get_result(block=True, timeout=TIMEOUT)
    sent_at = time.time()
    delayed = jobs.add.send_with_options(args=(1,), delay=700)
    delayed.get_result(block=True, timeout=TIMEOUT)
    assert stack.find(delayed).started_at / 1e6 - sent_at >= 0.7
    stale = jobs.perishable.send_with_options(delay=600)
    stack.wait_for_state(stack.find(stale).id, "expired")


def test_a_traceback_is_kept_without_retries(at_work: Stack):
    run_id = at_work.dispatch("broken", "no, no")
    run = at_work.wait_for_state(run_id, "failed")
    assert (run.error_type, run.error) == ("RuntimeError", "no, no")
    traceback = at_work.ask("SELECT traceback FROM attempts WHERE run_id = :id", id=run_id)
    assert "raise RuntimeError(text)" in traceback
    assert "workers/perform.py" not in traceback


def test_log_lines_of_a_job_are_kept_with_its_run(at_work: Stack):
    run_id = at_work.dispatch("flaky", 1)
    at_work.wait_for_state(run_id, "succeeded")
    lines = at_work.rows("SELECT level, logger, message FROM logs WHERE run_id = :id", id=run_id)
    assert [(line.level, line.logger) for line in lines] == [("WARNING", "tests.jobs.stock")]


def test_a_killed_worker_loses_no_run_and_disturbs_no_other(stack: Stack):
    supervisor = stack.workers(2, 2)
    run_ids = [stack.dispatch("nap", 3.0) for _ in range(4)]
    stack.processes.wait_until(lambda: stack.witnessed("nap").total() == 4, 10, "all have begun")
    victim, spared = supervisor.children
    os.kill(victim, signal.SIGKILL)
    stack.wait_for_all(timeout=25)
    attempts = [stack.run(run_id).attempt for run_id in run_ids]
    assert sorted(attempts) == [1, 1, 2, 2]
    assert spared in supervisor.children and len(supervisor.children) == 2
    lost = stack.rows("SELECT run_id FROM attempts WHERE outcome = 'lost'")
    assert len(lost) == 2
    ended = stack.ask("SELECT ended_because FROM processes WHERE state = 'gone'")
    assert ended == "killed by SIGKILL"


def test_a_run_that_kills_its_workers_ends_as_dead(stack: Stack):
    stack.workers(1, 1)
    run_id = stack.dispatch("poison")
    run = stack.wait_for_state(run_id, "dead", 40)
    assert run.crashes == 3
    assert sum(stack.witnessed("poison").values()) == 3


def test_a_stopping_worker_gives_its_run_back_without_using_a_retry(stack: Stack):
    supervisor = stack.workers(1, 2)
    run_id = stack.dispatch("nap", 60)
    stack.wait_for_state(run_id, "running")
    assert supervisor.stop() == 0
    run = stack.run(run_id)
    assert (run.state, run.failures, run.crashes) == ("queued", 0, 0)
    assert stack.ask("SELECT outcome FROM attempts WHERE run_id = :id", id=run_id) == "interrupted"
    assert stack.alive("worker") == stack.alive("supervisor") == 0


def test_a_running_run_is_canceled(at_work: Stack):
    run_id = at_work.dispatch("nap", 60)
    at_work.wait_for_state(run_id, "running")
    runs.cancel(at_work.engine, run_id, "ana")
    assert at_work.wait_for_state(run_id, "canceled").canceled_by == "ana"


def test_a_job_that_no_worker_knows_waits(at_work: Stack):
    unknown, known = at_work.dispatch("not_there_yet"), at_work.dispatch("add", 1, 1)
    at_work.wait_for_state(known, "succeeded")
    assert at_work.state(unknown) == "queued"


def test_only_the_named_queues_are_served(stack: Stack):
    stack.workers(1, 2, "--queues", "side")
    left, taken = stack.dispatch("add", 1), stack.dispatch("collect", [1, 2], queue="side")
    stack.wait_for_state(taken, "succeeded")
    assert stack.state(left) == "queued"


def test_a_job_that_nobody_knows_costs_nothing_while_it_waits(at_work: Stack):
    (supervisor,) = at_work.processes.started
    at_work.dispatch("not_there_yet")
    at_work.wait_for_state(at_work.dispatch("add", 1, 1), "succeeded")
    (child,) = supervisor.children
    before, since = cpu_seconds(child), time.monotonic()
    at_work.processes.wait_until(lambda: time.monotonic() - since > 1.5, 5, "idling for a while")
    assert cpu_seconds(child) - before < 1  # of one and a half


def cpu_seconds(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def test_arguments_of_a_form_reach_the_job_with_the_types_of_its_signature(at_work: Stack):
    asked = {"month": "2026-10-01", "region": "US", "tags": ["a", "b"]}
    run_id = runs.dispatch(
        at_work.engine, runs.NewRun(job="report", queue="default", origin="form", typed=True, kwargs=asked)
    )
    result = texts.from_json(at_work.wait_for_state(run_id, "succeeded").result)
    assert result == {
        "type": "date", "month": "2026-10-01", "region": "Region.AMERICA", "mode": "fast", "tags": ["a", "b"],
    }  # fmt: skip


def test_arguments_that_do_not_fit_any_more_fail_once_with_a_sentence(embedded_at_work: Stack):
    run_id = runs.dispatch(
        embedded_at_work.engine,
        runs.NewRun(job="report", queue="default", origin="form", typed=True, kwargs={"month": "soon"}),
    )
    run = embedded_at_work.wait_for_state(run_id, "failed")
    assert (run.error_type, run.attempt) == ("ArgumentsDoNotFit", 1)


def test_an_ending_that_cannot_be_told_is_an_ending_all_the_same(embedded_at_work: Stack):
    said = {job: embedded_at_work.dispatch(job) for job in ("unspeakable", "undecided", "calls_nobody")}
    runs_ = {job: embedded_at_work.wait_for_state(run_id, "failed") for job, run_id in said.items()}
    assert {job: run.error_type for job, run in runs_.items()} == {
        "unspeakable": "Unspeakable", "undecided": "ValueError", "calls_nobody": "ValueError",
    }  # fmt: skip
    assert "its words raise ZeroDivisionError" in runs_["unspeakable"].error
    assert "its own options failed: ZeroDivisionError" in runs_["undecided"].error
    assert "its own options failed: ActorNotFound" in runs_["calls_nobody"].error


def test_options_of_the_wrong_kind_end_their_run(embedded_at_work: Stack):
    wrong = {
        "add": ({"args": [1]}, {"time_limit": "10"}, "time_limit is a number of milliseconds, not '10'"),
        "broken": ({"args": []}, {"max_retries": "3"}, "its own options failed: TypeError"),
    }
    for job, (arguments, options, told) in wrong.items():
        new = runs.NewRun(job=job, queue="default", origin="code", args=tuple(arguments["args"]), options=options)
        run = embedded_at_work.wait_for_state(runs.dispatch(embedded_at_work.engine, new), "failed")
        assert told in run.error and run.attempt == 1
        assert embedded_at_work.ask("SELECT outcome FROM attempts WHERE run_id = :id", id=run.id) == "failed"
