"""Bodies in processes of their own: they work as in a thread, and what kills or stops one hits no other run."""

import os
import signal

import pytest

from ledger import runs, texts
from ledger.runs import NewRun
from tests.processes import is_running
from tests.stack import Stack
from workers.isolation import RUNS_PER_CELL

JOBS = "tests.jobs.stock,tests.jobs.isolated"
WORKERS = {"JOBS": JOBS, "CRASH_LIMIT": 2}
TIMEOUT = 20_000


@pytest.fixture
def isolated_stack(embedded_stack: Stack) -> Stack:
    embedded_stack.processes.environment["JOBS"] = JOBS
    return embedded_stack


def attempts(stack: Stack, run_id: str) -> list:
    return stack.rows("SELECT * FROM attempts WHERE run_id = :id ORDER BY number", id=run_id)


def witnessed_pids(stack: Stack, event: str) -> list[int]:
    lines = (line.split() for line in stack.witness.read_text().splitlines())
    return [int(pid) for name, _, pid in lines if name == event]


def result(stack: Stack, job: str, *args):
    return texts.from_json(stack.wait_for_state(stack.dispatch(job, *args), "succeeded").result)


def test_a_body_in_a_process_does_and_says_what_it_would_in_a_thread(stack: Stack):
    stack.processes.environment["JOBS"] = JOBS
    (child,) = stack.workers(1, 3).children
    others = [stack.dispatch(*asked) for asked in (("double_later", 21), ("wait_for_other",))]
    run_id = stack.dispatch("tell")
    run = stack.wait_for_state(run_id, "succeeded")
    assert (run.result, run.progress_done, run.progress_total, run.progress_note) == ('{"attempt":1}', 3, 7, "counting")
    assert stack.ask("SELECT message FROM logs WHERE run_id = :id", id=run_id) == f"from inside of run {run_id}"
    (kept,) = stack.rows("SELECT * FROM artifacts WHERE run_id = :id", id=run_id)
    assert (kept.title, (stack.settings.artifacts / kept.path).read_bytes()) == ("A note", b"kept")
    where = result(stack, "whereabouts")
    assert where["parent"] == child and where["is_main"]
    assert [stack.wait_for_state(each, "succeeded").result for each in others] == ["42", "42"]


def test_retries_messages_and_pipelines_work_from_a_process(embedded_at_work: Stack):
    stack = embedded_at_work
    assert result(stack, "stumble") == "at last"
    assert result(stack, "retry_soon") == "later"
    caller = stack.dispatch("call_others", 2)
    stack.wait_for_state(caller, "succeeded")
    called = "SELECT count(*) FROM runs WHERE caller_id = :id AND state = 'succeeded'"
    stack.processes.wait_until(lambda: stack.ask(called, id=caller) == 2, 20, "both have ended")
    with stack.sending() as stock, stack.sending("tests.jobs.isolated") as isolated:
        pipe = stock.add.message(1, 2) | isolated.double.message() | stock.add.message(10)
        assert pipe.run().get_result(block=True, timeout=TIMEOUT) == 16


def test_a_process_is_kept_warm_and_replaced_after_so_many_runs(isolated_stack: Stack):
    stack = isolated_stack
    stack.workers(1, 1)
    many = [NewRun(job="whereabouts", queue="default", origin="code") for _ in range(RUNS_PER_CELL + 5)]
    runs.dispatch_many(stack.engine, many)
    stack.wait_for_all()
    results = stack.rows("SELECT result FROM runs ORDER BY id")
    pids = [texts.from_json(row.result)["pid"] for row in results]
    assert sorted(pids.count(pid) for pid in set(pids)) == [5, RUNS_PER_CELL]
    assert not is_running(max(set(pids), key=pids.count))


def test_the_start_of_a_process_does_not_count_as_time_of_the_run(isolated_stack: Stack):
    stack = isolated_stack
    stack.workers(1, 3)
    run_ids = [stack.dispatch("brief") for _ in range(3)]  # only one process is warm
    stack.wait_for_all()
    assert all(stack.run(run_id).attempt == 1 for run_id in run_ids)


def test_a_time_limit_ends_what_sleeps_and_what_never_comes_back_from_c(embedded_at_work: Stack):
    stack = embedded_at_work
    (workers,) = stack.processes.started
    children = workers.children
    sleeping, hanging = stack.dispatch("sleep_too_long"), stack.dispatch("hang_in_c")
    neighbour = stack.dispatch("nap", 3)
    for run_id in (sleeping, hanging):
        run = stack.wait_for_state(run_id, "failed", 30)
        assert (run.error_type, run.failures, run.crashes) == ("TimeLimitExceeded", 1, 0)
        assert run.finished_at - run.started_at < 30_000_000  # by themselves they would take a minute
    (attempt,) = attempts(stack, sleeping)
    assert "time.sleep(60)" in attempt.traceback and "workers/cell.py" not in attempt.traceback
    assert stack.wait_for_state(neighbour, "succeeded").attempt == 1
    assert result(stack, "whereabouts") and workers.children == children


def test_cancel_asks_then_interrupts_then_kills(embedded_at_work: Stack):
    stack = embedded_at_work
    asked, interrupted, killed = (
        stack.dispatch("work_until_canceled"), stack.dispatch("sleep", 60), stack.dispatch("hang_in_c_for_long"),
    )  # fmt: skip
    for run_id, job in ((interrupted, "sleep"), (killed, "hang_in_c_for_long")):
        stack.processes.wait_until(lambda: run_id in stack.witnessed(job), 10, f"{job} is in its body")  # noqa: B023
    stack.wait_for_state(asked, "running")
    for run_id in (asked, interrupted, killed):
        runs.cancel(stack.engine, run_id, "ana")
    ended = [stack.wait_for_state(run_id, "canceled", 10) for run_id in (asked, interrupted, killed)]
    after = [run.finished_at - run.cancel_requested_at for run in ended]
    assert after[0] < after[1] < after[2] and after[1] > 2_000_000
    assert [(run.attempt, run.crashes) for run in ended] == [(1, 0)] * 3


def test_a_crash_hits_one_run_only_which_ends_as_dead(embedded_at_work: Stack):
    stack = embedded_at_work
    (workers,) = stack.processes.started
    children = workers.children
    neighbours = _, process = [stack.dispatch("nap", 3), stack.dispatch("sleep", 3)]
    ends = {
        "SIGSEGV": "its process was killed by SIGSEGV",
        "exit": "its process ended with exit code 7",
        "fork": "its process ended with exit code 7",
    }
    stack.processes.wait_until(lambda: process in stack.witnessed("sleep"), 10, "a neighbour is in its body")
    os.kill(witnessed_pids(stack, "sleep")[-1], signal.SIGTERM)  # from nobody: it has no reason to stop
    crashing = {how: stack.dispatch("crash", how) for how in ends}
    for how, error in ends.items():
        run = stack.wait_for_state(crashing[how], "dead", 40)
        assert (run.crashes, run.failures, run.error_type, run.error) == (2, 0, "ProcessDied", error)
        assert [each.outcome for each in attempts(stack, run.id)] == ["lost"] * 2
        assert stack.witnessed("crash")[run.id] == 2
    assert [stack.wait_for_state(run_id, "succeeded").attempt for run_id in neighbours] == [1, 1]
    assert workers.children == children


def test_a_job_that_must_not_start_twice_fails_at_its_first_crash(isolated_stack: Stack):
    stack = isolated_stack
    workers = stack.workers(1, 1)
    (child,) = workers.children
    in_process = stack.wait_for_state(stack.dispatch("crash_once"), "failed")
    assert (in_process.error_type, in_process.error) == ("ProcessDied", "its process was killed by SIGSEGV")
    (attempt,) = attempts(stack, in_process.id)
    assert "Segmentation fault" in attempt.traceback and "in crash_once" in attempt.traceback
    assert workers.children == [child]
    in_thread = stack.wait_for_state(stack.dispatch("crash_worker_once"), "failed")
    assert in_thread.error_type == "WorkerDied" and "not to be started twice" in in_thread.error
    assert [(run.attempt, run.crashes) for run in (in_process, in_thread)] == [(1, 1), (1, 1)]


def test_limits_end_the_run_with_a_sentence_and_not_the_next_one(embedded_at_work: Stack):
    stack = embedded_at_work
    told = {
        ("fill_memory", 900): ("MemoryLimitExceeded", "more than its memory_limit of 200,000,000 bytes"),
        ("burn",): ("CpuLimitExceeded", "more than its cpu_limit of 1 s"),
        ("write_file", 2_000_000): ("FileSizeLimitExceeded", "larger than its file_size_limit of 1,000,000 bytes"),
        ("write_file", 10, 60): ("OSError", "Too many open files"),
    }
    for asked, (error_type, error) in told.items():
        run = stack.wait_for_state(stack.dispatch(*asked), "failed")
        assert run.error_type == error_type and error in run.error
        assert (run.failures, run.crashes) == (1, 0)
    assert result(stack, "fill_memory", 50) == 50_000_000
    assert result(stack, "write_file", 1_000)


def test_what_a_run_started_ends_with_its_process(embedded_at_work: Stack):
    stack = embedded_at_work
    run = stack.wait_for_state(stack.dispatch("leave_program_running"), "dead", 30)
    assert run.error == "its process was killed by SIGKILL, perhaps for want of memory"
    programs = [int(pid) for pid in stack.witnessed("program")]
    assert len(programs) == 2  # as often as it was tried
    stack.processes.wait_until(lambda: not any(map(is_running, programs)), 5, "the programs are gone")


def test_nothing_of_a_run_goes_on_when_its_worker_was_killed_and_it_starts_again(isolated_stack: Stack):
    stack = isolated_stack
    workers = stack.workers(1, 1)
    run_id = stack.dispatch("wait_for_program")
    stack.processes.wait_until(lambda: stack.witnessed("program"), 10, "the program runs")
    (program,), (body,) = stack.witnessed("program"), witnessed_pids(stack, "program")
    os.kill(workers.children[0], signal.SIGKILL)
    stack.processes.wait_until(lambda: len(stack.witnessed("program")) == 2, 20, "it was started again")
    assert not is_running(int(program)) and not is_running(body)
    assert (stack.run(run_id).attempt, stack.run(run_id).crashes) == (2, 1)


def test_a_body_that_hangs_in_c_ends_with_supervisor_and_worker(isolated_stack: Stack):
    stack = isolated_stack
    workers = stack.workers(1, 1)
    stack.dispatch("hang_in_c_for_long")
    stack.processes.wait_until(lambda: stack.witnessed("hang_in_c_for_long"), 10, "the body hangs")
    (child,) = workers.children
    workers.send(signal.SIGKILL)
    os.kill(child, signal.SIGKILL)
    (body,) = witnessed_pids(stack, "hang_in_c_for_long")
    stack.processes.wait_until(lambda: not is_running(body), 5, "the body is gone")


def test_a_stopping_worker_gives_back_what_runs_in_processes(isolated_stack: Stack):
    stack = isolated_stack
    stack.processes.environment["WORKER_GRACE"] = "0.2"
    workers = stack.workers(1, 2)
    run_ids = [stack.dispatch("sleep", 60), stack.dispatch("hang_in_c_for_long")]
    stack.processes.wait_until(
        lambda: stack.witnessed("sleep") and stack.witnessed("hang_in_c_for_long"), 10, "both are in their bodies"
    )
    assert workers.stop() == 0
    for run_id in run_ids:
        run = stack.run(run_id)
        assert (run.state, run.failures, run.crashes) == ("queued", 0, 0)
        assert [each.outcome for each in attempts(stack, run_id)] == ["interrupted"]
    assert not any(map(is_running, witnessed_pids(stack, "sleep") + witnessed_pids(stack, "hang_in_c_for_long")))
