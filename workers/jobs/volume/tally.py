"""How often each value occurs, in one look at the voxels, stack by stack: range, percentiles, histogram.

Values of 16 bits are counted as they are. Of float32 the upper 16 bits are: 256 steps between a number and its
double. Range and the number of voxels are exact in both, percentiles in the first; in the second they are at
most 1/256 of their value off.
"""

from dataclasses import dataclass

import numpy as np

PERCENTILES = (1, 50, 99, 99.5, 99.9)
BINS = 256
#: Small enough for the cache; numpy widens what it counts to 64 bits.
PIECE = 2**18

#: Counts by the upper 16 bits, and the least and greatest finite value, if there is one.
Part = tuple[np.ndarray, float | None, float | None]


@dataclass(frozen=True, eq=False)
class Tally:
    """Of the finite voxels: ascending ``values`` that occur, or stand for their step, and how often."""

    values: np.ndarray
    counts: np.ndarray
    low: float | None
    high: float | None
    nonfinite: int

    def percentiles(self) -> dict[str, float]:
        """Empty without a finite voxel. As numpy's "inverted_cdf": a value that occurs."""
        if not self.values.size:
            return {}
        ranks = np.ceil(np.array(PERCENTILES) / 100 * self.counts.sum()) - 1
        found = self.values[np.searchsorted(self.counts.cumsum(), ranks, "right")]
        return {f"{share:g}": float(value) for share, value in zip(PERCENTILES, found, strict=True)}

    def histogram(self) -> dict[str, list]:
        """At most BINS bins of one width, the last with its upper edge."""
        if not self.values.size:
            return {"edges": [], "counts": []}
        try:
            counts, edges = np.histogram(self.values, BINS, (self.low, self.high), weights=self.counts)
        except ValueError:  # too narrow, or too wide, for so many edges in floating point
            counts, edges = [self.counts.sum()], [self.low, self.high]
        return {"edges": [float(edge) for edge in edges], "counts": [int(count) for count in counts]}


class Tallying:
    """Adds up what the stacks brought."""

    def __init__(self, dtype: np.dtype) -> None:
        self.dtype = dtype
        self._counts = np.zeros(65536, np.int64)
        self._lows: list[float] = []
        self._highs: list[float] = []

    def add(self, part: Part) -> None:
        counts, low, high = part
        self._counts += counts
        if low is not None:
            self._lows.append(low)
            self._highs.append(high)

    def total(self) -> Tally:
        values = _values(self.dtype)
        finite = np.isfinite(values) & (self._counts > 0)
        low, high = min(self._lows, default=None), max(self._highs, default=None)
        order = np.argsort(values[finite], kind="stable")
        return Tally(
            values=np.clip(values[finite][order], low, high),
            counts=self._counts[finite][order],
            low=low,
            high=high,
            nonfinite=int(self._counts.sum() - self._counts[finite].sum()),
        )


def of_stack(stack: np.ndarray) -> Part:
    """Counts by the upper 16 bits, and the finite range, of one C-ordered stack of int16 or float32."""
    flat = stack.reshape(-1)
    words = flat.view(np.uint16)[flat.itemsize // 2 - 1 :: flat.itemsize // 2]
    counts = np.zeros(65536, np.int64)
    for start in range(0, words.size, PIECE):
        counts += np.bincount(words[start : start + PIECE], minlength=65536)
    return counts, *(_counted_range(counts) if flat.dtype.kind == "i" else _range(flat))


def _counted_range(counts: np.ndarray) -> tuple[float, float]:
    """Of int16, whose counts say it already."""
    found = np.flatnonzero(counts).astype(np.uint16).view(np.int16)
    return float(found.min()), float(found.max())


def _range(flat: np.ndarray) -> tuple[float | None, float | None]:
    low, high = flat.min(), flat.max()
    if not (np.isfinite(low) and np.isfinite(high)):
        flat = flat[np.isfinite(flat)]
        if not flat.size:
            return None, None
        low, high = flat.min(), flat.max()
    return float(low), float(high)


def _values(dtype: np.dtype) -> np.ndarray:
    """The value that each of the 65,536 upper halves stands for: of float32, the middle of its step."""
    words = np.arange(65536, dtype=np.uint16)
    if dtype.kind == "i":
        return words.view(np.int16).astype(np.float64)
    with np.errstate(invalid="ignore"):
        steps = ((words.astype(np.uint32) << 16) | 0x8000).view(np.float32).astype(np.float64)
    steps[words & 0x7FFF == 0] = 0.0
    return steps
