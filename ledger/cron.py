"""Cron rules: five fields in some zone -> instants, in microseconds since 1970 UTC. Pure.

What a field means is cronsim's (Debian's cron: day of month OR day of week, 0 and 7 are Sunday, names, L, #),
asked for wall clock times only. What happens when clocks change is decided here, because cronsim skips or
doubles times then:

- a time that does not exist fires at the first instant after the gap; several such times fire once together;
- a time that exists twice fires once, at the first of the two; when the hour is ``*`` or ``*/n`` it fires at each.
"""

import heapq
from bisect import bisect_left
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from cronsim import CronSim, CronSimError

from ledger import clock, cron_chinese, cron_english
from ledger.errors import N_

ALIASES = {
    "@hourly": "0 * * * *",
    "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *",
    "@weekly": "0 0 * * 0",
    "@monthly": "0 0 1 * *",
    "@yearly": "0 0 1 1 *",
    "@annually": "0 0 1 1 *",
}
#: Of each field, what it takes.
FIELDS = (
    N_("The minute “%(term)s” is not possible: it takes 0 to 59; also *, lists, ranges like 2-5 and steps like */2."),
    N_("The hour “%(term)s” is not possible: it takes 0 to 23; also *, lists, ranges like 2-5 and steps like */2."),
    N_(
        "The day of month “%(term)s” is not possible: it takes 1 to 31, L for the last day, or LW for the last "
        "weekday; also *, lists, ranges like 2-5 and steps like */2."
    ),
    N_(
        "The month “%(term)s” is not possible: it takes 1 to 12, or JAN to DEC; also *, lists, ranges like 2-5 and "
        "steps like */2."
    ),
    N_(
        "The day of week “%(term)s” is not possible: it takes 0 to 7 (0 and 7 are Sunday), SUN to SAT, 5L for the "
        "last Friday, or 1#2 for the second Monday; also *, lists, ranges like 2-5 and steps like */2."
    ),
)
EPOCH = datetime(2000, 1, 1)


class Fault(NamedTuple):
    """What would be right: a sentence with placeholders, marked for translation, and what stands in them."""

    template: str
    values: dict[str, Any] = {}


def fault(text: str) -> Fault | None:
    """None when ``text`` is a rule that fires some time."""
    if text.startswith("@"):
        return _alias_fault(text)
    fields = text.split()
    if len(fields) != len(FIELDS):
        told = N_(
            "A cron rule has five fields: minute, hour, day of month, month, day of week. This one has %(number)s. "
            "Write it like 30 9 * * MON-FRI."
        )
        return Fault(told, {"number": len(fields)})
    faults = filter(None, (_field_fault(position, field) for position, field in enumerate(fields)))
    return next(faults, None) or _never(text)


def _alias_fault(text: str) -> Fault | None:
    if text.lower() in ALIASES:
        return None
    return Fault(N_("“%(text)s” is not known; there are %(names)s."), {"text": text, "names": ", ".join(ALIASES)})


def _field_fault(position: int, field: str) -> Fault | None:
    wrong = next((term for term in field.split(",") if not _is_valid(position, term)), None)
    return None if wrong is None else Fault(FIELDS[position], {"term": wrong})


def _is_valid(position: int, term: str) -> bool:
    fields = ["*"] * len(FIELDS)
    fields[position] = term
    try:
        CronSim(" ".join(fields), EPOCH)
    except (CronSimError, ValueError, AssertionError):
        # cronsim promises only the first; the others are its answers to numbers of thousands of digits, and
        # to a step after L. A day that its month never has is reported for the whole rule.
        return False
    return True


def _never(text: str) -> Fault | None:
    try:
        if next(CronSim(text, EPOCH), None):
            return None
    except CronSimError:
        pass
    return Fault(N_("This day never comes: none of the months has so many days."))


def in_words(text: str, locale: str = "en") -> str:
    """English is cronsim's, put as people say it; Chinese is ours, since no library reads all these rules."""
    try:
        rule = CronSim(_expanded(text), EPOCH)
        return (cron_chinese if locale == "zh_Hans" else cron_english).in_words(rule)
    except (CronSimError, ValueError, IndexError, TypeError):
        return text  # cronsim reads more rules than it can put into words


def times(text: str, zone: ZoneInfo, after: int) -> Iterator[int]:
    """The instants of a valid rule that lie after ``after``, in order; ends when none follows within 50 years."""
    folds = (0, 1) if fires_twice(text) else (0,)
    text, start = _expanded(text), _start(zone, after)
    streams = [_instants(text, zone, start, fold) for fold in folds]
    for at in heapq.merge(*streams):  # each stream is in order; what both have is left out by the comparison
        if at > after:
            after = at
            yield at


def fires_twice(text: str) -> bool:
    """Whether a time of this rule that exists twice fires at both."""
    return _expanded(text).split()[1].startswith("*")


def _expanded(text: str) -> str:
    return ALIASES.get(text.lower(), text)


def _start(zone: ZoneInfo, after: int) -> datetime:
    """A wall clock time before the first that can matter: while the clock shows what it will show again, a
    time that it has shown already is still to come."""
    now = clock.to_datetime(after).astimezone(zone)
    repeat = now.replace(fold=1).astimezone(UTC) - now.replace(fold=0).astimezone(UTC)
    return now.replace(tzinfo=None, fold=0) - max(repeat, timedelta()) - timedelta(seconds=1)


def _instants(text: str, zone: ZoneInfo, start: datetime, fold: int) -> Iterator[int]:
    return (instant(wall, zone, fold) for wall in CronSim(text, start))


def instant(wall: datetime, zone: ZoneInfo, fold: int = 0) -> int:
    """When clocks of the zone show ``wall``, for the first time or after a change of clocks (``fold`` 1)."""
    at = clock.from_datetime(wall.replace(tzinfo=zone, fold=fold))
    return at if _wall(at, zone) == wall else _after_gap(wall, zone)


def _after_gap(wall: datetime, zone: ZoneInfo) -> int:
    """The first whole second at which the clock shows more than ``wall``, which it never shows.

    Read with the offset of after the gap, ``wall`` lies before it; with the offset of before, after it.
    """
    early, late = (clock.from_datetime(wall.replace(tzinfo=zone, fold=fold)) for fold in (1, 0))
    seconds = range(early, late + 1, clock.SECOND)
    return seconds[bisect_left(seconds, wall, key=lambda at: _wall(at, zone))]


def _wall(at: int, zone: ZoneInfo) -> datetime:
    return clock.to_datetime(at).astimezone(zone).replace(tzinfo=None, fold=0)
