"""Where a schedule comes from, in words: the badge, what differs from its declaration, what is wrong with one."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from flask_babel import gettext as _

from ledger import clock, recurrence
from ledger.queries.origins import Fault, Origin
from ledger.queries.schedules import Schedule
from ledger.statements import FILE, SITE
from web import arguments, schedule_words
from web.arguments import shorten
from web.language import Later as _l
from web.language import language
from web.numbers import duration
from web.schedule_words import CATCHUP_SHORT, OVERLAP_SHORT

LABEL = {
    "name": _l("Name"), "job": _l("Job"), "rule": _l("Rule"), "timezone": _l("Time zone"), "starts": _l("Not before"),
    "ends": _l("Not after"), "overlap": _l("Overlap"), "catchup": _l("After downtime"), "queue": _l("Queue"),
    "priority": _l("Priority"), "jitter": _l("Spread starts over"), "expires_after": _l("Expires after"),
    "keep_runs": _l("Keep runs"),
}  # fmt: skip
LONGEST = 300
ARGUMENT = "args."


@dataclass(frozen=True, slots=True)
class Change:
    """A field that was edited: what the code says, and what holds here."""

    label: str
    declared: str
    here: str


@dataclass(frozen=True, slots=True)
class OriginView:
    """``where`` is “the code” or the file's name; ``place`` is the line or the entry."""

    origin: Origin
    badge: str
    where: str
    changes: tuple[Change, ...]
    gone: str


def view(schedule: Schedule, origin: Origin) -> OriginView:
    changes = tuple(_change(schedule, *each) for each in origin.differences)
    gone = gone_words(origin.source, "") if origin.is_gone else ""
    return OriginView(origin, badge(origin), _where(origin), changes, gone)


def badge(origin: Origin) -> str:
    """``In code``, ``Edited here``, ``Made here``, …"""
    if origin.is_gone:
        return _("No longer in the file") if origin.source == FILE else _("No longer in the code")
    if origin.source == SITE:
        return _("Made here")
    if origin.is_edited:
        return _("Edited here")
    return _("In %(file)s", file=_file(origin.place)) if origin.source == FILE else _("In code")


def _where(origin: Origin) -> str:
    return _file(origin.place) if origin.source == FILE else _("the code")


def _file(place: str) -> str:
    """``schedules.toml`` of ``schedules.toml, [[schedule]] 3 “nightly”``."""
    return place.partition(",")[0]


def gone_words(source: str, name: str) -> str:
    """A sentence about the schedule of this name; or, without one, about the one whose page this is."""
    if not name:
        return _("It is no longer in the file.") if source == FILE else _("It is no longer in the code.")
    if source == FILE:
        return _("The schedule “%(name)s” is no longer in the file.", name=name)
    return _("The schedule “%(name)s” is no longer in the code.", name=name)


def fault_words(fault: Fault) -> str:
    return _("%(place)s: %(fault)s", place=fault.place, fault=_(fault.template, **fault.values))


def _change(schedule: Schedule, field: str, declared: Any, here: Any) -> Change:
    say = _says(schedule, field)
    if field.startswith(ARGUMENT):
        return Change(field.removeprefix(ARGUMENT), say(declared), say(here))
    return Change(str(LABEL[field]), say(declared), say(here))


def _says(schedule: Schedule, field: str) -> Callable[[Any], str]:
    if field.startswith(ARGUMENT):
        return lambda value: shorten(arguments.plain(value), LONGEST)
    if field in ("starts", "ends"):
        return lambda at: _("–") if at is None else schedule_words.tick_time(at, schedule.rule.timezone)
    return SAYS.get(field, lambda value: _("–") if value is None else str(value))


def _rule(key: tuple[str, str, int]) -> str:
    kind, text, anchor = key
    if kind != "interval":
        return text
    every = recurrence.spell(int(text), language())
    since = f"{clock.to_datetime(anchor):%Y-%m-%d %H:%M:%S}"
    return _("%(every)s, counted from %(time)s UTC", every=every, time=since) if anchor else every


def _own(value: Any) -> str:
    return _("the job’s own") if value is None else str(value)


def _span(value: int | None) -> str:
    return _("–") if value is None else duration(value)


SAYS: dict[str, Callable[[Any], str]] = {
    "rule": _rule,
    "overlap": lambda value: str(OVERLAP_SHORT[value]),
    "catchup": lambda value: str(CATCHUP_SHORT[value]),
    "queue": _own,
    "priority": _own,
    "jitter": _span,
    "expires_after": _span,
}
