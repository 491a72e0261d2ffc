"""The form that pauses a queue or a schedule: a reason, and an end if somebody wants one."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from flask_babel import gettext as _

from ledger import clock, texts
from ledger.pauses import REASON_LIMIT, Pause
from web import moments
from web.console import console
from web.language import Later as _l

MINUTE = 60 * clock.SECOND
#: What the form sends, how it reads, and how many minutes that is; the first one has no end, the last one says it.
LENGTHS = {
    "": (_l("until somebody resumes it"), None),
    "15": (_l("for 15 minutes"), 15),
    "60": (_l("for an hour"), 60),
    "240": (_l("for 4 hours"), 240),
    "1440": (_l("for a day"), 1440),
    "at": (_l("until"), None),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class PauseForm:
    """What was typed, and what it means; ``errors`` by the field's name."""

    reason: str = ""
    length: str = ""
    at: str = ""
    zone: str = ""
    came_from: str = ""
    ends_at: int | None = None
    errors: dict[str, str] = field(default_factory=dict)

    @property
    def lengths(self) -> list[tuple[str, str]]:
        return [(value, word) for value, (word, _) in LENGTHS.items()]


def read(sent: Mapping[str, str]) -> PauseForm:
    length, at = sent.get("length", ""), sent.get("at", "").strip()
    reason = texts.clean(" ".join(sent.get("reason", "").split()), 10 * REASON_LIMIT)
    errors = {}
    if len(reason) > REASON_LIMIT:
        errors["reason"] = _("A reason has %(most)s characters at most.", most=REASON_LIMIT)
    ends_at, wrong = _end(length, at)
    if wrong:
        errors["at" if length == "at" else "length"] = wrong
    return PauseForm(
        reason=reason, length=length, at=at, zone=_zone(), came_from=sent.get("from", ""), ends_at=ends_at,
        errors=errors,
    )  # fmt: skip


def filled_in(pause: Pause | None = None, came_from: str = "") -> PauseForm:
    """Blank, or with the pause that holds, to say it anew."""
    if pause is None:
        return PauseForm(zone=_zone(), came_from=came_from)
    at = f"{moments.local(pause.ends_at):%Y-%m-%dT%H:%M}" if pause.ends_at else ""
    return PauseForm(reason=pause.reason, length="at" if at else "", at=at, zone=_zone(), came_from=came_from)


def _zone() -> str:
    return console().settings.display_timezone


def _end(length: str, at: str) -> tuple[int | None, str]:
    """The instant, or what is wrong. A time counts only with the choice that it belongs to: beside another one the page
    does not even show it."""
    if length not in LENGTHS:
        return None, _("Choose how long.")
    if length == "at":
        return _moment(at)
    minutes = LENGTHS[length][1]
    return (None if minutes is None else clock.now() + minutes * MINUTE), ""


def _moment(at: str) -> tuple[int | None, str]:
    if not at:
        return None, _("Say until when.")
    try:
        moment = datetime.fromisoformat(at)
        if moment.tzinfo is None:
            moment = moment.replace(tzinfo=moments.local(clock.now()).tzinfo)
        ends_at = clock.from_datetime(moment)
    except (ValueError, OverflowError):
        return None, _("This is no time. Write it like 2026-11-25 07:00.")
    return (ends_at, "") if ends_at > clock.now() else (None, _("This time has passed. Choose a later one."))
