"""Ways of failing in words: what the error says, why a muted one came back, and the pages that show them."""

from dataclasses import dataclass, replace

from flask import url_for
from flask_babel import gettext as _

from ledger.queries.counting import Count
from ledger.queries.failure_groups import Group, GroupPage, GroupsPage, Mute
from ledger.queries.failures import pattern_of
from ledger.queries.lines import RunLine
from web import charts, tracebacks
from web.axes import Axes, axes
from web.charts import Bin
from web.language import Later as _l
from web.numbers import count, duration, number
from web.tracebacks import Block

#: The address's word for a range, how it reads, and its seconds.
RANGES = {
    "hour": (_l("Last hour"), 3_600),
    "day": (_l("Last 24 h"), 24 * 3_600),
    "week": (_l("Last 7 days"), 7 * 24 * 3_600),
}
USUAL = "day"
#: What the ledger notes as the error of a run whose worker, or whose own process, died.
CRASHES = {
    "WorkerDied": _l("Crashed: its worker died while running it"),
    "ProcessDied": _l("Crashed: its own process died"),
}


def said(error_type: str, text: str) -> str:
    """``ValueError: card declined``; a crash in words of its own."""
    if error_type in CRASHES:
        return str(CRASHES[error_type])
    first = (text or "").strip().partition("\n")[0]
    return f"{error_type}: {first}" if error_type and first else error_type or first or _("It says nothing")


@dataclass(frozen=True, slots=True)
class RangeLink:
    word: str
    url: str
    is_current: bool


@dataclass(frozen=True, slots=True)
class GroupRow:
    """``url`` is its page, ``again_url`` where all of the range are run again, ``mute_url`` where it is muted,
    or not any more."""

    group: Group
    words: str
    notes: tuple[str, ...]
    url: str
    again_url: str
    again_word: str
    mute_url: str
    mute_word: str
    returned: str


@dataclass(frozen=True, slots=True)
class GroupsView:
    rows: tuple[GroupRow, ...]
    muted: tuple[GroupRow, ...]
    ranges: tuple[RangeLink, ...]
    range_word: str
    looked_at: int | None
    has_any: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupView:
    """``title`` names it; ``bars`` are the range in parts, and ``sentence`` the same in words."""

    row: GroupRow
    title: str
    ranges: tuple[RangeLink, ...]
    range_word: str
    bars: tuple[Bin, ...]
    axes: Axes
    per_bar: str
    sentence: str
    lines: tuple[RunLine, ...]
    total: Count
    blocks: tuple[Block, ...]
    all_url: str


def chosen(name: str) -> str:
    return name if name in RANGES else USUAL


def list_of(page: GroupsPage, name: str) -> GroupsView:
    return GroupsView(
        rows=tuple(_listed(group, name) for group in page.groups),
        muted=tuple(_listed(group, name) for group in page.quiet),
        ranges=_ranges("failures.index", name),
        range_word=str(RANGES[name][0]),
        looked_at=page.looked_at,
        has_any=page.has_any,
    )


def _listed(group: Group, name: str) -> GroupRow:
    """It speaks for all of its runs: what differs between their errors is left to its page."""
    return replace(row_of(group, name), words=named(group))


def named(group: Group) -> str:
    return said(group.error_type, pattern_of(group.error))


def row_of(group: Group, name: str) -> GroupRow:
    return GroupRow(
        group=group,
        words=said(group.error_type, group.error),
        notes=_notes(group),
        url=_url(group, name),
        again_url=again_url(group, name),
        again_word=_("Run %(number)s again…", number=count(group.number)),
        mute_url=_mute_url(group, name),
        mute_word=_("Unmute") if group.is_quiet else _("Mute"),
        returned=returned(group.mute),
    )


def _notes(group: Group) -> tuple[str, ...]:
    """Where, and by which code."""
    where = group.place if group.fingerprint else _("failed before its place was kept")
    version = _("version %(version)s", version=", ".join(group.versions)) if group.versions else ""
    return tuple(filter(None, (where, version)))


def _url(group: Group, name: str) -> str:
    if group.fingerprint:
        return url_for("failures.show", fingerprint=group.fingerprint, range=name)
    return url_for("runs.index", tab="failed", job=group.job, q=group.error_type or None, age=name)


def again_url(group: Group, name: str) -> str:
    """Where all failed runs of this kind and range are run again together; empty when there is nothing to choose."""
    if not group.number or not group.fingerprint:
        return ""
    return f"/actions/new?action=rerun&tab=failed&fingerprint={group.fingerprint}&age={name}"


def _mute_url(group: Group, name: str) -> str:
    """For the button in the list; empty for runs that have no fingerprint."""
    if not group.fingerprint:
        return ""
    endpoint = "failures.unmute" if group.is_quiet else "failures.mute"
    return url_for(endpoint, fingerprint=group.fingerprint, range=name, **{"from": "list"})


def returned(mute: Mute | None) -> str:
    """Why a muted failure is told again; empty while it is not."""
    if mute is None or mute.returned_at is None:
        return ""
    if version := mute.because.get("version"):
        return _("It was muted and is back: version %(version)s of the code fails this way too.", version=version)
    now, rate = number(mute.because.get("number", 0)), number(mute.rate)
    return _("It was muted and is back: %(now)s in an hour, where %(rate)s was the most.", now=now, rate=rate)


def page_of(page: GroupPage, name: str, since: int, until: int) -> GroupView:
    group = page.group
    return GroupView(
        row=row_of(group, name),
        title=_("%(error)s in %(job)s", error=group.error_type or _("Failure"), job=group.job),
        ranges=_ranges("failures.show", name, fingerprint=group.fingerprint),
        range_word=str(RANGES[name][0]),
        bars=charts.bins(group.buckets, since, until),
        axes=axes(max(group.buckets), since, until),
        per_bar=_("Each bar: %(time)s", time=duration((until - since) // len(group.buckets))),
        sentence=_("%(range)s: %(number)s failed this way", number=count(group.number), range=RANGES[name][0]),
        lines=page.lines,
        total=page.total,
        blocks=tracebacks.blocks(page.traceback.text if page.traceback else ""),
        all_url=url_for("runs.index", tab="failed", fingerprint=group.fingerprint),
    )


def _ranges(endpoint: str, name: str, **values: str | None) -> tuple[RangeLink, ...]:
    return tuple(
        RangeLink(str(word), url_for(endpoint, range=each, **values), each == name)
        for each, (word, _seconds) in RANGES.items()
    )
