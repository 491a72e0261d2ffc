"""The numbers beside a drawing of bars: a round top and its half, and round times below. Text stays HTML."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from ledger import clock
from web import moments, numbers

HOUR = 3_600 * clock.SECOND
#: Up to so long a range: how far apart its marks are, and how they read.
STEPS = (
    (2 * HOUR, timedelta(minutes=15), "%H:%M"),
    (48 * HOUR, timedelta(hours=6), "%H:%M"),
    (2**63, timedelta(days=1), "%m-%d"),
)
#: First digits of a top whose half reads well.
TOPS = (1, 2, 4, 6, 8, 10)
#: A mark nearer to an end than this many percent would stand out of the drawing.
EDGE = 2


@dataclass(frozen=True, slots=True)
class Mark:
    """In percent from the left."""

    percent: float
    word: str


@dataclass(frozen=True, slots=True)
class Axes:
    """``numbers`` from the top down to zero, evenly spaced."""

    numbers: tuple[str, ...]
    marks: tuple[Mark, ...]


def axes(peak: int, since: int, until: int) -> Axes:
    top = top_of(peak)
    halves = (top, top // 2, 0) if top > 1 else (1, 0)
    return Axes(tuple(numbers.number(each) for each in halves), tuple(_marks(since, until)))


def top_of(peak: int) -> int:
    """The next round number: nothing is drawn higher."""
    power = 10 ** max(0, len(str(peak)) - 1)
    return next(first * power for first in TOPS if first * power >= peak)


def _marks(since: int, until: int) -> Iterable[Mark]:
    step, pattern = next((step, pattern) for span, step, pattern in STEPS if until - since <= span)
    for at in _round_times(moments.local(since), step):
        percent = 100 * (clock.from_datetime(at) - since) / (until - since)
        if percent > 100 - EDGE:
            return
        if percent >= EDGE:
            yield Mark(round(percent, 1), f"{at:{pattern}}")


def _round_times(first: datetime, step: timedelta) -> Iterable[datetime]:
    """By the clock on the wall, from the day's beginning on; those before ``first`` are left out."""
    midnight = first.replace(hour=0, minute=0, second=0, microsecond=0)
    begun = (first.replace(tzinfo=None) - midnight.replace(tzinfo=None)) // step
    while True:
        yield midnight + begun * step
        begun += 1
