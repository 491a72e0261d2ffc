"""A schedule's last ticks as a strip: a bar for each, the oldest on the left, and the same in a sentence."""

from collections import Counter
from dataclasses import dataclass

from flask_babel import gettext as _
from flask_babel import ngettext
from markupsafe import Markup

from ledger.queries.tick_marks import LAST_TICKS, TickMark
from ledger.ticks import TickOutcome
from web.schedule_words import TICK, tick_time

STEP, WIDTH, HEIGHT = 6, 4, 18
LOW = 6
#: By what became of a tick: solid is a run, hollow is none, and what is low was meant to be so.
HOLLOW = ("c-hollow", "c-skip")
SHAPE = {
    TickOutcome.FIRED: ("c-done", HEIGHT),
    TickOutcome.LATE: ("c-warn", HEIGHT),
    TickOutcome.SKIPPED: ("c-skip", LOW),
    TickOutcome.MISSED: ("c-hollow", HEIGHT),
    TickOutcome.WAITING: ("c-run", LOW),
}


@dataclass(frozen=True, slots=True)
class TickStrip:
    bars: Markup
    sentence: str


def tick_strip(marks: tuple[TickMark, ...], timezone: str) -> TickStrip:
    """``marks`` come with the newest first; without any there is nothing to say."""
    sentence = _sentence(marks) if marks else ""
    bars = (_bar(place, mark, timezone) for place, mark in enumerate(reversed(marks)))
    svg = Markup('<svg class="ticks" viewBox="0 0 {} {}" role="img" aria-label="{}">{}</svg>')
    return TickStrip(svg.format(LAST_TICKS * STEP, HEIGHT, sentence, Markup("").join(bars)), sentence)


def plain_strip(marks: tuple[TickMark, ...]) -> TickStrip:
    """The same for a list, where thousands of bars stand: one path for all that look alike, and no word on each."""
    if not marks:
        return TickStrip(Markup(""), "")
    paths: dict[str, str] = {}
    for place, mark in enumerate(reversed(marks)):
        kind, height = _shape(mark)
        paths[kind] = f"{paths.get(kind, '')}M{place * STEP} {HEIGHT}v-{height}h{WIDTH}v{height}z"
    sentence, svg = _sentence(marks), '<svg class="ticks" viewBox="0 0 {} {}" role="img" aria-label="{}">{}</svg>'
    drawn = "".join(f'<path class="{kind}" d="{path}"/>' for kind, path in paths.items())
    return TickStrip(Markup(svg).format(LAST_TICKS * STEP, HEIGHT, sentence, Markup(drawn)), sentence)


def _shape(mark: TickMark) -> tuple[str, int]:
    return ("c-bad", HEIGHT) if mark.failed else SHAPE[mark.outcome]


def _bar(place: int, mark: TickMark, timezone: str) -> Markup:
    kind, height = _shape(mark)
    inset = 0.5 if kind in HOLLOW else 0
    bar = Markup('<rect class="{}" x="{}" y="{}" width="{}" height="{}"><title>{} {}</title></rect>')
    shape = (place * STEP + inset, HEIGHT - height + inset, WIDTH - 2 * inset, height - 2 * inset)
    return bar.format(kind, *shape, tick_time(mark.at, timezone), _became(mark))


def _became(mark: TickMark) -> str:
    word = str(TICK[mark.outcome].word)
    return _("%(outcome)s, its run failed", outcome=word) if mark.failed else word


def _sentence(marks: tuple[TickMark, ...]) -> str:
    """``60 ticks: 57 fired, 1 late, 2 missed; 3 runs failed``."""
    counts, failed = Counter(mark.outcome for mark in marks), sum(mark.failed for mark in marks)
    ticks = ngettext("%(num)s tick", "%(num)s ticks", len(marks))
    each = ", ".join(
        f"{counts[outcome]} {str(TICK[outcome].word).lower()}" for outcome in TickOutcome if counts[outcome]
    )
    told = _("%(ticks)s: %(each)s", ticks=ticks, each=each)
    if not failed:
        return told
    return _("%(told)s; %(failed)s", told=told, failed=ngettext("%(num)s run failed", "%(num)s runs failed", failed))
