"""Processes for tests and benches: each in a group of its own, awaited by a condition, stopped by its id.

Each carries a mark in its environment, by which all that it started in turn is found, in whatever session.
Everything ends with this interpreter, even if that is killed: ``reaper.py`` sees to it.
"""

import os
import random
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from functools import cache
from itertools import count
from pathlib import Path
from threading import Lock
from typing import Any, Self
from uuid import uuid4

from tests.reaper import MARK, signal_all

ROOT = Path(__file__).resolve().parents[1]
LOG_TAIL = 6_000
PATIENCE = 3


def wait_until(
    condition: Callable[[], Any], timeout: float = 10, message: str = "", interval: float = 0.02
) -> Any:
    """The first true answer of the condition, or TimeoutError with the message.

    ``timeout`` is what a quiet machine needs at most, in seconds: a busy one gets ``PATIENCE`` times as long.
    """
    deadline = time.monotonic() + timeout * PATIENCE
    while not (answer := condition()):
        if time.monotonic() > deadline:
            name = getattr(condition, "__name__", condition)
            raise TimeoutError(f"not within {timeout * PATIENCE:g} s: {message or name}")
        time.sleep(interval)
    return answer


def is_running(pid: int) -> bool:
    """Neither gone nor a zombie, which only waits for its parent to take notice."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def free_port() -> int:
    """A loopback port that nobody listens on, handed out once.

    It lies below the range that the kernel takes for outgoing connections: a client that goes on knocking at
    a stopped server's port could otherwise draw that very port as its own, and connect to itself.
    """
    while True:
        port = random.SystemRandom().randrange(15_000, _first_outgoing_port())
        if port not in _handed_out and _is_free(port):
            _handed_out.add(port)
            return port


_handed_out: set[int] = set()


def _first_outgoing_port() -> int:
    try:
        return max(16_000, int(Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split()[0]))
    except OSError:
        return 32_768


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True


def temporary_folder(name: str) -> Path:
    folder = Path(tempfile.mkdtemp(prefix=f"waybill-{name}-"))
    remember("folder", folder)
    return folder


def remove_folder(folder: Path) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    forget("folder", folder)


def remove_folder_by_and_by(folder: Path) -> None:
    """For gigabytes: a process of its own does it, and nobody waits."""
    subprocess.Popen(["rm", "-rf", str(folder)], start_new_session=True)
    forget("folder", folder)


class Process:
    """One started command, its log. Signals go to it alone, ``kill`` and ``close`` to all it started too."""

    def __init__(self, command: list, log: Path, env: dict[str, str], **popen: Any):
        self.command = [str(part) for part in command]
        self.log = log
        self._mark = f"{_owner(os.getpid())}.{next(_numbers)}."
        popen["env"] = env | {MARK: self._mark}
        with log.open("ab") as output:
            streams = {"stdin": subprocess.DEVNULL, "stdout": output, "stderr": output}
            self._popen = subprocess.Popen(self.command, start_new_session=True, **streams, **popen)
        self.pid = self._popen.pid
        remember("group", self.pid)

    @property
    def running(self) -> bool:
        return self._popen.poll() is None

    @property
    def returncode(self) -> int | None:
        return self._popen.poll()

    @property
    def children(self) -> list[int]:
        """Process ids of its direct children."""
        try:
            threads = Path(f"/proc/{self.pid}/task").iterdir()
            found = [thread.joinpath("children").read_text() for thread in threads]
        except OSError:
            return []
        return [int(pid) for text in found for pid in text.split()]

    def send(self, number: int) -> None:
        self._popen.send_signal(number)

    def wait(self, timeout: float = 30) -> int:
        """Its exit code, negative for a signal; TimeoutError with the end of its log while it goes on."""
        try:
            return self._popen.wait(timeout)
        except subprocess.TimeoutExpired:
            raise TimeoutError(f"still running after {timeout:g} s: {self}") from None

    def stop(self, number: int = signal.SIGTERM, timeout: float = 30) -> int:
        """Asks it to end; its exit code. What outstays the timeout is killed, and that is a TimeoutError."""
        try:
            self.send(number)
            return self.wait(timeout)
        finally:
            self.kill()

    def kill(self) -> None:
        """SIGKILL to it and to all that it started and that still runs."""
        signal_all({self.pid}, self._mark, signal.SIGKILL)
        self._popen.wait()
        # Again, for what was being started while the signals went out.
        wait_until(lambda: not signal_all(set(), self._mark, signal.SIGKILL), 20, f"{self.pid} is gone")
        forget("group", self.pid)

    def close(self, timeout: float = 15) -> None:
        """As ``stop``, but content with any end: for cleaning up. Wakes what was frozen."""
        if self.running:
            self.send(signal.SIGTERM)
            self.send(signal.SIGCONT)
            try:
                self._popen.wait(timeout)
            except subprocess.TimeoutExpired:
                pass
        self.kill()

    def log_text(self) -> str:
        return self.log.read_text(errors="replace")

    def wait_for_log(self, text: str, timeout: float = 30) -> None:
        self.wait_until(lambda: text in self.log_text(), timeout, f"{text!r} in the log")

    def wait_until(self, condition: Callable[[], Any], timeout: float, message: str) -> Any:
        """As the function, but gives up when the process ends, and shows its log."""
        try:
            answer = wait_until(lambda: condition() or not self.running, timeout, message)
        except TimeoutError as error:
            raise TimeoutError(f"{error}: {self}") from None
        if not self.running and not (answer := condition()):
            raise RuntimeError(f"ended before {message}: {self}")
        return answer

    def __str__(self) -> str:
        state = "running" if self.running else f"ended with {self.returncode}"
        return f"{' '.join(self.command)} (pid {self.pid}, {state})\n{tail(self.log)}"


class Processes:
    """The project's own processes for one test, with their logs and `var` in one folder; all ended on exit.

    They work in that folder, so that a developer's `.env` and `var/` have no part in a test, and see only the
    settings given here.
    """

    def __init__(self, folder: Path | None = None, **environment: Any):
        self._own_folder = folder is None
        self.folder = folder or temporary_folder("processes")
        self.environment = {"WAYBILL_VAR": self.folder / "var"} | environment
        self.started: list[Process] = []

    def python(self, *arguments: Any, name: str = "", **environment: Any) -> Process:
        """Starts Python on a module (`"-m", "workers"`) or on a script of the project (`"scheduler.py"`)."""
        parts = [ROOT / part if str(part).endswith(".py") else part for part in arguments]
        return self.start(sys.executable, *parts, name=name or Path(str(arguments[-1])).stem, **environment)

    def start(self, *command: Any, name: str = "", **environment: Any) -> Process:
        log = self.folder / f"{name or Path(str(command[0])).name}-{len(self.started) + 1}.log"
        settings = {key: str(value) for key, value in (self.environment | environment).items()}
        process = Process(list(command), log, cwd=self.folder, env=bare_environment() | settings)
        self.started.append(process)
        return process

    def wait_until(self, condition: Callable[[], Any], timeout: float = 30, message: str = "") -> Any:
        """As the function, with every log in the error."""
        try:
            return wait_until(condition, timeout, message)
        except Exception as error:
            error.add_note(self.logs())
            raise

    def logs(self) -> str:
        return "\n".join(f"--- {process}" for process in self.started)

    def close(self) -> None:
        """Ends all, the last started first."""
        for process in reversed(self.started):
            process.close()

    def kill(self) -> None:
        """As ``close``, at once: for whoever is done with them and does not ask how they stop."""
        for process in reversed(self.started):
            process.kill()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type | None, error: BaseException | None, trace: Any) -> None:
        if error is not None:
            error.add_note(self.logs())
        self.close()
        if self._own_folder:
            remove_folder(self.folder)


def bare_environment() -> dict[str, str]:
    """This environment without the project's settings, and with the project importable.

    What is compiled is kept, even where the environment says not to: a site that starts without that takes a
    second more, and hundreds of processes start.
    """
    from ledger.settings import Settings

    left_out = {name.upper() for name in Settings.model_fields} | {"PYTHONDONTWRITEBYTECODE"}
    kept = {name: value for name, value in os.environ.items() if name.upper() not in left_out}
    return kept | {"PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1"}


def tail(log: Path) -> str:
    return log.read_text(errors="replace")[-LOG_TAIL:]


def remember(kind: str, name: Any) -> None:
    _tell_reaper(f"+{kind} {name}\n")


def forget(kind: str, name: Any) -> None:
    _tell_reaper(f"-{kind} {name}\n")


def _tell_reaper(line: str) -> None:
    with _reaper_lock:
        pipe = _reaper(os.getpid()).stdin
        pipe.write(line)
        pipe.flush()


_reaper_lock = Lock()


@cache
def _owner(pid: int) -> str:
    return uuid4().hex


_numbers = count(1)


@cache
def _reaper(owner: int) -> subprocess.Popen:
    # Keyed by process id, so that a fork gets one of its own.
    return subprocess.Popen(
        [sys.executable, "-S", "-E", Path(__file__).with_name("reaper.py"), _owner(owner)],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
        text=True,
    )
