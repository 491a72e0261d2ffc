"""One line of text -> a number, a date, ...: in plain words where it is none. Pure, but for the language.

Every function takes the text without the blanks around it, and raises Refused.
"""

import calendar
import re
from collections.abc import Callable
from datetime import UTC, date, datetime, time
from math import isfinite
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from babel.dates import format_skeleton
from flask_babel import get_locale
from flask_babel import gettext as _

from web.forms.errors import Refused, quoted
from web.language import Later as _l

INTEGER = re.compile(r"[+-]?[0-9]+", re.ASCII)
GROUPED = re.compile(r"[+-]?[0-9]{1,3}([,_'’ \u00a0\u2009\u202f])[0-9]{3}(?:\1[0-9]{3})*", re.ASCII)
NUMBER = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?", re.ASCII)
COMMA = re.compile(r"[+-]?[0-9]+,[0-9]+", re.ASCII)
DATE = re.compile(r"([0-9]{4})-([0-9]{1,2})-([0-9]{1,2})", re.ASCII)
CLOCK = re.compile(r"([0-9]{1,2}):([0-9]{2})(?::([0-9]{2})(?:\.([0-9]{1,6}))?)?", re.ASCII)
ZONE = re.compile(r"(?:Z|z|[+-][0-9]{2}:[0-9]{2})$", re.ASCII)
DURATION = re.compile(
    r"-?P(?=.)([0-9]+Y)?([0-9]+M)?([0-9]+W)?([0-9]+D)?(T(?=.)([0-9]+H)?([0-9]+M)?([0-9.]+S)?)?"
    r"|-?([0-9]+ days?,? )?[0-9]+:[0-5][0-9](:[0-5][0-9](\.[0-9]+)?)?",
    re.ASCII,
)
DIGITS = 1_000  # more are no number that a person typed, and Python has a limit of its own


def integer(text: str) -> int:
    if not INTEGER.fullmatch(text):
        raise Refused(_("%(text)s is not a whole number. Write it like 42.", text=quoted(text)))
    _refuse_endless(text)
    return int(text)


def ungrouped(text: str) -> str:
    """``10,000`` and ``10 000`` without what sets the thousands apart. A point sets none apart."""
    found = GROUPED.fullmatch(text.strip())
    return text.replace(found[1], "") if found else text


def number(text: str) -> int | float:
    """A float, or an int where no point and no exponent is written, so that large ones stay exact."""
    check_number(text)
    value = int(text) if INTEGER.fullmatch(text) else float(text)
    if isinstance(value, float) and not isfinite(value):
        raise Refused(_("%(text)s is too large for a number with a point.", text=quoted(text)))
    return value


def decimal(text: str) -> str:
    """The text itself: a decimal number keeps every digit."""
    check_number(text)
    return text


def check_number(text: str) -> None:
    if COMMA.fullmatch(text):
        like = text.replace(",", ".")
        raise Refused(_("%(text)s has a comma. Write it with a point, like %(like)s.", text=quoted(text), like=like))
    if not NUMBER.fullmatch(text):
        raise Refused(_("%(text)s is not a number. Write it like 3.14.", text=quoted(text)))
    _refuse_endless(text)


def _refuse_endless(text: str) -> None:
    if len(text) > DIGITS:
        raise Refused(_("This number has more than %(most)s digits.", most=f"{DIGITS:,}"))


def a_date(text: str) -> str:
    return _date(text, "2026-10-31").isoformat()


def _date(text: str, example: str) -> date:
    if not (found := DATE.fullmatch(text)):
        raise Refused(_("%(text)s is not a date. Write it like %(like)s.", text=quoted(text), like=example))
    year, month, day = map(int, found.groups())
    if year < 1:
        raise Refused(_("%(text)s is not a year. Write it like %(like)s.", text=found[1], like=example))
    if not 1 <= month <= 12:
        raise Refused(_("%(text)s is not a month. Write it like %(like)s.", text=found[2], like=example))
    days = calendar.monthrange(year, month)[1]
    if not 1 <= day <= days:
        said = {"month": _month(year, month), "day": found[3], "last": days}
        raise Refused(_("%(month)s has no day %(day)s. Its last day is %(last)s.", **said))
    return date(year, month, day)


def _month(year: int, month: int) -> str:
    return format_skeleton("yMMMM", date(year, month, 1), locale=get_locale() or "en")


def a_time(text: str) -> str:
    zone = ZONE.search(text)
    _clock(text[: zone.start()] if zone else text, "14:30")
    return text.rjust(len(text) + (text[1] == ":"), "0")


def _clock(text: str, example: str) -> time:
    if not (found := CLOCK.fullmatch(text)):
        raise Refused(_("%(text)s is not a time of day. Write it like %(like)s.", text=quoted(text), like=example))
    hour, minute, second = int(found[1]), int(found[2]), int(found[3] or 0)
    for value, (limit, sentence) in zip((hour, minute, second), CLOCK_LIMITS, strict=True):
        if value >= limit:
            raise Refused(sentence % {"text": value, "like": example})
    return time(hour, minute, second, int((found[4] or "").ljust(6, "0")))


CLOCK_LIMITS = (
    (24, _l("%(text)s is not an hour. Write it like %(like)s.")),
    (60, _l("%(text)s is not a minute. Write it like %(like)s.")),
    (60, _l("%(text)s is not a second. Write it like %(like)s.")),
)


def moment(text: str, zone: ZoneInfo | None) -> str:
    """A date and time in ISO 8601: with an offset of its own, or as a clock in ``zone`` shows it.

    ``zone`` None is for times that belong to no zone.
    """
    example = "2026-10-31 14:30"
    own_zone = ZONE.search(text)
    day, _space, clock = (text[: own_zone.start()] if own_zone else text).replace("T", " ", 1).partition(" ")
    naive = datetime.combine(_date(day, example), _clock(clock.strip() or "00:00", example))
    if zone is None:
        return _without_zone(naive, own_zone, text)
    if own_zone:
        return _with_offset(naive, own_zone[0].upper(), text)
    return _local(naive, zone)


def any_moment(text: str) -> str:
    """``moment`` for a check: with an offset or without."""
    return moment(text, ZoneInfo("UTC") if ZONE.search(text) else None)


def _without_zone(naive: datetime, own_zone: re.Match | None, text: str) -> str:
    if own_zone:
        raise Refused(_("%(text)s names a time zone. Leave out %(zone)s.", text=quoted(text), zone=own_zone[0]))
    return naive.isoformat()


def _with_offset(naive: datetime, offset: str, text: str) -> str:
    try:
        return datetime.fromisoformat(naive.isoformat() + offset).isoformat()
    except ValueError:
        raise Refused(_("%(text)s has no such time zone offset. Write it like +02:00.", text=quoted(text))) from None


def _local(naive: datetime, zone: ZoneInfo) -> str:
    aware = naive.replace(tzinfo=zone)
    try:
        if aware.astimezone(UTC).astimezone(zone).replace(tzinfo=None) != naive:
            raise Refused(_skipped(naive, zone))
    except OverflowError:
        raise Refused(_("%(day)s is too far away.", day=f"{naive:%Y-%m-%d}")) from None
    whole_minutes = aware.utcoffset().total_seconds() % 60 == 0  # they were not always
    return (aware if whole_minutes else aware.astimezone(UTC)).isoformat()


def _skipped(naive: datetime, zone: ZoneInfo) -> str:
    time_, day = f"{naive:%H:%M}", f"{naive:%Y-%m-%d}"
    return _("%(time)s does not exist on %(day)s: clocks in %(zone)s skip it.", time=time_, day=day, zone=zone.key)


def duration(text: str) -> str:
    if not DURATION.fullmatch(text):
        raise Refused(_("%(text)s is not a duration. Write it like 1:30:00 (hours first) or PT90S.", text=quoted(text)))
    return text


def uuid(text: str) -> str:
    try:
        return text if str(UUID(text)) == text.lower() else str(UUID(text))
    except ValueError:
        like = "0198c0de-0000-7000-8000-000000000000"
        raise Refused(_("%(text)s is not a UUID. Write it like %(like)s.", text=quoted(text), like=like)) from None


#: The reader of each kind that needs nothing but the text.
READERS: dict[str, Callable[[str], Any]] = {
    "integer": integer,
    "number": number,
    "decimal": decimal,
    "date": a_date,
    "time": a_time,
    "duration": duration,
    "uuid": uuid,
}


def is_a(reader: Callable[[str], Any]) -> Callable[[object], bool]:
    """A check for jsonschema's formats; what is no text is for ``type`` to refuse."""

    def check(value: object) -> bool:
        if isinstance(value, str):
            reader(value)
        return True

    return check
