"""Limits of the kernel around one run in a cell, and what is said when a run meets one.

Only soft limits are set, above what the process uses already, and taken back when the body has ended: a warm
process serves runs with other limits, and its ending needs memory and files of its own.
"""

import contextlib
import errno
import resource
from collections.abc import Iterator
from pathlib import Path

from workers.isolation import Limits


class MemoryLimitExceeded(MemoryError):
    """Raised in place of MemoryError when the run has a ``memory_limit``."""


class FileSizeLimitExceeded(OSError):
    """Raised in place of "File too large" when the run has a ``file_size_limit``."""


class CpuLimitExceeded(Exception):
    """What a run ends with whose process the kernel stopped at its ``cpu_limit``."""

    def __init__(self, limit: int | None):
        super().__init__(f"it used more than its cpu_limit of {limit} s of CPU time")


@contextlib.contextmanager
def kept(limits: Limits) -> Iterator[None]:
    """Holds the code inside to ``limits``; tells in words what the kernel refused."""
    before = {what: resource.getrlimit(what) for what, _ in _wanted(limits)}
    try:
        for what, soft in _wanted(limits):
            _set(what, soft, before[what][1])
        yield
    except (MemoryError, OSError) as error:
        _restore(before)
        if (explained := _explained(error, limits)) is None:
            raise
        raise explained from error
    finally:
        _restore(before)


def no_core_files() -> None:
    """A crash is told by its signal; a gigabyte of core file beside it helps nobody who did not ask for one."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def _wanted(limits: Limits) -> list[tuple[int, int]]:
    used = resource.getrusage(resource.RUSAGE_SELF)
    wanted = {
        resource.RLIMIT_AS: limits.memory_limit and _address_space() + limits.memory_limit,
        # The kernel counts whole seconds, so the one that has begun is given away.
        resource.RLIMIT_CPU: limits.cpu_limit and int(used.ru_utime + used.ru_stime) + 1 + limits.cpu_limit,
        resource.RLIMIT_FSIZE: limits.file_size_limit,
        resource.RLIMIT_NOFILE: limits.open_files_limit,
    }
    return [(what, soft) for what, soft in wanted.items() if soft]


def _set(what: int, soft: int, hard: int) -> None:
    resource.setrlimit(what, (soft if hard == resource.RLIM_INFINITY else min(soft, hard), hard))


def _restore(before: dict[int, tuple[int, int]]) -> None:
    for what, pair in before.items():
        resource.setrlimit(what, pair)


def _address_space() -> int:
    """Bytes of virtual memory that this process has mapped; 0 where the system does not tell."""
    try:
        return int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    except OSError:
        return 0


def _explained(error: MemoryError | OSError, limits: Limits) -> BaseException | None:
    if isinstance(error, MemoryError) and limits.memory_limit:
        return MemoryLimitExceeded(f"it needed more than its memory_limit of {limits.memory_limit:,} bytes: {error}")
    if isinstance(error, OSError) and error.errno == errno.EFBIG and limits.file_size_limit:
        return FileSizeLimitExceeded(
            errno.EFBIG, f"a file became larger than its file_size_limit of {limits.file_size_limit:,} bytes"
        )
    return None
