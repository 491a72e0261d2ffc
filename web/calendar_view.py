"""The calendar of schedules: two days on one axis, a row for each schedule, and on top all of them together."""

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import groupby

from flask import url_for
from flask_babel import gettext as _
from flask_babel import ngettext

from ledger.queries.calendar import HOUR, NEXT, PART, Calendar, CalendarRow, Part
from ledger.queries.schedules import Wanted
from ledger.ticks import TickOutcome
from web import moments
from web.numbers import number
from web.schedule_words import TICK, weekday

HEIGHT, LOW, PEAK = 14, 6, 72
MARK_EVERY = 6 * HOUR
MOST_NAMED, LAST_PERCENT = 3, 92
#: What is worst decides how a part looks: as on the strips of ticks, hollow is what made no run, and low what was meant
#: to be so.
KINDS = (
    (TickOutcome.MISSED, "c-hollow"), (TickOutcome.LATE, "c-warn"), (TickOutcome.WAITING, "c-run"),
    (TickOutcome.SKIPPED, "c-skip"), (TickOutcome.FIRED, "c-done"), (NEXT, "c-ink"),
)  # fmt: skip
LOW_KINDS = ("c-skip", "c-run")


@dataclass(frozen=True, slots=True)
class Block:
    """In parts from the left; ``y`` and ``height`` in pixels."""

    kind: str
    x: int
    width: int
    y: float
    height: float
    title: str


@dataclass(frozen=True, slots=True)
class Row:
    id: str
    name: str
    job: str
    paused: bool
    blocks: tuple[Block, ...]
    sentence: str


@dataclass(frozen=True, slots=True)
class Mark:
    """A time on the axis, in parts from the left, and in percent of it. The last one ``ends`` there, for it would stand
    out of the drawing."""

    x: int
    percent: float
    word: str
    ends: bool


@dataclass(frozen=True, slots=True)
class CalendarPage:
    rows: tuple[Row, ...]
    all: tuple[Block, ...]
    sentence: str
    most: str
    marks: tuple[Mark, ...]
    width: int
    now: float
    wanted: Wanted
    first_url: str
    more_url: str
    number: int


def calendar_view(found: Calendar, wanted: Wanted) -> CalendarPage:
    width = (found.until - found.since) // PART
    return CalendarPage(
        rows=tuple(_row(each, found.since) for each in found.rows),
        all=_bars(found),
        sentence=_peak(found),
        most=number(max((part.number for part in found.all), default=0)),
        marks=tuple(_mark(at, found.since, width) for at in _marked(found)),
        width=width,
        now=round((found.now - found.since) / PART, 2),
        wanted=wanted,
        first_url=_address(wanted.text),
        more_url=_address(wanted.text, found.following) if found.following else "",
        number=found.number,
    )


def _address(text: str, name: str | None = None) -> str:
    return url_for("schedules.calendar", **{"q": text or None, "from": name})


def _marked(found: Calendar) -> Iterable[int]:
    """Each sixth hour of the clock that people read."""
    hours = range(-(-found.since // HOUR) * HOUR, found.until, HOUR)
    return (at for at in hours if moments.local(at).hour % (MARK_EVERY // HOUR) == 0)


def _mark(at: int, since: int, width: int) -> Mark:
    x, local = (at - since) // PART, moments.local(at)
    percent = round(100 * x / width, 2)
    return Mark(x, percent, weekday(local) if local.hour == 0 else f"{local:%H:%M}", percent > LAST_PERCENT)


def _row(row: CalendarRow, since: int) -> Row:
    """Parts that follow each other and are alike become one block: a page of many schedules stays light."""
    blocks = tuple(_block(list(alike), since) for _key, alike in groupby(row.parts, _likeness(row.parts)))
    return Row(row.id, row.name, row.job, row.paused, blocks, _told(row.parts) or _("no tick"))


def _likeness(parts: tuple[Part, ...]):
    places = {part.at: part.at // PART - place for place, part in enumerate(parts)}
    return lambda part: (places[part.at], part.counts)


def _block(alike: list[Part], since: int) -> Block:
    x = (alike[0].at - since) // PART
    kind = _kind(alike[0])
    height = LOW if kind in LOW_KINDS else HEIGHT - 4
    return Block(kind, x, len(alike), HEIGHT - 2 - height, height, f"{_span(alike)}: {_told(alike)}")


def _kind(part: Part) -> str:
    outcomes = dict(part.counts)
    return next(kind for outcome, kind in KINDS if outcome in outcomes)


def _span(alike: list[Part]) -> str:
    return f"{moments.local(alike[0].at):%H:%M} – {moments.local(alike[-1].at + PART):%H:%M}"


def _told(parts: Iterable[Part]) -> str:
    """``4 fired, 1 missed, 6 to come``."""
    sums: dict[str, int] = {}
    for part in parts:
        for outcome, amount in part.counts:
            sums[outcome] = sums.get(outcome, 0) + amount
    return ", ".join(f"{number(sums[each])} {_word(each)}" for each, _kind in reversed(KINDS) if each in sums)


def _word(outcome: str) -> str:
    return _("to come") if outcome == NEXT else str(TICK[TickOutcome(outcome)].word).lower()


def _bars(found: Calendar) -> tuple[Block, ...]:
    peak = max((part.number for part in found.all), default=1)
    return tuple(_bar(part, found.since, max(2.0, round(part.number / peak * PEAK, 1))) for part in found.all)


def _bar(part: Part, since: int, height: float) -> Block:
    x = (part.at - since) // PART
    return Block(_kind(part), x, 1, round(PEAK - height, 1), height, f"{_span([part])}: {_told([part])}")


def _peak(found: Calendar) -> str:
    """``Busiest of what is to come: 14 ticks at 00:00 – 00:15``."""
    ahead = [part for part in found.all if NEXT in dict(part.counts)]
    if not ahead:
        return _("No tick is to come in the next 24 hours.")
    most = max(part.number for part in ahead)
    ticks, spans = (
        ngettext("%(num)s tick", "%(num)s ticks", most),
        [_span([part]) for part in ahead if part.number == most],
    )
    if len(spans) > MOST_NAMED:
        return _("At most %(ticks)s are to come in any quarter of an hour.", ticks=ticks)
    return _("Busiest of what is to come: %(ticks)s at %(spans)s.", ticks=ticks, spans=", ".join(spans))
