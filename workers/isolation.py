"""Where a job's body runs: in a thread of the worker process, or in a process of its own, with limits.

These are actor options of ours beside Dramatiq's. A value that cannot be meant is refused when its module is imported.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

RUNS_PER_CELL = 1_000  # a process is replaced after so many runs: what a job's libraries leak ends with it

#: What only the kernel can hold, and only for a process: its unit.
LIMITS = {
    "memory_limit": "bytes",
    "cpu_limit": "seconds",
    "file_size_limit": "bytes",
    "open_files_limit": "files",
}
CHOICES = {"isolation": ("thread", "process"), "on_crash": ("retry", "fail")}
OPTIONS = {*CHOICES, *LIMITS}


class WrongOption(ValueError):
    """An actor was declared with an option that cannot be kept; raised at import."""

    def __init__(self, job: str, fault: str):
        super().__init__(f"the job {job!r} cannot be declared: {fault}")


@dataclass(frozen=True, slots=True)
class Limits:
    """What one run may use beyond what its process had before; None is no limit."""

    memory_limit: int | None = None
    cpu_limit: int | None = None
    file_size_limit: int | None = None
    open_files_limit: int | None = None


def check(job: str, options: Mapping[str, Any]) -> None:
    """Raises WrongOption."""
    for name, choices in CHOICES.items():
        if options.get(name, choices[0]) not in choices:
            raise WrongOption(job, f"{name}={options[name]!r} is none of {', '.join(map(repr, choices))}")
    for name, unit in LIMITS.items():
        limit = options.get(name)
        if limit is not None and (type(limit) is not int or limit < 1):
            raise WrongOption(job, f"{name}={limit!r} is no whole number of {unit} above 0")
        if limit is not None and not wants_process(options):
            raise WrongOption(job, f"{name} needs isolation='process': a thread has no limits of its own")


def wants_process(options: Mapping[str, Any]) -> bool:
    return options.get("isolation") == "process"


def limits_of(options: Mapping[str, Any]) -> Limits:
    return Limits(**{name: options.get(name) for name in LIMITS})


def announced(options: Mapping[str, Any]) -> dict[str, Any]:
    """What a worker tells the ledger of them: the choices always, limits where there are any."""
    chosen = {name: options.get(name, choices[0]) for name, choices in CHOICES.items()}
    return chosen | {name: options[name] for name in LIMITS if options.get(name) is not None}
