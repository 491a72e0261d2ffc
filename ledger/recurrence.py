"""A schedule's rule and its next times. Pure: the form's preview, ``fire`` and APScheduler's trigger read the same.

Times are microseconds since 1970 UTC. What happens when clocks change is told in ``cron``; an interval counts
real time from its anchor, so that neither a restart nor a change of clocks shifts it.
"""

import re
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from difflib import get_close_matches
from functools import cache
from itertools import count, islice, takewhile
from typing import Any
from zoneinfo import ZoneInfo, available_timezones

from ledger import clock, cron
from ledger.errors import N_, LedgerError

KINDS = ("cron", "interval", "once")
UNITS = {"s": 1, "min": 60, "h": 3600, "d": 86400}
UNIT_WORDS = {"en": {unit: unit for unit in UNITS}, "zh_Hans": {"s": "秒", "min": "分钟", "h": "小时", "d": "天"}}
EVERY = {"en": "Every {}", "zh_Hans": "每 {}"}
ONCE = {"en": "Once, on {} at {}", "zh_Hans": "仅一次，{} {}"}
LONGEST = 366 * UNITS["d"]
TEXT_LIMIT = 200
_INTERVAL = re.compile(r"(\d{1,9}) *(s|min|h|d|)", re.ASCII)
MOST_KNOWN = 50_000
_known: dict["Rule", tuple[int, int]] = {}
_WINDOWS = (UNITS["h"], UNITS["d"], 32 * UNITS["d"], 400 * UNITS["d"])


class RuleError(LedgerError):
    """What was typed is no rule; ``field`` is kind, rule or timezone, and the text says what would be right.

    Pages translate ``template`` and put the same ``values`` into it.
    """

    def __init__(self, field: str, template: str, **values: Any):
        self.field, self.template, self.values = field, template, values
        super().__init__(template % values)


@dataclass(frozen=True, slots=True)
class Rule:
    """``text`` is a cron rule or a time in ``timezone``, or for an interval its seconds, counted from ``anchor``. No
    time of it lies before ``starts`` or after ``ends``."""

    kind: str
    text: str
    timezone: str = "UTC"
    anchor: int = 0
    starts: int | None = None
    ends: int | None = None


def parse(kind: str, text: str, timezone: str = "UTC", anchor: int = 0) -> Rule:
    """The rule that a person typed: five cron fields or an @ name; an interval like 90, 90 s, 5 min, 2 h, 1 d; or the
    time of a single tick, like 2026-10-31 03:00.

    Raises RuleError.
    """
    if kind not in KINDS:
        raise RuleError("kind", N_("“%(kind)s” is no kind of rule: choose cron, interval or once."), kind=kind)
    check_zone(timezone)
    return Rule(kind, _READ[kind](" ".join(text.split())), timezone, anchor)


def check_zone(name: str) -> None:
    """Raises RuleError for a name that is no IANA time zone."""
    if name in zones():
        return
    by_small = {zone.lower(): zone for zone in zones()}
    like = [by_small[small] for small in get_close_matches(name.lower(), by_small, n=1)]
    if like:
        told = N_("“%(name)s” is not a time zone: did you mean %(like)s?")
        raise RuleError("timezone", told, name=name, like=like[0])
    raise RuleError("timezone", N_("“%(name)s” is not a time zone: write it like Europe/Madrid or UTC."), name=name)


@cache
def zones() -> tuple[str, ...]:
    """The names of all time zones this machine knows."""
    return tuple(sorted(available_timezones() - {"localtime", "posixrules", "Factory"}))


def _cron(text: str) -> str:
    if len(text) > TEXT_LIMIT:
        raise RuleError("rule", N_("A cron rule has at most %(most)s characters."), most=TEXT_LIMIT)
    wrong = cron.fault(text)
    if wrong:
        raise RuleError("rule", wrong.template, **wrong.values)
    return text


def _interval(text: str) -> str:
    match = _INTERVAL.fullmatch(text)
    if match is None:
        told = N_("“%(text)s” is not an interval: write seconds, like 90, or 5 min, 2 h, 1 d.")
        raise RuleError("rule", told, text=text[:50])
    seconds = int(match[1]) * UNITS[match[2] or "s"]
    if not 1 <= seconds <= LONGEST:
        raise RuleError("rule", N_("An interval is at least 1 second and at most 366 days long."))
    return str(seconds)


def _once(text: str) -> str:
    try:
        wall = datetime.fromisoformat(text)
    except ValueError:
        wall = None
    if wall is None or wall.tzinfo or not 2000 <= wall.year < 3000 or len(text) < len("2026-10-31 03:00"):
        raise RuleError("rule", N_("“%(text)s” is no time: write it like 2026-10-31 03:00."), text=text[:50])
    return wall.isoformat(" ", "seconds" if wall.second else "minutes")


_READ = {"cron": _cron, "interval": _interval, "once": _once}


def times(rule: Rule, after: int) -> Iterator[int]:
    """Every time of the rule after ``after``, in order."""
    found = _times(rule, after if rule.starts is None else max(after, rule.starts - 1))
    return found if rule.ends is None else takewhile(lambda at: at <= rule.ends, found)


def _times(rule: Rule, after: int) -> Iterator[int]:
    if rule.kind == "cron":
        return cron.times(rule.text, ZoneInfo(rule.timezone), after)
    if rule.kind == "once":
        at = cron.instant(datetime.fromisoformat(rule.text), ZoneInfo(rule.timezone))
        return iter([at] if at > after else [])
    step = int(rule.text) * clock.SECOND
    return count(rule.anchor + max(0, (after - rule.anchor) // step + 1) * step, step)


def next_after(rule: Rule, at: int) -> int | None:
    """The first time after ``at``; None when there is none within 50 years.

    Between two times of a rule the answer is the same, and remembered: thousands of schedules are asked each second.
    """
    since, found = _known.get(rule, (0, 0))
    if since <= at < found:
        return found
    found = next(times(rule, at), None)
    if found is not None:
        if len(_known) >= MOST_KNOWN:
            _known.clear()
        _known[rule] = (at, found)
    return found


def upcoming(rule: Rule, after: int, n: int) -> list[int]:
    return list(islice(times(rule, after), n))


def between(rule: Rule, after: int, until: int, limit: int) -> list[int]:
    """The first ``limit`` times after ``after`` and not after ``until``."""
    return list(islice(_until(rule, after, until), limit))


def latest(rule: Rule, after: int, until: int, n: int) -> list[int]:
    """The last ``n`` times after ``after`` and not after ``until``, in order; cheap however long that span is."""
    starts = [max(after, until - window * clock.SECOND) for window in _WINDOWS]
    for start in (*starts, after):
        found = deque(_until(rule, start, until), maxlen=n)
        if len(found) == n or start == after:
            break
    return list(found)


def _until(rule: Rule, after: int, until: int) -> Iterator[int]:
    return takewhile(lambda at: at <= until, times(rule, after))


def in_words(rule: Rule, locale: str = "en") -> str:
    """The rule as a person would say it, in English (``en``) or Chinese (``zh_Hans``).

    The zone of a cron rule is not repeated.
    """
    if rule.kind == "cron":
        return cron.in_words(rule.text, locale)
    if rule.kind == "once":
        return ONCE[locale].format(*rule.text.split())
    return EVERY[locale].format(spell(int(rule.text), locale))


def spell(seconds: int, locale: str = "en") -> str:
    """``seconds`` in at most two units: 45 s, 2 min 30 s, 8 h 40 min, 3 d."""
    parts, words = [], UNIT_WORDS[locale]
    for unit, size in reversed(UNITS.items()):
        amount, seconds = divmod(seconds, size)
        parts += [f"{amount} {words[unit]}"] if amount else []
    return " ".join(parts[:2]) or f"0 {words['s']}"
