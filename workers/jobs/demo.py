"""Jobs to try the console with: one that waits, one that fails, one that works, one with every field."""

import logging
import time
from collections.abc import Callable
from datetime import date, datetime
from enum import Enum
from math import isqrt
from typing import Annotated, Literal, Optional, Union

import dramatiq
import numpy as np
from pydantic import Field

from workers import context
from workers.context import UploadFile

logger = logging.getLogger(__name__)

NAP = 0.1
SEGMENT = 2**18
MOST_LIMIT = 10**10


class DeliberateFailure(Exception):
    """Raised by ``demo.fail`` for as many attempts as it was asked to."""


class Colour(Enum):
    """A choice by name, for ``demo.fields``."""

    RED = "red"
    GREEN = "green"
    BLUE = "blue"


@dramatiq.actor(actor_name="demo.sleep", throws=ValueError, time_limit=86_400_000)
def sleep(seconds: Annotated[float, Field(ge=0)] = 10.0, steps: Annotated[int, Field(ge=1)] = 20) -> dict:
    """Sleep for a while, with progress and a few log lines. Cancel it while it runs: it stops at once.

    Args:
        seconds: How long to sleep in all.
        steps: Into how many steps of progress to divide that.
    """
    if seconds < 0 or steps < 1:
        raise ValueError("seconds has to be 0 or more, and steps 1 or more")
    started = time.monotonic()
    for step in range(1, steps + 1):
        _nap_until(started + seconds * step / steps, step - 1, steps)
        if step % max(1, steps // 5) == 0:
            logger.info("slept %d of %d steps", step, steps)
    context.progress(steps, steps, "awake")
    return {"slept": round(time.monotonic() - started, 3), "steps": steps}


def _nap_until(moment: float, done: int, steps: int) -> None:
    """Reports every tenth of a second, because that is where a cancel is noticed."""
    context.progress(done, steps, "sleeping")
    while (left := moment - time.monotonic()) > 0:
        time.sleep(min(left, NAP))
        context.progress(done, steps, "sleeping")


@dramatiq.actor(actor_name="demo.fail", max_retries=3, min_backoff=1000, max_backoff=10_000)
def fail(message: str = "The demo fails on purpose.", times: Annotated[int, Field(ge=0)] = 2) -> dict:
    """Fail a few attempts, then succeed, to watch retries: there are four attempts in all.

    Args:
        message: What the failing attempts say.
        times: How many attempts fail. From 4 on, none is left to succeed.
    """
    attempt = context.attempt()
    if attempt <= times:
        logger.warning("attempt %d fails, as asked", attempt)
        raise DeliberateFailure(message)
    return {"succeeded_at_attempt": attempt}


@dramatiq.actor(actor_name="demo.primes", throws=ValueError)
def primes(limit: Annotated[int, Field(ge=0, le=MOST_LIMIT)] = 200_000) -> dict:
    """Count the prime numbers up to a limit.

    Args:
        limit: The last number to look at.
    """
    if not 0 <= limit <= MOST_LIMIT:
        raise ValueError(f"limit has to be from 0 to {MOST_LIMIT:,}")
    count, largest = count_primes(limit, lambda done: context.progress(done, limit, f"up to {done:,}"))
    logger.info("%d primes up to %d", count, limit)
    return {"limit": limit, "primes": count, "largest": largest}


def count_primes(limit: int, progress: Callable[[int], None]) -> tuple[int, int | None]:
    """How many primes there are up to ``limit``, and the largest: Eratosthenes, one segment at a time."""
    divisors, count, largest = _sieve(2, isqrt(limit), np.arange(2, isqrt(isqrt(limit)) + 1)), 0, None
    for start in range(2, limit + 1, SEGMENT):
        stop = min(start + SEGMENT - 1, limit)
        found = _sieve(start, stop, divisors)
        count, largest = count + found.size, int(found[-1]) if found.size else largest
        progress(stop)
    return count, largest


def _sieve(start: int, stop: int, divisors: np.ndarray) -> np.ndarray:
    """The numbers from ``start`` to ``stop`` that no divisor divides, but for the divisors themselves."""
    prime = np.ones(max(0, stop - start + 1), bool)
    for divisor in divisors.tolist():
        first = max(divisor * divisor, -(-start // divisor) * divisor)
        prime[first - start :: divisor] = False
    return np.flatnonzero(prime) + start


@dramatiq.actor(actor_name="demo.fields")
def fields(
    whole: int,
    text: str = "hello",
    number: float = 0.5,
    ticked: bool = True,
    day: date = date(2026, 1, 31),
    moment: Optional[datetime] = None,  # noqa: UP045 - people write both
    colour: Colour = Colour.GREEN,
    size: Literal["small", "medium", "large"] = "medium",
    maybe: int | None = None,
    either: Union[int, str] = "seven",  # noqa: UP007
    numbers: list[int] = [1, 2, 3],  # noqa: B006 - shown in the form, never changed
    mapping: dict[str, int] = {"a": 1},  # noqa: B006
    upload: UploadFile | None = None,
) -> dict:
    """Return what was given, with its type: a form with every kind of field.

    Args:
        whole: A whole number. This one has no default, so it is required.
        text: Any text.
        number: A number with a fraction.
        ticked: Yes or no.
        day: A date.
        moment: A date and a time, or nothing.
        colour: One of an enumeration.
        size: One of a few words.
        maybe: A whole number, or nothing.
        either: A whole number or a text: what looks like a number is one.
        numbers: A list of whole numbers.
        mapping: Whole numbers by name.
        upload: A file, or nothing.
    """
    given = dict(locals())
    return {name: {"type": type(value).__name__, "value": _plain(value)} for name, value in given.items()}


def _plain(value: object) -> object:
    """As JSON can say it."""
    if isinstance(value, UploadFile):
        return {"name": value.name, "size": value.size}
    if isinstance(value, Enum):
        return value.value
    return value.isoformat() if isinstance(value, date) else value
