"""Drawings as SVG: no script, no inline style, themed by classes, readable aloud. Text stays HTML."""

from dataclasses import dataclass

from flask_babel import gettext as _
from markupsafe import Markup

from ledger.queries.throughput import Part, Range, Throughput
from web import moments, numbers
from web.axes import Axes, axes, top_of
from web.language import Later as _l

WIDTH, HEIGHT = 720, 120
#: Failures are seen however few they are; more than that would be taken for many.
LEAST = 1.0
SPARK_WIDTH, SPARK_HEIGHT = 96, 20


@dataclass(frozen=True, slots=True)
class Bar:
    """In units of the drawing: from the left, and from the top."""

    x: float
    width: float
    done_y: float
    done_height: float
    failed_y: float
    failed_height: float
    title: str


@dataclass(frozen=True, slots=True)
class Bars:
    """``title`` names what is drawn, ``sentence`` says it in words, ``below`` is its number."""

    bars: tuple[Bar, ...]
    title: str
    sentence: str
    below: str
    axes: Axes
    complete: bool


TITLES = {
    Range.HOUR: _l("Runs finished per minute"),
    Range.DAY: _l("Runs finished per 15 minutes"),
    Range.WEEK: _l("Runs finished per 2 hours"),
}
NOTHING = {
    Range.HOUR: _l("nothing finished in the last hour"),
    Range.DAY: _l("nothing finished in the last 24 hours"),
    Range.WEEK: _l("nothing finished in the last 7 days"),
}


def bars(throughput: Throughput) -> Bars:
    parts, title = throughput.parts, str(TITLES[throughput.range])
    scale = HEIGHT / top_of(throughput.peak.number)
    step = WIDTH / len(parts)
    drawn = tuple(_bar(place * step, step, each, scale, throughput.range) for place, each in enumerate(parts))
    own_axes = axes(throughput.peak.number, parts[0].at, parts[-1].at + throughput.range.step)
    sentence = f"{title}: {_counted(throughput)}; {_peak(throughput)}"
    below = _("%(peak)s · grey done, red failed", peak=_peak(throughput)) if throughput.peak.number else ""
    below = below or str(NOTHING[throughput.range])
    return Bars(drawn, title, sentence, below, own_axes, throughput.complete)


def _bar(x: float, step: float, part: Part, scale: float, wanted: Range) -> Bar:
    done = part.done * scale
    failed = max(LEAST, part.failed * scale) if part.failed else 0.0
    gap = 1.0 if done and failed else 0.0
    return Bar(
        x=round(x, 1),
        width=round(step * 0.82, 1),
        done_y=round(HEIGHT - done, 1),
        done_height=round(done, 1),
        failed_y=round(max(0.0, HEIGHT - done - gap - failed), 1),
        failed_height=round(failed, 1),
        title=f"{_when(part.at, wanted)} {_counted(part)}",
    )


def _counted(of: Part | Throughput) -> str:
    return _("%(done)s done, %(failed)s failed", done=numbers.number(of.done), failed=numbers.number(of.failed))


def _peak(throughput: Throughput) -> str:
    peak = throughput.peak
    return _("peak %(number)s at %(when)s", number=numbers.number(peak.number), when=_when(peak.at, throughput.range))


def _when(at: int, wanted: Range) -> str:
    return f"{moments.local(at):%m-%d %H:%M}" if wanted == Range.WEEK else f"{moments.local(at):%H:%M}"


@dataclass(frozen=True, slots=True)
class Bin:
    """A bar of ``bins``, with the instant at which it begins."""

    x: float
    y: float
    width: float
    height: float
    title: str


def bins(values: tuple[int, ...], since: int, until: int) -> tuple[Bin, ...]:
    """Even parts of a range as bars as wide as the drawing; an empty part has none."""
    top, step, span = top_of(max(values)), WIDTH / len(values), (until - since) // len(values)
    heights = [max(2.0, each / top * HEIGHT) if each else 0.0 for each in values]
    return tuple(
        Bin(
            round(i * step, 1),
            round(HEIGHT - heights[i], 1),
            round(step * 0.82, 1),
            round(heights[i], 1),
            f"{moments.local(since + i * span):%m-%d %H:%M}: {numbers.number(value)}",
        )
        for i, value in enumerate(values)
    )


def sparkline(values: tuple[int, ...]) -> Markup:
    """The values from zero to their peak; hidden from screen readers, the number stands beside it."""
    peak = max(1, *values)
    step = SPARK_WIDTH / max(1, len(values) - 1)
    points = " ".join(f"{i * step:.0f},{_height(each, peak):.1f}" for i, each in enumerate(values))
    return Markup(
        '<svg class="spark" viewBox="0 0 {} {}" width="{}" height="{}" aria-hidden="true"><polyline points="{}"/></svg>'
    ).format(SPARK_WIDTH, SPARK_HEIGHT, SPARK_WIDTH, SPARK_HEIGHT, points)


def _height(value: int, peak: int) -> float:
    return SPARK_HEIGHT - 1 - value / peak * (SPARK_HEIGHT - 2)


MOST_SLOTS, SLOT = 32, 12


def slots(busy: int, count: int) -> Markup:
    """A square per slot, the busy ones filled; hidden from screen readers, the numbers stand beside it. Empty when
    there are too many to be counted with the eye."""
    if count > MOST_SLOTS:
        return Markup("")
    square = Markup('<rect class="{}" x="{}" y="1" width="9" height="9" rx="1"/>')
    squares = Markup("").join(square.format("on" if i < busy else "off", i * SLOT + 1) for i in range(count))
    width = SLOT * count
    return Markup('<svg class="slots" viewBox="0 0 {} 11" width="{}" height="11" aria-hidden="true">{}</svg>').format(
        width, width, squares
    )
