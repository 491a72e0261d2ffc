"""A filter of runs as an address says it: read from one, written into one, and said in words.

The list, its export, saved views and bulk actions all read this, so that each means the same runs.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from flask import url_for
from flask_babel import gettext as _

from ledger import clock, texts
from ledger.ids import is_id
from ledger.queries.arguments import parse
from ledger.queries.wanted import Tab, Wanted
from web import moments
from web.language import Later as _l
from web.words import ORIGIN, TAB

TEXT_LIMIT = 200
MINUTE = 60 * clock.SECOND
#: The address's word for an age, how it reads, and its minutes.
AGES = {
    "hour": (_l("Last hour"), 60),
    "day": (_l("Last 24 h"), 24 * 60),
    "week": (_l("Last 7 days"), 7 * 24 * 60),
}
#: What is compared as it stands; the rest of the filter has a meaning of its own.
PLAIN = ("job", "queue", "origin", "tag", "version", "error", "fingerprint")


@dataclass(frozen=True, slots=True)
class Asked:
    """``parts`` are the filter as the address has it, without what is blank or makes no sense."""

    wanted: Wanted
    parts: tuple[tuple[str, str], ...]

    def get(self, name: str) -> str:
        return dict(self.parts).get(name, "")

    def url(self, endpoint: str = "runs.index", **changes: str | None) -> str:
        """The address of this filter with ``changes``; a place in the list is not carried along."""
        parts = {"tab": ""} | dict(self.parts) | changes
        if parts.get("tab") == Tab.ALL:
            del parts["tab"]
        return url_for(endpoint, **{name: value for name, value in parts.items() if value})

    @property
    def is_narrowed(self) -> bool:
        """Whether not all runs of the tab are meant."""
        return any(name != "tab" for name, _value in self.parts)

    @property
    def query(self) -> str:
        """The address after its question mark."""
        return self.url().partition("?")[2]


def asked(args: Mapping[str, str]) -> Asked:
    """What cannot be understood is left out: an address that somebody typed still gives a list."""
    tab, age = _tab(args.get("tab", "")), args.get("age", "")
    plain = {name: _text(args.get(name, "")) for name in PLAIN}
    search = _text(args.get("q", ""))
    text, conditions = parse(search)
    wanted = Wanted(
        tab=tab,
        text=text,
        conditions=conditions,
        since=_instant(args.get("from", "")) or _since(age),
        until=_instant(args.get("to", "")),
        before=_id(args.get("before", "")),
        after=_id(args.get("after", "")),
        last=args.get("last") == "1",
        up_to=_id(args.get("up_to", "")),
        **plain,
    )
    times = {name: args.get(name, "") if _instant(args.get(name, "")) else "" for name in ("from", "to")}
    parts = {"tab": "" if tab == Tab.ALL else tab.value} | plain | {"q": search, "age": age if age in AGES else ""}
    return Asked(wanted, tuple((name, value) for name, value in (parts | times).items() if value))


def _text(given: str) -> str:
    return texts.clean(given.strip()[:TEXT_LIMIT])


def _tab(name: str) -> Tab:
    return next((tab for tab in Tab if tab == name), Tab.ALL)


def _id(text: str) -> str:
    return text if is_id(text) else ""


def _since(age: str) -> int | None:
    """In whole minutes, so that two polls in the same minute ask the same."""
    if age not in AGES:
        return None
    return (clock.now() // MINUTE - AGES[age][1]) * MINUTE


def _instant(text: str) -> int | None:
    """A time as browsers write it, on the clock of the pages."""
    try:
        at = moments.instant(datetime.fromisoformat(text))
    except (ValueError, OverflowError):
        return None
    return at if 0 < at < 2**52 else None


def in_words(asked: Asked) -> str:
    """The filter as it would be said: ``failed runs of charge on “mail” with “declined”, last 24 h``."""
    wanted = asked.wanted
    tab = str(TAB[wanted.tab]).lower()
    parts = [_("runs") if wanted.tab == Tab.ALL else _("%(state)s runs", state=tab)]
    parts += [_("of %(job)s", job=wanted.job)] if wanted.job else []
    parts += [_("on “%(queue)s”", queue=wanted.queue)] if wanted.queue else []
    parts += [_("started %(how)s", how=ORIGIN.get(wanted.origin, wanted.origin))] if wanted.origin else []
    parts += [_("tagged “%(tag)s”", tag=wanted.tag)] if wanted.tag else []
    parts += [_("by version %(version)s", version=wanted.version)] if wanted.version else []
    parts += [_("that failed in one way")] if wanted.fingerprint else []
    parts += [_("with the error “%(text)s”", text=wanted.error)] if wanted.error else []
    parts += [_("with “%(text)s”", text=wanted.text)] if wanted.text else []
    parts += [_("where %(condition)s", condition=str(each)) for each in wanted.conditions]
    return " ".join(parts) + _times(asked)


def _times(asked: Asked) -> str:
    since, until, age = asked.get("from"), asked.get("to"), asked.get("age")
    said = [_("since %(time)s", time=since.replace("T", " "))] if since else []
    said += [str(AGES[age][0]).lower()] if age and not since else []
    said += [_("until %(time)s", time=until.replace("T", " "))] if until else []
    return "".join(f", {each}" for each in said)
