"""SUVpeak: the mean in a sphere of 1 ml, whose definition changes it by a tenth and more. Two are told, by name:

``highest``   the highest such mean with its centre in the region (Wahl et al. 2009 move the sphere so)
``at_max``    the mean around the region's hottest voxel

A voxel that the sphere cuts counts with the part of it that lies inside, found from SUBSTEPS ** 3 points in it.
What of the sphere lies outside the volume does not count.
"""

from dataclasses import dataclass
from math import pi

import numpy as np

from workers.jobs.volume.measuring.components import Box
from workers.jobs.volume.measuring.grid import Grid

#: mm, of a sphere of 1 ml: (3 / (4 pi)) ** (1/3) cm = 6.204 mm
RADIUS = 10 * (3 / (4 * pi)) ** (1 / 3)
SUBSTEPS = 9


@dataclass(frozen=True)
class Peaks:
    highest: float
    at_max: float


def kernel(grid: Grid, radius: float = RADIUS) -> np.ndarray:
    """The part of each voxel (z, y, x) around the middle one that lies in the sphere, 0 to 1; all lengths odd."""
    steps = grid.affine[:3, :3]
    reach = np.ceil(radius * np.linalg.norm(np.linalg.inv(steps), axis=1) + 0.5).astype(int)
    fine = (np.arange(SUBSTEPS) + 0.5) / SUBSTEPS - 0.5
    x, y, z = (np.add.outer(np.arange(-most, most + 1), fine).ravel() for most in reach)
    z, y, x = z[:, None, None], y[None, :, None], x[None, None, :]
    squares = sum((row[0] * x + row[1] * y + row[2] * z) ** 2 for row in steps)
    parts = [length for most in reach[::-1] for length in (2 * most + 1, SUBSTEPS)]
    return (squares <= radius * radius).reshape(parts).mean(axis=(1, 3, 5))


def peaks(values: np.ndarray, inside: np.ndarray, box: Box, weights: np.ndarray) -> Peaks:
    """Of the voxels ``inside`` (bool, of that ``box`` of ``values``); ``weights`` is ``kernel(grid)``. Values that are
    no numbers do not count."""
    around = tuple(
        slice(max(0, side.start - length // 2), min(size, side.stop + length // 2))
        for side, length, size in zip(box, weights.shape, values.shape, strict=True)
    )
    inner = tuple(slice(a.start - b.start, a.stop - b.start) for a, b in zip(box, around, strict=True))
    near = values[around].astype(np.float64)
    counts = np.isfinite(near)
    near[~counts] = 0.0
    means = _summed(near, weights)[inner] / _counted(counts, inner, weights)
    hottest = np.argmax(np.where(inside, values[box], -np.inf))
    return Peaks(float(means[inside].max()), float(means.ravel()[hottest]))


def _counted(counts: np.ndarray, inner: Box, weights: np.ndarray) -> np.ndarray | float:
    """What of the sphere counts around each voxel of ``inner``: all of it, but for a region that is near the end of the
    volume, or near what is no number."""
    inside = all(
        side.start >= length // 2 and side.stop + length // 2 <= size
        for side, length, size in zip(inner, weights.shape, counts.shape, strict=True)
    )
    return weights.sum() if inside and counts.all() else _summed(counts.astype(np.float64), weights)[inner]


def _summed(near: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """The weighted sum around each voxel; the sphere is the same upside down, so that convolving correlates."""
    from scipy import signal

    return signal.oaconvolve(near, weights, mode="same")
