"""Plain Dramatiq actors, written for stock Dramatiq; nothing here knows Waybill."""

import logging
import os
import time
from datetime import date
from enum import Enum
from typing import Literal

import dramatiq
from dramatiq.middleware import CurrentMessage

log = logging.getLogger(__name__)


class Region(Enum):
    EUROPE = "EU"
    AMERICA = "US"


class Expected(Exception):
    pass


@dramatiq.actor
def add(x: int, y: int = 1) -> int:
    return x + y


@dramatiq.actor(max_retries=2, min_backoff=100, max_backoff=200)
def flaky(succeed_at: int = 3):
    """Fails until it was tried often enough."""
    message = CurrentMessage.get_current_message()
    log.warning("try of %s", message.message_id)
    witness("flaky", message.message_id)
    if count("flaky", message.message_id) < succeed_at:
        raise ValueError("not yet")
    return "at last"


@dramatiq.actor(max_retries=0)
def broken(text: str = "boom"):
    raise RuntimeError(text)


@dramatiq.actor(throws=(Expected,), max_retries=5)
def throws():
    raise Expected("this is expected")


@dramatiq.actor(max_retries=5, retry_when=lambda retries, error: retries < 1, min_backoff=50)
def once_more():
    raise KeyError("again")


@dramatiq.actor(max_retries=1)
def retry_later():
    message = CurrentMessage.get_current_message()
    witness("retry_later", message.message_id)
    if count("retry_later", message.message_id) == 1:
        raise dramatiq.errors.Retry(delay=300)
    return "later"


@dramatiq.actor(time_limit=300, max_retries=0)
def too_slow():
    for _ in range(1_000):
        time.sleep(0.01)


@dramatiq.actor(max_age=200, max_retries=0)
def perishable():
    return "fresh"


@dramatiq.actor
async def asynchronous(n: int):
    return n * 2


@dramatiq.actor
def report(
    month: date, region: Region = Region.EUROPE, mode: Literal["fast", "full"] = "fast", tags: list[str] | None = None
):
    """Builds a report.

    Args:
        month: Any day of the month to report.
        region: Whose figures.
    """
    return {"type": type(month).__name__, "month": str(month), "region": str(region), "mode": mode, "tags": tags}


@dramatiq.actor(queue_name="side")
def collect(numbers, extra=0):
    return sum(numbers) + extra if isinstance(numbers, list) else numbers + extra


@dramatiq.actor
def fan_out(n: int):
    """Sends others from inside a job, and waits for none."""
    return [add.send(i, i).message_id for i in range(n)]


@dramatiq.actor(on_failure="note_failure", max_retries=0)
def fails_with_callback():
    raise ValueError("call back")


@dramatiq.actor
def note_failure(message_data, exception_data):
    return exception_data["type"]


@dramatiq.actor(max_retries=0)
def nap(seconds: float = 0.2):
    message = CurrentMessage.get_current_message()
    witness("nap", message.message_id)
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        time.sleep(0.01)


@dramatiq.actor(max_retries=0)
def mark(n: int):
    witness("mark", str(n))


@dramatiq.actor(max_retries=0)
def poison():
    """Kills its worker, every time."""
    witness("poison", CurrentMessage.get_current_message().message_id)
    os.kill(os.getpid(), 9)


@dramatiq.actor(max_retries=0)
def unready(n: int = 0):
    """Fails until somebody has put the file there."""
    if not os.path.exists(os.environ["WITNESS"] + ".ready"):
        raise LookupError("not ready")
    return n


class Unspeakable(Exception):
    def __str__(self) -> str:
        return str(1 // 0)


@dramatiq.actor(max_retries=0)
def unspeakable():
    raise Unspeakable


@dramatiq.actor(max_retries=3, retry_when=lambda retries, error: 1 // 0)
def undecided():
    raise ValueError("again?")


@dramatiq.actor(max_retries=0, on_failure="nobody_knows_this")
def calls_nobody():
    raise ValueError("call")


def witness(event: str, key: str) -> None:
    """One line with one O_APPEND write: what really happened, whatever the ledger says."""
    file = os.open(os.environ["WITNESS"], os.O_APPEND | os.O_CREAT | os.O_WRONLY)
    os.write(file, f"{event} {key} {os.getpid()}\n".encode())
    os.close(file)


def count(event: str, key: str) -> int:
    with open(os.environ["WITNESS"]) as lines:
        return sum(line.startswith(f"{event} {key} ") for line in lines)
