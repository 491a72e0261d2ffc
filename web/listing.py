"""The list of runs: from what was found to what the page shows."""

from dataclasses import dataclass

from flask import url_for
from flask_babel import gettext as _

from ledger.actions import Kind
from ledger.queries.counting import Count
from ledger.queries.lines import RunLine
from ledger.queries.reruns import Rerun
from ledger.queries.runs import RunsPage, runs_page
from ledger.queries.status import AT_WORK
from ledger.queries.views import View
from ledger.queries.wanted import Tab, instant_of
from web.asked import AGES, Asked, in_words
from web.console import console
from web.did_you_mean import Meant, meant
from web.pace import Pace, now_in_steps, pace
from web.strip import current_strip
from web.words import ORIGIN, TAB


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


@dataclass(frozen=True, slots=True)
class Select:
    """A field of the filter that is chosen from a list; ``word`` is its name, and the choice of nothing."""

    name: str
    word: str
    choices: tuple[Choice, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ListPage:
    """``looked_to``: how far back a search went that stopped at its window."""

    lines: tuple[RunLine, ...]
    paces: dict[str, Pace]
    tags: dict[str, tuple[str, ...]]
    again: dict[str, Rerun]
    tab: str
    tabs: tuple[TabLink, ...]
    selects: tuple[Select, ...]
    more_selects: tuple[Select, ...]
    asked: dict[str, str]
    has_more_filters: bool
    filter_words: str
    is_filtered: bool
    total: Count
    newer: Count
    newest_url: str
    newer_url: str | None
    older_url: str | None
    oldest_url: str
    csv_url: str
    json_url: str
    is_first: bool
    is_last: bool
    looked_at: int | None
    looked_to: int | None
    clear_url: str
    poll_url: str
    has_any: bool
    unseen: Count
    meant: Meant | None
    kinds: tuple[Kind, ...]
    views: tuple[View, ...]


MORE = ("origin", "tag", "version", "error", "from", "to")
#: What can be done to the runs of a tab; the buttons of the others would only be refused.
FINISHED = (Kind.RERUN, Kind.DISCARD, Kind.TAG, Kind.UNTAG)
WAITING = (Kind.CANCEL, Kind.MOVE, Kind.TAG, Kind.UNTAG)
KINDS = {
    Tab.ALL: tuple(Kind),
    Tab.WAITING: WAITING,
    Tab.SCHEDULED: WAITING,
    Tab.RETRYING: WAITING,
    Tab.RUNNING: (Kind.CANCEL, Kind.TAG, Kind.UNTAG),
    Tab.FAILED: FINISHED,
    Tab.DONE: FINISHED,
    Tab.CANCELED: FINISHED,
}


def found(asked: Asked) -> RunsPage:
    """The runs that are asked for. When all rows of a page are gone, for instance because they all finished,
    the newer ones come in their place: there is nothing left that they could push down."""
    page = runs_page(console().engine, asked.wanted)
    if page.lines or not page.newer:
        return page
    return runs_page(console().engine, asked.wanted.anywhere())


def page_of(asked: Asked, found: RunsPage, views: tuple[View, ...]) -> ListPage:
    wanted, place = found.wanted, found.place
    parts = dict(asked.parts)
    counts = found.counts | {wanted.tab: _total(found)}
    return ListPage(
        lines=found.lines,
        paces=paces(found),
        tags=found.tags,
        again=found.again,
        tab=wanted.tab.value,
        tabs=tuple(_tab_link(asked, tab, counts[tab]) for tab in Tab),
        selects=(
            _select("job", _("All jobs"), found.jobs, asked),
            _select("queue", _("All queues"), found.queues, asked),
            _words("age", _("Any time"), {age: str(word) for age, (word, _minutes) in AGES.items()}, asked),
        ),
        more_selects=(
            _words("origin", _("Started in any way"), ORIGIN, asked),
            _select("version", _("Any version of the code"), found.versions, asked),
        ),
        asked=parts,
        has_more_filters=any(name in parts for name in MORE),
        filter_words=in_words(asked),
        is_filtered=bool(parts),
        total=counts[wanted.tab],
        newer=found.newer,
        newest_url=asked.url(),
        newer_url=asked.url(after=place.newer) if place.newer else None,
        older_url=asked.url(before=place.older) if place.older else None,
        oldest_url=asked.url(last="1"),
        csv_url=asked.url("export.runs", form="csv"),
        json_url=asked.url("export.runs", form="jsonl"),
        is_first=wanted.is_first,
        is_last=wanted.last or not place.older,
        looked_at=place.looked_at,
        looked_to=instant_of(place.looked_to),
        clear_url=url_for("runs.index"),
        poll_url=_poll_url(asked, found),
        has_any=found.has_any,
        unseen=system.failed if (system := current_strip().system) and not asked.parts else Count(),
        meant=None if found.lines else meant(asked),
        kinds=KINDS[wanted.tab],
        views=views,
    )  # fmt: skip


def paces(found: RunsPage) -> dict[str, Pace]:
    """Of the runs at work, by their ids."""
    at_work = [each for each in found.lines if each.status in AT_WORK]
    return {each.id: pace(each, found.usual.get(each.job), now_in_steps()) for each in at_work}


def _total(found: RunsPage) -> Count:
    """A filter counts among the newest runs, and may list others of the tab: what is listed is there."""
    counted, listed = found.counts[found.wanted.tab], len(found.lines)
    if found.wanted.is_first and not found.place.older and not found.newer:
        return Count(listed)
    return counted if counted.number >= listed else Count(listed, True)


def _tab_link(asked: Asked, tab: Tab, count: Count) -> TabLink:
    is_bad = tab == Tab.FAILED and bool(count)
    return TabLink(TAB[tab], count, asked.url(tab=tab.value), tab == asked.wanted.tab, is_bad)


def _words(name: str, word: str, words: dict[str, str], asked: Asked) -> Select:
    chosen = asked.get(name)
    return Select(name, word, tuple(Choice(value, shown, value == chosen) for value, shown in words.items()))


def _select(name: str, word: str, names: tuple[str, ...], asked: Asked) -> Select:
    """The names, and the chosen one even when nobody announces it any more."""
    chosen = asked.get(name)
    known = names if not chosen or chosen in names else (*names, chosen)
    return Select(name, word, tuple(Choice(each, each, each == chosen) for each in known))


def _poll_url(asked: Asked, found: RunsPage) -> str:
    """Polls ask for the rows that are shown; newer ones, which would push them down, are only counted."""
    wanted = found.wanted
    newest = wanted.up_to or (found.lines[0].id if found.lines else None)
    if wanted.upwards:
        return asked.url(after=wanted.after, last="1" if wanted.last else None, up_to=newest)
    return asked.url(before=wanted.before, up_to=newest)
