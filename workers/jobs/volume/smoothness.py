"""How smooth voxels are: neighbours in a picture of a body are alike, those of a wrong reading are not.

All is told of a line of voxels and distances along it, not of a box: so all guesses at one reading are compared
on the same voxels, those of the middle, whatever slices they cut them into.
"""

from functools import cache
from math import ceil, log2, nan

import numpy as np

ROBUST = (1.0, 99.5)
#: Bytes of the middle that are compared, for each distance, and every how many of narrow voxels: an odd number,
#: so that no column is passed over.
MIDDLE = 2**21
EVERY = {1: 7, 2: 5, 4: 3, 8: 1}
#: Voxels of the middle in which repeats are looked for, half of that if they take eight bytes.
RUN = 2**19


class Line:
    """Voxels as a file has them, one after the other, in shares of the robust range of their middle."""

    def __init__(self, voxels: np.ndarray) -> None:
        self.voxels = voxels
        self._every = EVERY[voxels.itemsize]
        self._low, self._high = _range(self.middle(MIDDLE)[:: self._every])
        self.difference = cache(self.difference)

    def middle(self, size: int, apart: int = 0) -> np.ndarray:
        """So many bytes of the middle; those of -n and n voxels ``apart`` lie n from each other around it."""
        length = min(size // self.voxels.itemsize, self.voxels.size - abs(apart))
        start = (self.voxels.size - length + apart) // 2
        return self.voxels[start : start + length]

    def levelled(self, voxels: np.ndarray) -> np.ndarray:
        """As shares of the range, cut off at its ends; what is no number counts as its lower end."""
        with np.errstate(all="ignore"):
            shares = (voxels.astype(np.float32) - self._low) / (self._high - self._low)
            return np.fmin(np.fmax(shares, 0), 1)

    def difference(self, distance: int) -> float:
        """Mean |difference| of voxels so far apart; 1 for what is too far to say."""
        if distance >= self.voxels.size:
            return 1.0
        pair = (self.middle(MIDDLE, apart)[:: self._every] for apart in (-distance, distance))
        ones, others = map(self.levelled, pair)
        return float(np.abs(ones - others).mean(dtype=np.float64))


def _range(voxels: np.ndarray) -> tuple[np.float32, np.float32]:
    """The robust range, or the whole of it, or 0 to 1 where there is none."""
    with np.errstate(all="ignore"):
        numbers = voxels.astype(np.float32)
    numbers = numbers[np.isfinite(numbers)]
    if not numbers.size:
        return np.float32(0), np.float32(1)
    for low, high in (np.percentile(numbers, ROBUST).astype(np.float32), (numbers.min(), numbers.max())):
        if low < high:
            return low, high
    return low, low + np.float32(1)


class Distances:
    """Mean squared differences over many distances at once, to find what repeats: up to slices of 590 x 590."""

    def __init__(self, line: Line) -> None:
        values = line.levelled(line.middle(RUN * min(4, line.voxels.itemsize)))
        values -= values.mean()
        size = values.size
        length = 2 ** ceil(log2(2 * size))
        squares = np.concatenate([[0.0], np.cumsum(np.square(values, dtype=np.float64))])
        products = np.fft.irfft(np.square(np.abs(np.fft.rfft(values, length))), length)[: size * 2 // 3]
        apart = np.arange(products.size)
        self._found = (squares[size - apart] + squares[-1] - squares[apart] - 2 * products) / (size - apart)

    def __call__(self, distance: int) -> float:
        """NaN for what is too far to say."""
        return float(self._found[distance]) if distance < self._found.size else nan

    def dips(self, distances: range, count: int) -> list[int]:
        """The ``count`` best of those that are better than both of their neighbours in ``distances``."""
        found = self._found[distances.start : distances.stop : distances.step]
        if found.size < 3:
            return []
        dips = np.flatnonzero((found[1:-1] < found[:-2]) & (found[1:-1] <= found[2:])) + 1
        return [distances[int(dip)] for dip in dips[np.argsort(found[dips])][:count]]
