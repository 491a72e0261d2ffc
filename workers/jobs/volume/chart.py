"""Charts as SVG files: shown as images, so they bring their colours along and hold neither scripts nor styles."""

from collections.abc import Iterator
from math import log1p

from workers.jobs.volume.pictures import Picture
from workers.jobs.volume.statistics import Histogram, Statistics

WIDTH, HEIGHT = 640, 260
LEFT, TOP, PLOT_HEIGHT = 8, 40, 180
PLOT_WIDTH = WIDTH - 2 * LEFT
# The greys that have a contrast of at least 3 both on white and on the dark card, which large text and bars need.
INK, RULE = "#7c828a", "#8a8a83"


def histogram(statistics: Statistics) -> Picture:
    """The histogram as bars of logarithmic height: background outnumbers all else, and would flatten it."""
    title = _in_words(statistics)
    bars = "".join(_bars(statistics.histogram))
    svg = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" width="{WIDTH}" height="{HEIGHT}"'
        f' role="img" font-family="system-ui, sans-serif" font-size="19" font-weight="600" fill="{INK}">'
        f"<title>{title}</title>{bars}{_labels(statistics.histogram)}</svg>\n"
    )
    return Picture("histogram.svg", title, svg.encode(), "image/svg+xml")


def _in_words(statistics: Statistics) -> str:
    counts = statistics.histogram.counts
    if not counts:
        return f"Histogram: none of {statistics.voxels:,} voxels is a finite number"
    finite = statistics.voxels - statistics.nonfinite
    return f"Histogram of {finite:,} voxels from {_number(statistics.min)} to {_number(statistics.max)}, in {len(counts)} bins"


def _bars(histogram: Histogram) -> Iterator[str]:
    step = PLOT_WIDTH / max(1, len(histogram.counts))
    for index, count in enumerate(histogram.counts):
        low, high = histogram.edges[index : index + 2]
        tall = PLOT_HEIGHT * log1p(count) / log1p(max(histogram.counts))
        yield (
            f'<rect x="{LEFT + index * step:.2f}" y="{TOP + PLOT_HEIGHT - tall:.2f}" width="{step * 0.86:.2f}"'
            f' height="{tall:.2f}"><title>{_number(low)} to {_number(high)}: {count:,}</title></rect>'
        )


def _labels(histogram: Histogram) -> str:
    base = TOP + PLOT_HEIGHT
    rule = f'<path d="M{LEFT} {base + 1}H{LEFT + PLOT_WIDTH}" stroke="{RULE}"/>'
    if not histogram.counts:
        return rule
    low, middle, high = (histogram.edges[0], (histogram.edges[0] + histogram.edges[-1]) / 2, histogram.edges[-1])
    return (
        f'<text x="{LEFT}" y="24">voxels, logarithmic; tallest bar {max(histogram.counts):,}</text>{rule}'
        f'<text x="{LEFT}" y="{base + 26}">{_number(low)}</text>'
        f'<text x="{WIDTH / 2:g}" y="{base + 26}" text-anchor="middle">{_number(middle)}</text>'
        f'<text x="{WIDTH - LEFT}" y="{base + 26}" text-anchor="end">{_number(high)}</text>'
    )


def _number(value: float) -> str:
    return f"{value:,.5g}"
