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
    found = [(at, each) for at, each in fires(connection, now) if at]
    number = sum(at < now + HOUR for at, _each in found)
    first = nsmallest(MOST_SHOWN, found, key=itemgetter(0))
    shown = [_ticks(each, at, now) for at, each in first]
    soon = tuple(each for each in shown if each.at < now + HOUR)
    return Upcoming(shown[0] if shown else None, soon, max(0, number - MOST_SHOWN))


def fires(connection: Connection, now: int) -> list[tuple[int | None, Enabled]]:
    """When each schedule that ticks does so next, None for never again. Schedules are read when one was changed, and
    a time is worked out when the one before it has come: pages ask every few seconds, and there may be thousands."""
    newest, known = schedules.newest_change(connection), _known.get(connection.engine)
    if known is None or known.newest != newest or now < known.at:  # or a clock was set back
        known = _Known(newest, now, [(_next(each, now), each) for each in schedules.enabled(connection)])
    fires = [(at if at is None or at > now else _next(each, now), each) for at, each in known.fires]
    _known[connection.engine] = _Known(newest, now, fires)
    return fires


def enabled(connection: Connection) -> list[Enabled]:
    """The schedules that tick. Their watermarks may be older than what the ledger has."""
    return [each for _at, each in fires(connection, clock.now())]


@dataclass(frozen=True, slots=True)
class _Known:
    """What was found ``at`` that time, when ``newest`` was the newest change."""

    newest: tuple[int, int, int]
    at: int
    fires: list[tuple[int | None, Enabled]]


_known: WeakKeyDictionary[Engine, _Known] = WeakKeyDictionary()


def _next(schedule: Enabled, now: int) -> int | None:
    return _after(schedule, max(now, schedule.watermark))


def _after(schedule: Enabled, at: int) -> int | None:
    return recurrence.next_after(schedule.rule, at)


def _ticks(schedule: Enabled, first: int, now: int) -> NextTicks:
    number = sum(1 for _ in islice(_within(schedule, first, now), MOST_TICKS))
    return NextTicks(schedule.id, schedule.name, first, number)


def _within(schedule: Enabled, at: int | None, now: int):
    while at is not None and at < now + HOUR:
        yield at
        at = _after(schedule, at)
