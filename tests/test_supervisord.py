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

    def start_run(self, key: str) -> witness.Event:
        """Sends the form of a job that is at work until it may end; its start."""
        self.client.post("wait_for", key, file=self.stack.processes.folder / key)
        return self.wait(lambda: self.event_of(key), f"{key} has started")

    def event_of(self, key: str) -> witness.Event | None:
        return next((event for event in witness.read(self.stack.witness) if event.key == key), None)

    def let_end(self, started: witness.Event) -> Any:
        """The run, when it has ended well."""
        (self.stack.processes.folder / started.key).touch()
        return self.stack.wait_for_state(started.run_id, "succeeded", 60)


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
    workers, started = here.pid_of("worker"), here.start_run("first")
    os.kill(started.pid, signal.SIGKILL)
    run = here.let_end(started)
    assert (run.attempt, run.crashes) == (2, 1)
    assert here.pid_of("worker") == workers
    assert not is_running(started.pid)


def killed_supervisor_comes_back(here: Supervised) -> None:
    """Supervisor starts another; the workers of the old one left with it, and gave their run back in order."""
    workers, started = here.pid_of("worker"), here.start_run("second")
    os.kill(workers, signal.SIGKILL)
    here.wait(lambda: here.pid_of("worker") not in (0, workers), "Supervisor starts another")
    here.wait(lambda: not is_running(started.pid), "the old one's worker has left")
    run = here.let_end(started)
    assert (run.attempt, run.crashes) == (2, 0)


def stop_with_a_run_at_work(here: Supervised) -> None:
    run_id, processes = here.start_run("third").run_id, here.everything()
    assert len(processes) == 4
    assert here.process.stop() == 0
    assert here.log.read_text().count("(exit status 0)") == len(PROGRAMS)
    run, (attempt,) = here.stack.run(run_id), here.stack.rows("SELECT * FROM attempts WHERE run_id = :id", id=run_id)
    assert (run.state, run.failures, run.crashes, attempt.outcome) == ("queued", 0, 0, "interrupted")
    assert not any(map(is_running, processes))
