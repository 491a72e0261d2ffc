"""Schedules in words: kinds, policies, what became of a tick, and times in a schedule's own zone."""

from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from flask_babel import format_date
from flask_babel import gettext as _

from ledger import clock, recurrence
from ledger.recurrence import Rule, RuleError
from ledger.ticks import Catchup, Overlap, TickOutcome
from web import clock_changes
from web.language import Later as _l
from web.language import language
from web.words import Shown

PREVIEWED = 5

KIND = {
    "cron": _l("At certain times (cron)"),
    "interval": _l("Every so often (interval)"),
    "once": _l("Once, at a certain time"),
}
OVERLAP = {
    Overlap.SKIP: _l("Skip the tick"),
    Overlap.QUEUE: _l("Wait, and run when it is finished"),
    Overlap.ALLOW: _l("Start another run beside it"),
    Overlap.CANCEL: _l("Cancel it, and start the new one"),
}
CATCHUP = {
    Catchup.NONE: _l("Do not make up for missed ticks"),
    Catchup.LATEST: _l("Make up for the latest missed tick"),
    Catchup.ALL: _l("Make up for all missed ticks, up to 100"),
}
OVERLAP_SHORT = {
    Overlap.SKIP: _l("skip while running"),
    Overlap.QUEUE: _l("wait while running"),
    Overlap.ALLOW: _l("allow overlaps"),
    Overlap.CANCEL: _l("cancel the older run"),
}
CATCHUP_SHORT = {
    Catchup.NONE: _l("no catching up"),
    Catchup.LATEST: _l("catch up with the latest"),
    Catchup.ALL: _l("catch up with all"),
}
TICK = {
    TickOutcome.FIRED: Shown(_l("Fired"), "tick", "idle"),
    TickOutcome.LATE: Shown(_l("Late"), "clock", "warn"),
    TickOutcome.SKIPPED: Shown(_l("Skipped"), "slash", "idle"),
    TickOutcome.MISSED: Shown(_l("Missed"), "cross", "bad"),
    TickOutcome.WAITING: Shown(_l("Waiting"), "circle", "idle"),
}


@dataclass(frozen=True, slots=True)
class Fire:
    """``here`` is the time in the schedule's zone, ``there`` the same in another, with its day when that differs."""

    at: int
    here: str
    there: str


@dataclass(frozen=True, slots=True)
class Fires:
    """``other`` is the zone of ``there``; empty when that would say nothing new. ``note``: of a change of clocks."""

    words: str
    zone: str
    other: str
    is_viewers: bool
    times: tuple[Fire, ...]
    note: str


def fires_of(rule: Rule, after: int, viewer: str = "") -> Fires:
    """``viewer`` is the zone of whoever looks; without one, or when it is no zone, UTC stands beside the rule's."""
    other = viewer if viewer in recurrence.zones() else "UTC"
    other = "" if other == rule.timezone else other
    times = recurrence.upcoming(rule, after, PREVIEWED)
    fires = tuple(_fire(at, rule, ZoneInfo(other or rule.timezone)) for at in times)
    note = clock_changes.note(rule, clock.now(), times[-1]) if times else ""
    return Fires(in_words(rule), rule.timezone, other, other == viewer != "", fires, note)


def in_words(rule: Rule) -> str:
    """``At 03:00 every day``, ``Every 5 min``."""
    return recurrence.in_words(rule, language())


def fault(error: RuleError) -> str:
    """What is wrong with a rule, in the language of the page."""
    return _(error.template, **error.values)


def _fire(at: int, rule: Rule, other: ZoneInfo) -> Fire:
    clock_time = "%H:%M:%S" if rule.kind == "interval" else "%H:%M"
    local, there = (clock.to_datetime(at).astimezone(zone) for zone in (ZoneInfo(rule.timezone), other))
    day = "" if local.date() == there.date() else f"{weekday(there)} "
    return Fire(at, f"{weekday(local)} {local:%Y-%m-%d {clock_time} %Z}", f"{day}{there:{clock_time}}")


def weekday(moment: datetime) -> str:
    """``Mon``."""
    return format_date(moment.date(), "EEE")


def here(at: int, timezone: str) -> str:
    """``03:00 CET``, for a tick of the next day; with its date when that is further off."""
    moment = clock.to_datetime(at).astimezone(ZoneInfo(timezone))
    near = at - clock.now() < 18 * 3_600 * clock.SECOND
    return f"{moment:%H:%M %Z}" if near else f"{weekday(moment)} {moment:%Y-%m-%d %H:%M %Z}"


def tick_time(at: int, timezone: str) -> str:
    return f"{clock.to_datetime(at).astimezone(ZoneInfo(timezone)):%Y-%m-%d %H:%M:%S}"
