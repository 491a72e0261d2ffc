"""The one body that all three systems run. It may be told to die, once, as it starts or as it ends."""

import os
import signal
from pathlib import Path

from tests.faults import witness
from tests.faults.work import work

DIE_AT = "DIE_AT"  # start or end; a file of this name beside the witness says that it has happened


def body(key: str, seconds: float) -> None:
    if key == "victim":
        die_once("start")
    work(key, key, 0, seconds)
    if key == "victim":
        die_once("end")


def die_once(moment: str) -> None:
    if os.environ.get(DIE_AT) != moment:
        return
    try:
        os.close(os.open(mark(), os.O_CREAT | os.O_EXCL))
    except FileExistsError:
        return
    if moment == "start":
        witness.note("start", "victim", "victim", 0)
    os.kill(os.getpid(), signal.SIGKILL)


def mark() -> Path:
    return Path(os.environ[witness.VARIABLE]).with_name("died")
