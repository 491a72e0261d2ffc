"""How much memory a worker process holds, as the kernel says; nothing where there is no /proc."""

import os
from pathlib import Path

PROC = Path("/proc")


def resident(pid: int) -> int | None:
    """Bytes in memory of the process and of those that it started, its cells; None when nobody can say."""
    own = _resident(pid)
    return None if own is None else own + sum(_resident(child) or 0 for child in _children(pid))


def _resident(pid: int) -> int | None:
    try:
        return int((PROC / str(pid) / "statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except (OSError, IndexError, ValueError):
        return None


def _children(pid: int) -> set[int]:
    """Each thread has a list of those that it started."""
    try:
        lists = [thread / "children" for thread in (PROC / str(pid) / "task").iterdir()]
        return {int(child) for each in lists for child in each.read_text().split()}
    except OSError:  # a thread ended meanwhile, or the kernel keeps no lists
        return set()
