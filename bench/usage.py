"""What a process uses, as Linux tells it: processor time and memory."""

import os
import re
from pathlib import Path

TICKS = os.sysconf("SC_CLK_TCK")


def cpu_seconds(pids: list[int]) -> float:
    return sum(_cpu_ticks(pid) for pid in pids) / TICKS


def _cpu_ticks(pid: int) -> int:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return int(fields[11]) + int(fields[12])


def memory(pids: list[int], figure: str = "VmRSS") -> float:
    """Resident megabytes; with ``VmHWM`` the most there ever were."""
    return sum(_kilobytes(pid, figure) for pid in pids) / 1_024


def _kilobytes(pid: int, figure: str) -> int:
    status = Path(f"/proc/{pid}/status").read_text()
    return int(re.search(rf"{figure}:\s+(\d+) kB", status)[1])
