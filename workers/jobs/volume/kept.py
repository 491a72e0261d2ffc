"""Voxels as they are kept: int16 or float32, little-endian, one stack of axial slices at a time.

Nothing here copies a whole volume: an array of another kind, or turned, is converted stack by stack.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from ledger.volume_files import CHUNK_SLICES

INT16 = np.iinfo(np.int16)
#: float32 counts without gaps up to here.
EXACT_IN_FLOAT32 = 2**24


@dataclass(frozen=True, eq=False)
class Kept:
    """An array (z, y, x) of real numbers, and the dtype that it is kept as."""

    array: np.ndarray
    dtype: np.dtype
    warnings: tuple[str, ...] = ()

    @property
    def shape(self) -> tuple[int, int, int]:
        return self.array.shape

    def starts(self) -> range:
        """The first slice of each stack."""
        return range(0, self.shape[0], CHUNK_SLICES)

    def stack(self, start: int) -> np.ndarray:
        """CHUNK_SLICES slices from ``start`` on, or what is left, in C order."""
        with np.errstate(over="ignore"):
            return np.ascontiguousarray(self.array[start : start + CHUNK_SLICES], self.dtype)


def kept(array: np.ndarray) -> Kept:
    """Integers that fit are kept as int16, everything else as float32; what that rounds is said."""
    if array.dtype.kind == "f":
        return Kept(array, np.dtype("<f4"), tuple(_too_wide(array)))
    low, high = _range(array)
    if INT16.min <= low and high <= INT16.max:
        return Kept(array, np.dtype("<i2"))
    return Kept(array, np.dtype("<f4"), tuple(_rounded(low, high)))


def _range(array: np.ndarray) -> tuple[int, int]:
    """Of the dtype where that is enough to know, else of the voxels."""
    info = np.iinfo(array.dtype)
    if INT16.min <= info.min and info.max <= INT16.max:
        return info.min, info.max
    return int(array.min()), int(array.max())


def _rounded(low: int, high: int) -> Iterator[str]:
    if max(-low, high) > EXACT_IN_FLOAT32:
        beyond = f"whole numbers beyond ±{EXACT_IN_FLOAT32:,}; they go from {low:,} to {high:,}"
        yield f"Kept as float32, which rounds {beyond}."


def _too_wide(array: np.ndarray) -> Iterator[str]:
    if array.dtype.itemsize > 4:
        yield "Kept as float32: about seven digits of each value."
