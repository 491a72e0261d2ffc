"""A volume made smaller, for the first picture: each voxel is the mean of a block, at the end of a smaller one.

Also a PET's is a mean, not the maximum: it is looked at for a second, and the full voxels that replace it should
not change the picture. Where the maximum counts, ``mip.py`` takes it.
"""

import numpy as np

from workers.jobs.volume import blocks
from workers.jobs.volume.blocks import Factors

LONGEST = (128, 128, 128)
#: Of a float's 24 bits those that stay: noise does not pack, and a 512th is less than half of one of 256 levels.
BITS = 9


def factors(shape: tuple[int, int, int]) -> Factors:
    return blocks.factors(shape, LONGEST)


def of_stack(stack: np.ndarray, by: Factors) -> np.ndarray:
    """The stack's part of the preview, of its dtype: int16 is rounded to the nearest, float32 to ``BITS``."""
    if by == (1, 1, 1):
        return stack
    whole = stack.dtype.kind == "i"
    with np.errstate(over="ignore", invalid="ignore"):
        sums = blocks.joined(stack, by, np.add, np.int32 if whole else np.float32)
        means = sums / blocks.sizes(stack.shape, by).astype(np.float32)
    return (np.rint(means) if whole else _rounded(means)).astype(stack.dtype)


def _rounded(values: np.ndarray) -> np.ndarray:
    """What is no number, or too large to be rounded up, stays as it is."""
    left_out = 24 - BITS
    words = values.astype(np.float32, copy=False).view(np.uint32)
    nearest = ((words + np.uint32(1 << left_out - 1)) >> left_out << left_out).view(np.float32)
    return np.where(np.isfinite(values) & np.isfinite(nearest), nearest, values)
