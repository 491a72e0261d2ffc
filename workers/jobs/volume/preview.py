"""A volume made smaller, for the first picture: each voxel is the mean of a block, at the end of a smaller one.

Also a PET's is a mean, not the maximum: it is looked at for a second, and the full voxels that replace it should
not change the picture. Where the maximum counts, ``mip.py`` takes it.
"""

import numpy as np

LONGEST = 128


def factors(shape: tuple[int, int, int]) -> tuple[int, int, int]:
    """Along each axis a power of two up to 16, so that a stack of slices holds whole blocks."""
    return tuple(min(16, 2 ** max(0, (length - 1) // LONGEST).bit_length()) for length in shape)


def of_stack(stack: np.ndarray, by: tuple[int, int, int]) -> np.ndarray:
    """The stack's part of the preview, of its dtype: int16 is rounded to the nearest."""
    sums = stack.astype(np.int32 if stack.dtype.kind == "i" else np.float32, copy=False)
    with np.errstate(over="ignore", invalid="ignore"):
        for axis, factor in enumerate(by):
            sums = _summed(sums, axis, factor)
        means = sums / _block_sizes(stack.shape, by)
    return (np.rint(means) if stack.dtype.kind == "i" else means).astype(stack.dtype)


def _summed(array: np.ndarray, axis: int, factor: int) -> np.ndarray:
    """Neighbours along one axis added, ``factor`` at a time."""
    if factor == 1:
        return array
    along = (slice(None),) * axis
    sums = array[(*along, slice(0, None, factor))].copy()
    for first in range(1, factor):
        part = array[(*along, slice(first, None, factor))]
        sums[(*along, slice(part.shape[axis]))] += part
    return sums


def _block_sizes(shape: tuple[int, ...], by: tuple[int, ...]) -> np.ndarray:
    z, y, x = (np.diff([*range(0, length, factor), length]) for length, factor in zip(shape, by, strict=True))
    return (z[:, None, None] * y[:, None] * x).astype(np.float32)
