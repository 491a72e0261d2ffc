"""What fires next: the ticks of the coming hour, schedule by schedule."""

from dataclasses import dataclass
from itertools import islice

from sqlalchemy import Connection

from ledger import clock, recurrence, schedules
from ledger.schedules import Enabled

HOUR = 3_600 * clock.SECOND
MOST_SHOWN = 6
MOST_TICKS = 60


@dataclass(frozen=True, slots=True)
class NextTicks:
    """A schedule that fires at ``at``, and ``number`` times in the coming hour altogether."""

    id: str
    name: str
    at: int
    number: int


@dataclass(frozen=True, slots=True)
class Upcoming:
    """``soon`` is what fires within the hour, the earliest first, and ``more`` schedules do besides; ``next`` is the
    earliest of all, whenever it comes."""

    next: NextTicks | None
    soon: tuple[NextTicks, ...]
    more: int


def upcoming(connection: Connection, now: int) -> Upcoming:
    found = [(at, each) for each in schedules.enabled(connection) if (at := _after(each, max(now, each.watermark)))]
    found.sort(key=lambda pair: pair[0])
    soon = [pair for pair in found if pair[0] < now + HOUR]
    shown = tuple(_ticks(each, at, now) for at, each in soon[:MOST_SHOWN])
    first = _ticks(found[0][1], found[0][0], now) if found else None
    return Upcoming(first, shown, max(0, len(soon) - MOST_SHOWN))


def _after(schedule: Enabled, at: int) -> int | None:
    return recurrence.next_after(schedule.rule, at)


def _ticks(schedule: Enabled, first: int, now: int) -> NextTicks:
    number = sum(1 for _ in islice(_within(schedule, first, now), MOST_TICKS))
    return NextTicks(schedule.id, schedule.name, first, number)


def _within(schedule: Enabled, at: int | None, now: int):
    while at is not None and at < now + HOUR:
        yield at
        at = _after(schedule, at)
