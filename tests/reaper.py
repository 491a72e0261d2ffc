"""Ends what a killed test run left behind.

Runs beside the interpreter that started it and is told, line by line, which process groups and folders that
one owns: ``+group 123``, ``-group 123``, ``+folder /tmp/x``, ``-folder /tmp/x``. When its input closes, the
owner is gone, however it went, and what is still on the list goes too. Needs only the standard library.
"""

import os
import shutil
import signal
import sys
import time

GRACE = 5.0


def main() -> None:
    owned: dict[str, set[str]] = {"group": set(), "folder": set()}
    for line in sys.stdin:
        kind, name = line[1:].rstrip("\n").split(" ", 1)
        (owned[kind].add if line[0] == "+" else owned[kind].discard)(name)
    end_groups({int(name) for name in owned["group"]})
    for folder in owned["folder"]:
        shutil.rmtree(folder, ignore_errors=True)


def end_groups(groups: set[int]) -> None:
    for group in groups:
        signal_group(group, signal.SIGTERM)
        signal_group(group, signal.SIGCONT)
    deadline = time.monotonic() + GRACE
    while time.monotonic() < deadline and any(signal_group(group, 0) for group in groups):
        time.sleep(0.05)
    for group in groups:
        signal_group(group, signal.SIGKILL)


def signal_group(group: int, number: int) -> bool:
    try:
        os.killpg(group, number)
    except OSError:
        return False
    return True


if __name__ == "__main__":
    main()
