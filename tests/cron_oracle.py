"""A second, slow reading of cron rules, made from the words of the rule alone and sharing no code with the ledger.

It walks through real time minute by minute and looks at the clock on the wall. The only arithmetic is on UTC.
"""

import calendar
from datetime import UTC, datetime, timedelta
from functools import cache, lru_cache
from zoneinfo import ZoneInfo

NAMES = {
    **{name: number for number, name in enumerate("SUN MON TUE WED THU FRI SAT".split())},
    **{name: number for number, name in enumerate("JAN FEB MAR APR MAY JUN JUL AUG SEP OCT NOV DEC".split(), 1)},
}
ALIASES = {"@hourly": "0 * * * *", "@daily": "0 0 * * *"}
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


def expected_times(text: str, zone: str, after: int, until: int) -> list[int]:
    """The ticks in (after, until], both in microseconds since 1970 UTC, by looking at every minute's wall clock."""
    rule = Rule(ALIASES.get(text, text))
    return [
        at
        for at, wall, again, passed in wall_clock(zone, after, until)
        if at > after and (rule.matches(wall) and not (again and rule.fixed_hour) or any(map(rule.matches, passed)))
    ]


@lru_cache(maxsize=1)
def wall_clock(zone: str, after: int, until: int) -> list[tuple[int, datetime, bool, list[datetime]]]:
    """Each minute from two days before ``after``: instant, what the clock shows, whether it has shown that before,
    and what it passed over just now.
    """
    shown, seen, previous = [], set(), None
    moment = floor_minute(EPOCH + timedelta(microseconds=after)) - timedelta(days=2)
    while (at := (moment - EPOCH) // timedelta(microseconds=1)) <= until:
        wall = moment.astimezone(ZoneInfo(zone)).replace(tzinfo=None, fold=0)
        passed = walls_between(previous, wall) if previous is not None and wall > previous + MINUTE else []
        shown.append((at, wall, wall in seen, passed))
        seen.update((wall, *passed))
        previous, moment = wall, moment + MINUTE
    return shown


def floor_minute(moment: datetime) -> datetime:
    return moment.replace(second=0, microsecond=0)


def walls_between(previous: datetime, wall: datetime) -> list[datetime]:
    """The minutes that the clock jumped over."""
    return [previous + step * MINUTE for step in range(1, (wall - previous) // MINUTE)]


class Rule:
    def __init__(self, text: str):
        minute, hour, self.day, month, self.weekday = text.split()
        self.fixed_hour = not hour.startswith("*")
        self.minutes, self.hours, self.months = numbers(minute, 0, 59), numbers(hour, 0, 23), numbers(month, 1, 12)

    def matches(self, wall: datetime) -> bool:
        if wall.minute not in self.minutes or wall.hour not in self.hours or wall.month not in self.months:
            return False
        return self._day_matches(wall)

    def _day_matches(self, wall: datetime) -> bool:
        by_date, by_weekday = self._date_matches(wall), self._weekday_matches(wall)
        if self.day.startswith("*") or self.weekday.startswith("*"):
            return by_date and by_weekday
        return by_date or by_weekday

    def _date_matches(self, wall: datetime) -> bool:
        if self.day == "L":
            return (wall + timedelta(days=1)).day == 1
        return wall.day in numbers(self.day, 1, 31)

    def _weekday_matches(self, wall: datetime) -> bool:
        number = wall.isoweekday() % 7
        if "#" in self.weekday:
            name, nth = self.weekday.split("#")
            return number == value(name) and (wall.day - 1) // 7 + 1 == int(nth)
        if self.weekday.endswith("L"):
            last = calendar.monthrange(wall.year, wall.month)[1]
            return number == value(self.weekday[:-1]) and wall.day > last - 7
        return number in {each % 7 for each in numbers(self.weekday, 0, 7)}


@cache
def numbers(field: str, low: int, high: int) -> frozenset[int]:
    found: set[int] = set()
    for term in field.split(","):
        span, _, step = term.partition("/")
        first, _, last = span.partition("-")
        begin = low if first == "*" else value(first)
        end = value(last) if last else high if first == "*" or step else begin
        found.update(range(begin, end + 1, int(step or 1)))
    return frozenset(found)


def value(text: str) -> int:
    return NAMES[text] if text in NAMES else int(text)
