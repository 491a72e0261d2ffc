"""Numbers about voxels: numpy's own on the same array, bit for bit, without its temporary arrays."""

from dataclasses import dataclass
from math import isfinite, nan, sqrt

import numpy as np

BINS = 64
# Small enough for the cache, large enough to forget the loop.
PIECE = 65536
COUNTED_AT_ONCE = 2**20


@dataclass(frozen=True)
class Histogram:
    """How many voxels lie between neighbouring edges; the last bin holds its upper edge, too."""

    counts: tuple[int, ...]
    edges: tuple[float, ...]

    def plain(self) -> dict:
        """JSON-serialisable."""
        return {"counts": list(self.counts), "edges": list(self.edges)}


@dataclass(frozen=True)
class Statistics:
    """Of the finite voxels; the others are only counted. All but the counts are NaN if no voxel is finite."""

    voxels: int
    nonfinite: int
    min: float
    max: float
    mean: float
    std: float
    histogram: Histogram

    def plain(self) -> dict:
        """JSON-serialisable: None where there is no finite number."""
        moments = {name: _finite_or_none(getattr(self, name)) for name in ("min", "max", "mean", "std")}
        counts = {"voxels": self.voxels, "nonfinite": self.nonfinite}
        return counts | moments | {"histogram": self.histogram.plain()}


def _finite_or_none(value: float) -> float | None:
    return value if isfinite(value) else None


def measure(array: np.ndarray, bins: int = BINS) -> Statistics:
    """The statistics of a real-valued array of any shape; moments are summed in float64."""
    every = in_memory_order(array)
    finite = _only_finite(every)
    if not finite.size:
        return Statistics(every.size, every.size, nan, nan, nan, nan, Histogram((), ()))
    # Sums near the end of the float64 range overflow to infinity, and are then reported as unknown.
    with np.errstate(over="ignore", invalid="ignore"):
        return _of_finite(finite, every.size - finite.size, bins)


def _of_finite(finite: np.ndarray, nonfinite: int, bins: int) -> Statistics:
    mean = finite.mean(dtype=np.float64)
    return Statistics(
        voxels=finite.size + nonfinite,
        nonfinite=nonfinite,
        min=finite.min().item(),
        max=finite.max().item(),
        mean=mean.item(),
        std=sqrt(_squares_about(mean, finite) / finite.size),
        histogram=_histogram(finite, bins),
    )


def in_memory_order(array: np.ndarray) -> np.ndarray:
    """All voxels as one flat view, as they lie in memory: turns, flips and Fortran order undone."""
    ascending = array[tuple(slice(None, None, -1 if stride < 0 else 1) for stride in array.strides)]
    return ascending.transpose(np.argsort(ascending.strides)[::-1]).reshape(-1)


def _only_finite(flat: np.ndarray) -> np.ndarray:
    """A copy only if something is left out: both extremes are finite just when every voxel is."""
    if flat.dtype.kind != "f" or np.isfinite(flat.min()) and np.isfinite(flat.max()):
        return flat
    return flat[np.isfinite(flat)]


def _squares_about(mean: np.float64, flat: np.ndarray) -> np.float64:
    """Sum of squared differences, halved where numpy's pairwise summation halves: it rounds the same way."""
    if flat.size <= PIECE:
        difference = np.subtract(flat, mean, dtype=np.float64)
        return np.multiply(difference, difference, out=difference).sum()
    half = flat.size // 2 // 8 * 8
    return _squares_about(mean, flat[:half]) + _squares_about(mean, flat[half:])


def _histogram(flat: np.ndarray, bins: int) -> Histogram:
    values, weights = _tally(flat) if flat.dtype.kind in "iu" and flat.dtype.itemsize <= 2 else (flat, None)
    try:
        counts, edges = np.histogram(values, bins, weights=weights)
    except ValueError:  # the range is too narrow, or too wide, for so many edges in floating point
        counts, edges = [flat.size], [flat.min(), flat.max()]
    return Histogram(tuple(map(int, counts)), tuple(map(float, edges)))


def _tally(flat: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Which values of up to 16 bits occur, and how often: numpy then bins thousands, not millions."""
    unsigned = flat.view(f"u{flat.itemsize}")
    counts = np.zeros(2 ** (8 * flat.itemsize), np.int64)
    for start in range(0, flat.size, COUNTED_AT_ONCE):
        counts += np.bincount(unsigned[start : start + COUNTED_AT_ONCE], minlength=counts.size)
    occurring = np.flatnonzero(counts)
    return occurring.astype(unsigned.dtype).view(flat.dtype), counts[occurring]
