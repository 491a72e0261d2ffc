"""Voxels turned to LPS: x grows to the patient's left, y to posterior (the back), z to superior (the head)."""

import numpy as np
from nibabel.orientations import apply_orientation, inv_ornt_aff, io_orientation

Spacing = tuple[float, float, float]
FROM_RAS = np.diag([-1.0, -1.0, 1.0, 1.0])


def usable(affine: np.ndarray) -> bool:
    """Whether each axis leads somewhere, so that the axes can be told apart."""
    return bool(np.isfinite(affine).all() and np.isfinite(io_orientation(affine)).all())


def turned(array: np.ndarray, affine: np.ndarray, sizes: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """A (z, y, x) array, its affine to LPS and the sizes of its voxels as (x, y, z), the nearest way round.

    Axes are only swapped and flipped, as views: nothing is resampled, what is oblique stays so in the affine.
    """
    moves = io_orientation(affine)
    found = apply_orientation(array.transpose(), moves).transpose()
    return found, affine @ inv_ornt_aff(moves, array.shape[::-1]), np.asarray(sizes)[np.argsort(moves[:, 0])]


def spacing(sizes: np.ndarray) -> Spacing | None:
    """As (z, y, x), None for what cannot be: between a nanometre and a kilometre lies all that anyone scans."""
    known = len(sizes) == 3 and bool(((sizes > 1e-6) & (sizes < 1e6)).all())
    return tuple(map(float, sizes[::-1])) if known else None
