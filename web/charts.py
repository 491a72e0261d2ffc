"""Drawings as SVG: no script, no inline style, themed by classes, readable aloud. Text stays HTML."""

from dataclasses import dataclass

from markupsafe import Markup

from ledger.queries.throughput import Minute, Throughput
from web import moments, numbers

WIDTH, HEIGHT = 720, 120
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
    """``sentence`` says the chart in words; ``marks`` are the instants below the axis, evenly spaced."""

    bars: tuple[Bar, ...]
    sentence: str
    marks: tuple[int, ...]
    peak: Minute
    complete: bool


def bars(throughput: Throughput) -> Bars:
    minutes = throughput.minutes
    scale = (HEIGHT - 8) / max(1, throughput.peak.number)
    step = WIDTH / len(minutes)
    drawn = tuple(_bar(place * step, step, each, scale) for place, each in enumerate(minutes))
    marks = tuple(minutes[round(part * (len(minutes) - 1) / 4)].at for part in range(5))
    return Bars(drawn, _sentence(throughput), marks, throughput.peak, throughput.complete)


def _bar(x: float, step: float, minute: Minute, scale: float) -> Bar:
    done = minute.done * scale
    failed = max(2.0, minute.failed * scale) if minute.failed else 0.0
    gap = 1.0 if done and failed else 0.0
    title = f"{moments.local(minute.at):%H:%M} {minute.done} done, {minute.failed} failed"
    top = HEIGHT - done - gap - failed
    return Bar(
        round(x, 1),
        round(step * 0.82, 1),
        round(HEIGHT - done, 1),
        round(done, 1),
        round(top, 1),
        round(failed, 1),
        title,
    )


def _sentence(throughput: Throughput) -> str:
    done, failed = numbers.number(throughput.done), numbers.number(throughput.failed)
    peak = throughput.peak
    return (
        f"Runs finished per minute: {done} done, {failed} failed; "
        f"peak {numbers.number(peak.number)} at {moments.local(peak.at):%H:%M}"
    )


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
    peak, step, span = max(1, *values), WIDTH / len(values), (until - since) // len(values)
    heights = [max(2.0, each / peak * (HEIGHT - 8)) if each else 0.0 for each in values]
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
        '<svg class="spark" viewBox="0 0 {} {}" width="{}" height="{}" aria-hidden="true">'
        '<polyline points="{}"/></svg>'
    ).format(SPARK_WIDTH, SPARK_HEIGHT, SPARK_WIDTH, SPARK_HEIGHT, points)


def _height(value: int, peak: int) -> float:
    return SPARK_HEIGHT - 1 - value / peak * (SPARK_HEIGHT - 2)
