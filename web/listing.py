"""The list of runs: from its address to what is wanted, and from what was found to what the page shows."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from flask import url_for

from ledger import clock, texts
from ledger.ids import is_id
from ledger.queries.counting import Count
from ledger.queries.lines import RunLine
from ledger.queries.runs import RunsPage, runs_page
from ledger.queries.wanted import Tab, Wanted
from web.console import console
from web.words import TAB

TEXT_LIMIT = 200
MINUTE = 60 * clock.SECOND
#: The address's word for an age, how it reads, and its minutes.
AGES = {"hour": ("Last hour", 60), "day": ("Last 24 h", 24 * 60), "week": ("Last 7 days", 7 * 24 * 60)}


@dataclass(frozen=True, slots=True)
class Asked:
    """The address's filter, with ``age`` as it is written there."""

    wanted: Wanted
    age: str

    def url(self, **changes: str | None) -> str:
        """The address of this filter with ``changes``; a place in the list is not carried along."""
        wanted = self.wanted
        parts = {
            "tab": wanted.tab.value,
            "job": wanted.job,
            "queue": wanted.queue,
            "q": wanted.text,
            "age": self.age,
        }
        parts |= changes
        if parts["tab"] == Tab.ALL:
            del parts["tab"]
        return url_for("runs.index", **{name: value for name, value in parts.items() if value})


@dataclass(frozen=True, slots=True)
class TabLink:
    word: str
    count: Count
    url: str
    is_current: bool
    is_bad: bool


@dataclass(frozen=True, slots=True)
class Choice:
    value: str
    word: str
    is_chosen: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class ListPage:
    lines: tuple[RunLine, ...]
    tab: str
    tabs: tuple[TabLink, ...]
    jobs: tuple[Choice, ...]
    queues: tuple[Choice, ...]
    ages: tuple[Choice, ...]
    text: str
    filter_words: str
    total: Count
    newer: Count
    newest_url: str
    older_url: str | None
    is_first: bool
    looked_at: int | None
    clear_url: str
    poll_url: str
    has_any: bool


def asked(args: Mapping[str, str]) -> Asked:
    """What cannot be understood is left out: an address that somebody typed still gives a list."""
    age = args.get("age", "")
    wanted = Wanted(
        tab=_tab(args.get("tab", "")),
        job=_text(args.get("job", "")),
        queue=_text(args.get("queue", "")),
        text=_text(args.get("q", "")),
        since=_since(age),
        before=_id(args.get("before", "")),
        up_to=_id(args.get("up_to", "")),
    )
    return Asked(wanted, age if age in AGES else "")


def found(asked: Asked) -> RunsPage:
    """The runs that are asked for. When all rows of a page are gone, for instance because they all finished,
    the newer ones come in their place: there is nothing left that they could push down."""
    page = runs_page(console().engine, asked.wanted)
    if page.lines or not page.newer:
        return page
    return runs_page(console().engine, replace(asked.wanted, up_to=""))


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


def page_of(asked: Asked, found: RunsPage) -> ListPage:
    wanted = asked.wanted
    return ListPage(
        lines=found.lines,
        tab=wanted.tab.value,
        tabs=tuple(_tab_link(asked, tab, found.counts[tab]) for tab in Tab),
        jobs=_choices(found.jobs, wanted.job),
        queues=_choices(found.queues, wanted.queue),
        ages=tuple(Choice(value, word, value == asked.age) for value, (word, _) in AGES.items()),
        text=wanted.text,
        filter_words=filter_words(asked),
        total=found.counts[wanted.tab],
        newer=found.newer,
        newest_url=asked.url(),
        older_url=asked.url(before=found.older) if found.older else None,
        is_first=not wanted.before,
        looked_at=found.looked_at,
        clear_url=url_for("runs.index"),
        poll_url=_poll_url(asked, found),
        has_any=found.has_any,
    )


def _tab_link(asked: Asked, tab: Tab, count: Count) -> TabLink:
    return TabLink(
        TAB[tab], count, asked.url(tab=tab.value), tab == asked.wanted.tab, tab == Tab.FAILED and bool(count)
    )


def _choices(names: tuple[str, ...], chosen: str) -> tuple[Choice, ...]:
    """The names, and the chosen one even when nobody announces it any more."""
    known = names if not chosen or chosen in names else (*names, chosen)
    return tuple(Choice(name, name, name == chosen) for name in known)


def filter_words(asked: Asked) -> str:
    """The filter as it would be said: ``failed runs of charge on “mail” with “declined”, last 24 h``."""
    wanted = asked.wanted
    parts = ["runs" if wanted.tab == Tab.ALL else f"{TAB[wanted.tab].lower()} runs"]
    parts += [f"of {wanted.job}"] if wanted.job else []
    parts += [f"on “{wanted.queue}”"] if wanted.queue else []
    parts += [f"with “{wanted.text}”"] if wanted.text else []
    return " ".join(parts) + (f", {AGES[asked.age][0].lower()}" if asked.age else "")


def _poll_url(asked: Asked, found: RunsPage) -> str:
    """Polls ask for the rows that are shown; newer ones, which would push them down, are only counted."""
    wanted = found.wanted
    newest = wanted.up_to or (found.lines[0].id if found.lines else None)
    return asked.url(before=wanted.before, up_to=newest)
