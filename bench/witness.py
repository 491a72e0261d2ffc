"""What the bodies of measured jobs do: note which job started when, in 16 bytes appended to one file.

The clock is monotonic and the same in every process of a machine. An append of this size is atomic and takes
about a microsecond, whichever system runs the body.
"""

import os
import struct
import time
from functools import cache
from pathlib import Path

RECORD = struct.Struct("<qq")
VARIABLE = "BENCH_WITNESS"


def note(number: int) -> None:
    """The body of every measured job."""
    os.write(_file(), RECORD.pack(number, time.monotonic_ns()))


def count(path: Path) -> int:
    return path.stat().st_size // RECORD.size if path.exists() else 0


def starts(path: Path) -> dict[int, int]:
    """When each job started, in nanoseconds: the first time, if one started more than once."""
    found: dict[int, int] = {}
    for number, started in RECORD.iter_unpack(path.read_bytes()):
        found.setdefault(number, started)
    return found


@cache
def _file() -> int:
    return os.open(os.environ[VARIABLE], os.O_WRONLY | os.O_APPEND | os.O_CREAT)
