"""Blocks of voxels joined to one: sums for means, maxima for projections. Blocks at the end may be smaller."""

import numpy as np

from ledger.volume_files import CHUNK_SLICES

Factors = tuple[int, int, int]


def factors(shape: tuple[int, int, int], longest: tuple[int, int, int]) -> Factors:
    """Powers of two that bring each axis near ``longest``; a stack of slices holds whole blocks along z."""
    z, y, x = (2 ** max(0, (length - 1) // most).bit_length() for length, most in zip(shape, longest, strict=True))
    return min(z, CHUNK_SLICES), y, x


def joined(array: np.ndarray, by: Factors, join: np.ufunc, dtype: np.dtype | type) -> np.ndarray:
    """One voxel for each block: ``join`` of its voxels, as ``dtype``, in which nothing larger than that is made."""
    for axis, factor in enumerate(by):
        array = _along(array, axis, factor, join, dtype)
    return array


def _along(array: np.ndarray, axis: int, factor: int, join: np.ufunc, dtype: np.dtype | type) -> np.ndarray:
    """Slice upon slice, which is several times as fast as numpy's ``reduceat``."""
    if factor == 1:
        return array
    before = (slice(None),) * axis
    found = array[(*before, slice(0, None, factor))].astype(dtype)
    for first in range(1, factor):
        part = array[(*before, slice(first, None, factor))]
        target = found[(*before, slice(part.shape[axis]))]
        join(target, part, out=target)
    return found


def sizes(shape: tuple[int, int, int], by: Factors) -> np.ndarray:
    """How many voxels each block holds."""
    z, y, x = (np.diff([*range(0, length, factor), length]) for length, factor in zip(shape, by, strict=True))
    return z[:, None, None] * y[:, None] * x
