"""The worker command: pidfile, settings, signals, and what becomes of children without a supervisor."""

import signal

from ledger import fleet
from ledger.engine import writing
from tests.ledgers import made_at
from tests.processes import Processes, free_port, is_running
from tests.stack import Stack


def test_a_pidfile_holds_the_pid_and_a_second_supervisor_is_refused(embedded_stack: Stack):
    stack = embedded_stack
    pidfile = stack.processes.folder / "workers.pid"
    first = stack.workers(1, 1, "--pidfile", str(pidfile))
    assert pidfile.read_text().strip() == str(first.pid)
    second = stack.processes.python("-m", "workers", "--pidfile", str(pidfile), name="second")
    assert second.wait() == 1
    assert f"held by process {first.pid}" in second.log_text()


def test_a_stale_pidfile_is_taken_over(embedded_stack: Stack):
    stack = embedded_stack
    pidfile = stack.processes.folder / "workers.pid"
    pidfile.write_text("1\n")
    workers = stack.workers(1, 1, "--pidfile", str(pidfile))
    assert pidfile.read_text().strip() == str(workers.pid)


def test_a_relative_pidfile_is_refused_in_words(embedded_stack: Stack):
    stack = embedded_stack
    refused = stack.processes.python("-m", "workers", "--pidfile", "workers.pid", name="relative")
    assert refused.wait() == 2
    assert "is not an absolute path" in refused.log_text()


def test_all_wrong_settings_are_told_at_once(embedded_stack: Stack):
    stack = embedded_stack
    refused = stack.processes.python(
        "-m", "workers", name="wrong", WORKER_THREADS="many", BROKER_URL="http://x", PORT="0"
    )
    assert refused.wait() == 1
    told = refused.log_text()
    assert all(name in told for name in ("WORKER_THREADS", "BROKER_URL", "PORT"))


def test_workers_that_start_before_their_ledger_has_tables_wait_for_them(processes: Processes, sqlite_url: str):
    workers = processes.python("-m", "workers", "--processes", "1", name="workers", DATABASE_URL=sqlite_url)
    workers.wait_for_log("Waiting for the ledger: it has no tables yet")
    made_at(sqlite_url)
    workers.wait_for_log("is ready")
    assert workers.stop() == 0


def test_workers_that_wait_for_their_ledger_can_be_stopped(processes: Processes):
    nobody = f"postgresql+psycopg://nobody@127.0.0.1:{free_port()}/nothing"
    workers = processes.python("-m", "workers", name="workers", DATABASE_URL=nobody)
    workers.wait_for_log("Waiting for the ledger: the ledger cannot be used now")
    assert workers.stop(signal.SIGQUIT) == 0


def test_children_leave_when_their_supervisor_was_killed(embedded_stack: Stack):
    stack = embedded_stack
    supervisor = stack.workers(1, 2)
    (child,) = supervisor.children
    run_id = stack.dispatch("nap", 60)
    stack.wait_for_state(run_id, "running")
    supervisor.send(signal.SIGKILL)
    stack.processes.wait_until(lambda: not is_running(child), 15, "the child is gone")
    run = stack.run(run_id)
    assert (run.state, run.failures, run.crashes) == ("queued", 0, 0)


def test_a_second_signal_does_not_wait_for_the_grace(embedded_stack: Stack):
    stack = embedded_stack
    stack.processes.environment["WORKER_GRACE"] = "100"
    supervisor = stack.workers(1, 2)
    run_id = stack.dispatch("nap", 200)
    stack.wait_for_state(run_id, "running")
    supervisor.send(signal.SIGTERM)
    supervisor.wait_for_log("Stopping")
    supervisor.send(signal.SIGTERM)
    assert supervisor.wait(15) == 0
    assert stack.state(run_id) == "queued"


def test_a_drain_lets_a_short_run_finish(embedded_stack: Stack):
    stack = embedded_stack
    stack.processes.environment["WORKER_GRACE"] = "60"
    supervisor = stack.workers(1, 2)
    run_id = stack.dispatch("nap", 1.5)
    stack.wait_for_state(run_id, "running")
    assert supervisor.stop() == 0
    assert stack.state(run_id) == "succeeded"


def test_a_queue_that_no_job_uses_makes_an_idle_worker_not_a_greedy_one(embedded_stack: Stack):
    stack = embedded_stack
    supervisor = stack.workers(1, 1, "--queues", "nobody")
    supervisor.wait_for_log("has nothing to do")
    run_id = stack.dispatch("add", 1)
    stack.wait_for_state(stack.dispatch("collect", 1, queue="side"), "queued")
    assert stack.state(run_id) == "queued"


def test_a_supervisor_that_was_declared_gone_goes_on_and_its_new_workers_are_counted(embedded_stack: Stack):
    stack = embedded_stack
    stack.workers(2, 1)
    with writing(stack.engine) as connection:
        for row in stack.rows("SELECT id FROM processes"):
            fleet.declare_gone(connection, row.id, "no sign of life", crash_limit=3)
    counted = (
        "SELECT count(*) FROM processes AS w JOIN processes AS s ON s.id = w.supervisor_id"
        " WHERE w.state = 'alive' AND s.state = 'alive' AND w.beats > 0"
    )
    stack.processes.wait_until(lambda: stack.ask(counted) == 2, 30, "both new workers beat")
    stack.wait_for_state(stack.dispatch("add", 1, 2), "succeeded")
