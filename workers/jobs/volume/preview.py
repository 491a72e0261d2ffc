"""A volume made smaller, for the first picture: each voxel is the mean of a block, at the end of a smaller one.

Also a PET's is a mean, not the maximum: it is looked at for a second, and the full voxels that replace it should
not change the picture. Where the maximum counts, ``mip.py`` takes it.
"""

import numpy as np

from workers.jobs.volume import blocks
from workers.jobs.volume.blocks import Factors

LONGEST = (128, 128, 128)


def factors(shape: tuple[int, int, int]) -> Factors:
    return blocks.factors(shape, LONGEST)


def of_stack(stack: np.ndarray, by: Factors) -> np.ndarray:
    """The stack's part of the preview, of its dtype: int16 is rounded to the nearest."""
    if by == (1, 1, 1):
        return stack
    whole = stack.dtype.kind == "i"
    with np.errstate(over="ignore", invalid="ignore"):
        sums = blocks.joined(stack, by, np.add, np.int32 if whole else np.float32)
        means = sums / blocks.sizes(stack.shape, by).astype(np.float32)
    return (np.rint(means) if whole else means).astype(stack.dtype)
