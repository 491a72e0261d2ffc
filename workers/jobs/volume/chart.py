"""Charts as SVG files: shown as images, so they bring their colours along and hold no script or style."""

from collections.abc import Iterator
from math import log1p

from workers.jobs.volume.pictures import Picture
from workers.jobs.volume.statistics import Histogram, Statistics

WIDTH, HEIGHT = 640, 260
LEFT, TOP, BASE = 8, 40, 220
PLOT_WIDTH, PLOT_HEIGHT = WIDTH - 2 * LEFT, BASE - TOP
# A contrast of at least 3, which bars and large text need, both on white and on the dark card.
GREY = "#7c828a"


def histogram(statistics: Statistics) -> Picture:
    """The histogram as bars of logarithmic height: background outnumbers all else, and would flatten it."""
    title = _in_words(statistics)
    bars = "".join(_bars(statistics.histogram))
    svg = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}"'
        f' width="{WIDTH}" height="{HEIGHT}" role="img"'
        f' font-family="system-ui, sans-serif" font-size="19" font-weight="600" fill="{GREY}">'
        f"<title>{title}</title>{bars}{_labels(statistics.histogram)}</svg>\n"
    )
    return Picture("histogram.svg", title, svg.encode(), "image/svg+xml")


def _in_words(statistics: Statistics) -> str:
    counts = statistics.histogram.counts
    if not counts:
        return f"Histogram: none of {statistics.voxels:,} voxels is a finite number"
    low, high = _number(statistics.min), _number(statistics.max)
    return f"Histogram of {sum(counts):,} voxels from {low} to {high}, in {len(counts)} bins"


def _bars(histogram: Histogram) -> Iterator[str]:
    step = PLOT_WIDTH / max(1, len(histogram.counts))
    for index, count in enumerate(histogram.counts):
        low, high = histogram.edges[index : index + 2]
        tall = PLOT_HEIGHT * log1p(count) / log1p(max(histogram.counts))
        yield (
            f'<rect x="{LEFT + index * step:.2f}" y="{BASE - tall:.2f}" width="{step * 0.86:.2f}"'
            f' height="{tall:.2f}"><title>{_number(low)} to {_number(high)}: {count:,}</title></rect>'
        )


def _labels(histogram: Histogram) -> str:
    rule = f'<path d="M{LEFT} {BASE + 1}H{WIDTH - LEFT}" stroke="{GREY}"/>'
    if not histogram.counts:
        return rule
    low, high = histogram.edges[0], histogram.edges[-1]
    return (
        f'<text x="{LEFT}" y="24">voxels, logarithmic; tallest bar {max(histogram.counts):,}</text>{rule}'
        f'<text x="{LEFT}" y="{BASE + 26}">{_number(low)}</text>'
        f'<text x="{WIDTH / 2:g}" y="{BASE + 26}" text-anchor="middle">{_number(low / 2 + high / 2)}</text>'
        f'<text x="{WIDTH - LEFT}" y="{BASE + 26}" text-anchor="end">{_number(high)}</text>'
    )


def _number(value: float) -> str:
    return f"{value:,.5g}"
