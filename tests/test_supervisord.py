"""Supervisor runs what honcho exports from the Procfile: what dies comes back, and a stop is an orderly one."""

import os
import signal
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.exports import export
from tests.faults import witness
from tests.faults.client import Client
from tests.processes import ROOT, Process, Processes, is_running
from tests.stack import Site, Stack

PROGRAMS = {"web": "-m web", "worker": "-m workers", "scheduler": "scheduler.py"}


def exported(stack: Stack) -> Path:
    folder, port = stack.processes.folder, stack.processes.environment["PORT"]
    export("supervisord", folder, "--app-root", app_folder(stack), "--log", folder, "--port", port)
    return folder / "waybill.conf"


def app_folder(stack: Stack) -> Path:
    """Where the processes work: the project as they name it, without a developer's settings and data."""
    folder = stack.processes.folder / "app"
    folder.mkdir()
    (folder / "scheduler.py").symlink_to(ROOT / "scheduler.py")
    return folder


class Supervised:
    """Waybill under Supervisor, on one file of programs; nothing else that this machine configures has a part."""

    def __init__(self, stack: Stack, programs: Path):
        self.stack, folder = stack, stack.processes.folder
        self.log = folder / "supervisord.log"
        main = folder / "supervisord.conf"
        main.write_text(
            f"[supervisord]\nnodaemon=true\nlogfile={self.log}\npidfile={folder}/supervisord.pid\n"
            f"childlogdir={folder}\n[include]\nfiles={programs}\n"
        )
        command = (sys.executable, "-m", "supervisor.supervisord", "-c", main)
        self.process: Process = stack.processes.start(*command, name="supervisord", PATH="/usr/bin:/bin")
        site = Site(f"http://127.0.0.1:{stack.processes.environment['PORT']}")
        self.wait(lambda: site.is_up() and self.processes_at_work() and stack.alive("scheduler"), "all is up")
        self.client = Client(site.url)
        self.client.open()

    def wait(self, condition: Callable[[], Any], message: str) -> Any:
        return self.process.wait_until(condition, 60, message)

    def pid_of(self, program: str) -> int:
        """The process of a program, 0 while there is none. The shell that started it is gone: `exec` replaced it."""
        return next((pid for pid in children_of(self.process.pid) if PROGRAMS[program] in command_of(pid)), 0)

    def everything(self) -> list[int]:
        programs = [self.pid_of(program) for program in PROGRAMS]
        return programs + children_of(self.pid_of("worker"))

    def processes_at_work(self) -> int:
        return self.stack.alive("worker")

    def start_run(self, key: str, seconds: float) -> str:
        return self.client.post("mark", key, seconds=seconds).run_id

    def events_of(self, run_id: str) -> list[witness.Event]:
        return [event for event in witness.read(self.stack.witness) if event.run_id == run_id]


def command_of(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode().strip()
    except OSError:
        return ""


def children_of(pid: int) -> list[int]:
    """Of its main thread, which is the one that starts them here."""
    return [int(each) for each in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


@pytest.fixture
def supervised(processes: Processes, sqlite_url: str) -> Iterator[Supervised]:
    stack = Stack(processes, sqlite_url, jobs="tests.faults.jobs")
    processes.environment["WORKER_PROCESSES"] = "1"
    yield Supervised(stack, exported(stack))
    stack.close()


def test_what_dies_comes_back_and_a_stop_gives_the_run_at_work_back(supervised: Supervised):
    killed_child_comes_back(supervised)
    killed_supervisor_comes_back(supervised)
    stop_with_a_run_at_work(supervised)


def killed_child_comes_back(here: Supervised) -> None:
    """Our own supervisor starts another, and the run that it took along starts again."""
    workers = here.pid_of("worker")
    run_id = here.start_run("first", seconds=1.5)
    (event,) = here.wait(lambda: here.events_of(run_id), "it has started")
    os.kill(event.pid, signal.SIGKILL)
    here.wait(lambda: here.processes_at_work() and not is_running(event.pid), "a worker takes its place")
    run = here.stack.wait_for_state(run_id, "succeeded", 30)
    assert (run.attempt, run.crashes) == (2, 1)
    assert here.pid_of("worker") == workers


def killed_supervisor_comes_back(here: Supervised) -> None:
    """Supervisor starts another; the workers of the old one left with it, and gave their run back in order."""
    workers = here.pid_of("worker")
    run_id = here.start_run("second", seconds=1.5)
    here.wait(lambda: here.events_of(run_id), "it has started")
    os.kill(workers, signal.SIGKILL)
    here.wait(lambda: here.pid_of("worker") not in (0, workers), "Supervisor starts another")
    run = here.stack.wait_for_state(run_id, "succeeded", 60)
    assert (run.attempt, run.crashes) == (2, 0)


def stop_with_a_run_at_work(here: Supervised) -> None:
    run_id = here.start_run("third", seconds=600)
    here.wait(lambda: here.events_of(run_id), "it has started")
    started = here.everything()
    assert len(started) == 4
    assert here.process.stop() == 0
    assert here.log.read_text().count("(exit status 0)") == len(PROGRAMS)
    run, (attempt,) = here.stack.run(run_id), here.stack.rows("SELECT * FROM attempts WHERE run_id = :id", id=run_id)
    assert (run.state, run.failures, run.crashes, attempt.outcome) == ("queued", 0, 0, "interrupted")
    assert not any(map(is_running, started))
