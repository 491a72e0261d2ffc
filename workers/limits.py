"""Limits of the kernel around one run in a cell, and what is said when a run meets one.

Only soft limits are set, above what the process uses already, and taken back when the body has ended: a warm
process serves runs with other limits, and its ending needs memory and files of its own.
"""

import errno
import functools
import resource
from collections.abc import Callable
from pathlib import Path
from typing import Any

from workers.interrupts import SignalGuard
from workers.isolation import Limits


class MemoryLimitExceeded(MemoryError):
    """Raised in place of MemoryError when the run has a ``memory_limit``."""


class FileSizeLimitExceeded(OSError):
    """Raised in place of "File too large" when the run has a ``file_size_limit``."""


class CpuLimitExceeded(Exception):
    """What a run ends with whose process the kernel stopped at its ``cpu_limit``."""

    def __init__(self, limit: int | None):
        super().__init__(f"it used more than its cpu_limit of {limit} s of CPU time")


class LimitedGuard(SignalGuard):
    """Runs a body within limits, and tells in words what the kernel refused it."""

    def __init__(self, limits: Limits, say_started: Callable[[], None]):
        super().__init__()
        self._limits, self._say_started = limits, say_started

    def run(self, body: Callable[..., Any], args: tuple, kwargs: dict) -> Any:
        @functools.wraps(body)
        def started(*args: Any, **kwargs: Any) -> Any:
            with self.undisturbed():
                self._say_started()
            return body(*args, **kwargs)

        before = _set(_wanted(self._limits))
        try:
            return super().run(started, args, kwargs)
        except (MemoryError, OSError) as error:
            _restore(before)
            if (explained := _explained(error, self._limits)) is None:
                raise
            raise explained.with_traceback(error.__traceback__) from None
        finally:
            _restore(before)


def no_core_files() -> None:
    """A crash is told by its signal; a gigabyte of core file beside it helps nobody who did not ask for one."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def _wanted(limits: Limits) -> dict[int, int]:
    used = resource.getrusage(resource.RUSAGE_SELF)
    wanted = {
        resource.RLIMIT_AS: limits.memory_limit and _address_space() + limits.memory_limit,
        # The kernel counts whole seconds, so the one that has begun is given away.
        resource.RLIMIT_CPU: limits.cpu_limit and int(used.ru_utime + used.ru_stime) + 1 + limits.cpu_limit,
        resource.RLIMIT_FSIZE: limits.file_size_limit,
        resource.RLIMIT_NOFILE: limits.open_files_limit,
    }
    return {what: soft for what, soft in wanted.items() if soft}


def _set(wanted: dict[int, int]) -> dict[int, tuple[int, int]]:
    """Sets soft limits, none above the hard one that there is; what there was before."""
    before = {what: resource.getrlimit(what) for what in wanted}
    for what, (_, hard) in before.items():
        soft = wanted[what] if hard == resource.RLIM_INFINITY else min(wanted[what], hard)
        resource.setrlimit(what, (soft, hard))
    return before


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
        said = f": {error}" if str(error) else ""
        return MemoryLimitExceeded(f"it needed more than its memory_limit of {limits.memory_limit:,} bytes{said}")
    if isinstance(error, OSError) and error.errno == errno.EFBIG and limits.file_size_limit:
        return FileSizeLimitExceeded(
            errno.EFBIG, f"a file became larger than its file_size_limit of {limits.file_size_limit:,} bytes"
        )
    return None
