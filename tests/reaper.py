"""Ends what a killed test run left behind.

Runs beside the interpreter that started it and is told, line by line, which process groups and folders that
one owns: ``+group 123``, ``-group 123``, ``+folder /tmp/x``, ``-folder /tmp/x``. When its input closes, the
owner is gone, however it went, and what is still on the list goes too, and with it every process that carries
the owner's mark in its environment. Needs only the standard library.
"""

import os
import shutil
import signal
import sys
import time
from pathlib import Path

#: What a process was started by; inherited by what it starts, in whatever group or session that ends up.
MARK = "STARTED_BY_TEST"
GRACE = 5.0


def main(owner: str) -> None:
    owned: dict[str, set[str]] = {"group": set(), "folder": set()}
    for line in sys.stdin:
        kind, name = line[1:].rstrip("\n").split(" ", 1)
        (owned[kind].add if line[0] == "+" else owned[kind].discard)(name)
    end({int(name) for name in owned["group"]}, f"{owner}.")
    for folder in owned["folder"]:
        shutil.rmtree(folder, ignore_errors=True)


def end(groups: set[int], mark: str) -> None:
    for number in (signal.SIGTERM, signal.SIGCONT):
        signal_all(groups, mark, number)
    deadline = time.monotonic() + GRACE
    while time.monotonic() < deadline and signal_all(groups, mark, 0):
        time.sleep(0.1)
    signal_all(groups, mark, signal.SIGKILL)


def signal_all(groups: set[int], mark: str, number: int) -> bool:
    """Whether there was anyone left to get the signal."""
    reached = [try_signal(os.killpg, group, number) for group in groups]
    return any(reached + [try_signal(os.kill, pid, number) for pid in marked(mark)])


def try_signal(send, target: int, number: int) -> bool:
    try:
        send(target, number)
    except OSError:
        return False
    return True


def marked(mark: str) -> list[int]:
    """Process ids of those that carry a mark which begins so."""
    wanted = f"\0{MARK}={mark}".encode()
    processes = Path("/proc").glob("[0-9]*")
    return [int(process.name) for process in processes if wanted in b"\0" + environment(process)]


def environment(process: Path) -> bytes:
    """Empty for a process that has just ended."""
    try:
        return process.joinpath("environ").read_bytes()
    except OSError:
        return b""


if __name__ == "__main__":
    main(sys.argv[1])
