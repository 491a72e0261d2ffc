"""Schedules in words: kinds, policies, what became of a tick, and times in a schedule's own zone."""

from dataclasses import dataclass
from zoneinfo import ZoneInfo

from ledger import clock, recurrence
from ledger.recurrence import Rule
from ledger.ticks import Catchup, TickOutcome
from web.words import Shown

PREVIEWED = 5

KIND = {"cron": "At certain times (cron)", "interval": "Every so often (interval)"}
OVERLAP = {"skip": "Skip the tick", "allow": "Start another run beside it"}
CATCHUP = {
    Catchup.NONE: "Do not make up for missed ticks",
    Catchup.LATEST: "Make up for the latest missed tick",
    Catchup.ALL: "Make up for all missed ticks, up to 100",
}
OVERLAP_SHORT = {"skip": "skip while running", "allow": "allow overlaps"}
CATCHUP_SHORT = {
    Catchup.NONE: "no catching up",
    Catchup.LATEST: "catch up with the latest",
    Catchup.ALL: "catch up with all",
}
TICK = {
    TickOutcome.FIRED: Shown("Fired", "tick", "idle"),
    TickOutcome.LATE: Shown("Late", "clock", "warn"),
    TickOutcome.SKIPPED: Shown("Skipped", "slash", "idle"),
    TickOutcome.MISSED: Shown("Missed", "cross", "bad"),
}


@dataclass(frozen=True, slots=True)
class Fire:
    """``here`` is the time in the schedule's zone, ``utc`` the same in UTC, with its day when that is another one."""

    at: int
    here: str
    utc: str


@dataclass(frozen=True, slots=True)
class Fires:
    words: str
    zone: str
    times: tuple[Fire, ...]


def fires_of(rule: Rule, after: int) -> Fires:
    zone = ZoneInfo(rule.timezone)
    times = recurrence.upcoming(rule, after, PREVIEWED)
    clock_time = "%H:%M" if rule.kind == "cron" else "%H:%M:%S"
    return Fires(recurrence.in_words(rule), rule.timezone, tuple(_fire(at, zone, clock_time) for at in times))


def _fire(at: int, zone: ZoneInfo, clock_time: str) -> Fire:
    moment = clock.to_datetime(at)
    local = moment.astimezone(zone)
    day = "" if local.date() == moment.date() else "%a "
    return Fire(at, f"{local:%a %Y-%m-%d {clock_time} %Z}", f"{moment:{day}{clock_time}}")


def here(at: int, timezone: str) -> str:
    """``03:00 CET``, for a tick of the next day; with its date when that is further off."""
    moment = clock.to_datetime(at).astimezone(ZoneInfo(timezone))
    near = at - clock.now() < 18 * 3_600 * clock.SECOND
    return f"{moment:%H:%M %Z}" if near else f"{moment:%a %Y-%m-%d %H:%M %Z}"


def tick_time(at: int, timezone: str) -> str:
    return f"{clock.to_datetime(at).astimezone(ZoneInfo(timezone)):%Y-%m-%d %H:%M:%S}"
