"""What a change of clocks does to a rule: told beside its next times when one falls among them."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from flask_babel import gettext as _

from ledger import clock, cron
from ledger.recurrence import Rule

DAY = timedelta(days=1)
LOOKED_AHEAD = 400 * DAY


def note(rule: Rule, since: int, until: int) -> str:
    """Of the first change between two instants; empty when there is none."""
    zone = ZoneInfo(rule.timezone)
    change = _first_change(zone, since, until)
    if change is None:
        return ""
    before, after = (change + timedelta(seconds=step) for step in (-1, 0))
    wall = [before.astimezone(zone) + timedelta(seconds=1), after.astimezone(zone)]
    told = {"zone": rule.timezone, "date": f"{wall[1]:%Y-%m-%d}", "old": f"{wall[0]:%H:%M}", "new": f"{wall[1]:%H:%M}"}
    goes_forward = _offset(after, zone) > _offset(before, zone)
    return f"{_turned(goes_forward, told)} {_then(rule, goes_forward)}"


def _turned(goes_forward: bool, told: dict[str, str]) -> str:
    if goes_forward:
        return _("Clocks of %(zone)s go forward on %(date)s, from %(old)s to %(new)s.", **told)
    return _("Clocks of %(zone)s go back on %(date)s, from %(old)s to %(new)s.", **told)


def _then(rule: Rule, goes_forward: bool) -> str:
    if rule.kind == "interval":
        return _("An interval goes on as if nothing had happened.")
    if goes_forward:
        return _("A time that is left out fires right after that.")
    if rule.kind == "cron" and cron.fires_twice(rule.text):
        return _("A time that comes twice fires both times.")
    return _("A time that comes twice fires the first time.")


def _first_change(zone: ZoneInfo, since: int, until: int) -> datetime | None:
    start, end = clock.to_datetime(since), min(clock.to_datetime(until), clock.to_datetime(since) + LOOKED_AHEAD)
    while start < end:
        following = min(start + DAY, end)
        if _offset(start, zone) != _offset(following, zone):
            return _between(zone, start, following)
        start = following
    return None


def _between(zone: ZoneInfo, start: datetime, end: datetime) -> datetime:
    """The first second with the new offset: halved until it is found."""
    while end - start > timedelta(seconds=1):
        middle = (start + (end - start) / 2).replace(microsecond=0)
        start, end = (middle, end) if _offset(middle, zone) == _offset(start, zone) else (start, middle)
    return end.replace(microsecond=0)


def _offset(moment: datetime, zone: ZoneInfo) -> timedelta:
    return moment.astimezone(zone).utcoffset()
