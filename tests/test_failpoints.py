"""Failpoints: they fail where they were told, when they were told, and are nothing at all otherwise."""

import ast
import signal
import subprocess
import sys
import timeit
from pathlib import Path

import pytest

from ledger import failpoints, fleet, runs
from ledger.engine import open_engine, writing
from ledger.failpoints import STEPS, StepReached, parse
from ledger.runs import NewRun
from tests.ledgers import prepare
from tests.processes import ROOT, Processes


@pytest.fixture(autouse=True)
def sound_again():
    yield
    failpoints.arm("")


@pytest.fixture
def engine(sqlite_url: str):
    engine = open_engine(sqlite_url)
    prepare(engine)
    yield engine
    engine.dispose()


def new_run() -> NewRun:
    return NewRun(job="add", queue="default", origin="code")


def count(engine) -> int:
    with writing(engine) as connection:
        return connection.exec_driver_sql("SELECT count(*) FROM runs").scalar_one()


def test_a_step_before_the_commit_takes_the_transaction_back(engine):
    failpoints.arm("dispatch.before_commit:raise:2")
    runs.dispatch(engine, new_run())
    with pytest.raises(StepReached):
        runs.dispatch(engine, new_run())
    runs.dispatch(engine, new_run())
    assert count(engine) == 2


def test_a_step_after_the_commit_leaves_it_in(engine):
    failpoints.arm("dispatch.after_commit:raise")
    with pytest.raises(StepReached):
        runs.dispatch(engine, new_run())
    assert count(engine) == 1


def test_a_transaction_that_failed_does_not_count_with_the_next_one(engine):
    failpoints.arm("dispatch.before_commit:raise:2")
    with pytest.raises(ZeroDivisionError), writing(engine) as connection:
        runs.insert(connection, [new_run()])
        raise ZeroDivisionError
    with writing(engine) as connection:
        fleet.drain(connection, "nobody")
    runs.dispatch(engine, new_run())
    with pytest.raises(StepReached):
        runs.dispatch(engine, new_run())


def test_a_file_lets_only_one_process_fail(engine, tmp_path: Path):
    for _ in range(2):
        failpoints.arm(f"dispatch.after_commit:raise:1:{tmp_path / 'once'}")
        try:
            runs.dispatch(engine, new_run())
        except StepReached:
            continue
    assert count(engine) == 2
    assert (tmp_path / "once").exists()
    failpoints.arm(f"dispatch.after_commit:raise:1:{tmp_path / 'once'}")
    runs.dispatch(engine, new_run())


def test_kill_is_a_sigkill():
    program = "from ledger import failpoints as f; f.arm('ack.before:kill:2'); f.reached('ack.before'); print(1); "
    killed = subprocess.run(
        [sys.executable, "-uc", program + "f.reached('ack.before'); print(2)"], cwd=ROOT, capture_output=True, text=True
    )
    assert (killed.returncode, killed.stdout) == (-signal.SIGKILL, "1\n")


@pytest.mark.parametrize(
    "text, says",
    [
        ("claim.never", "claim.after_commit"),
        ("claim.after_commit:explode", "kill, raise, hang"),
        ("claim.after_commit:kill:0", "from 1"),
        ("claim.after_commit:kill:x", "from 1"),
    ],
)
def test_what_cannot_be_meant_is_refused_with_what_there_is(text: str, says: str):
    with pytest.raises(ValueError, match=says):
        parse(text)


def test_a_process_with_an_unknown_step_does_not_start_and_names_the_known_ones(processes: Processes):
    for module in ("web", "workers", "ledger"):
        process = processes.python("-m", module, WAYBILL_FAIL_AT="claim.sometimes:kill:1")
        assert process.wait() == 1
        assert all(step in process.log_text() for step in STEPS)


def test_every_step_stands_somewhere_in_the_code():
    said = {name for path in (*ROOT.glob("ledger/*.py"), *ROOT.glob("workers/*.py")) for name in steps_in(path)}
    sends = {f"{name}.{when}" for name in failpoints.SENDS for when in ("before", "after")}
    assert said == {*failpoints.COMMITS, *sends}


def steps_in(path: Path) -> set[str]:
    calls = [node for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Call)]
    named = [call for call in calls if ast.unparse(call.func).removeprefix("failpoints.") in ("mark", "reached")]
    return {call.args[-1].value for call in named if isinstance(call.args[-1], ast.Constant)}


def test_a_sound_process_is_not_held_up():
    quickest = min(timeit.repeat(lambda: failpoints.reached("ack.before"), number=10_000, repeat=5))
    assert quickest / 10_000 < 2e-6
