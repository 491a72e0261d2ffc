"""What fires next: the ticks of the coming hour, schedule by schedule."""

from dataclasses import dataclass
from heapq import nsmallest
from itertools import islice
from operator import itemgetter
from weakref import WeakKeyDictionary

from sqlalchemy import Connection, Engine

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
    found = [(at, each) for each in enabled(connection) if (at := _after(each, max(now, each.watermark)))]
    number = sum(at < now + HOUR for at, _each in found)
    first = nsmallest(MOST_SHOWN, found, key=itemgetter(0))
    shown = [_ticks(each, at, now) for at, each in first]
    soon = tuple(each for each in shown if each.at < now + HOUR)
    return Upcoming(shown[0] if shown else None, soon, max(0, number - MOST_SHOWN))


def enabled(connection: Connection) -> tuple[Enabled, ...]:
    """The schedules that tick, as they were when one was last changed. Read once for that: pages ask every few
    seconds, and there may be thousands. Their watermarks may be older than what the ledger has."""
    newest, known = schedules.newest_change(connection), _known.get(connection.engine)
    if known is None or known[0] != newest:
        known = _known[connection.engine] = newest, tuple(schedules.enabled(connection))
    return known[1]


_known: WeakKeyDictionary[Engine, tuple[tuple[int, int, int], tuple[Enabled, ...]]] = WeakKeyDictionary()


def _after(schedule: Enabled, at: int) -> int | None:
    return recurrence.next_after(schedule.rule, at)


def _ticks(schedule: Enabled, first: int, now: int) -> NextTicks:
    number = sum(1 for _ in islice(_within(schedule, first, now), MOST_TICKS))
    return NextTicks(schedule.id, schedule.name, first, number)


def _within(schedule: Enabled, at: int | None, now: int):
    while at is not None and at < now + HOUR:
        yield at
        at = _after(schedule, at)
