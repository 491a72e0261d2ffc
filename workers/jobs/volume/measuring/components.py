"""Connected parts of a mask: voxels that touch by a face, an edge or a corner (26-connectivity)."""

import numpy as np

Box = tuple[slice, slice, slice]

TOUCHING = np.ones((3, 3, 3), bool)


def labelled(mask: np.ndarray, smallest: int = 1) -> tuple[np.ndarray, int]:
    """The parts of ``mask`` (z, y, x), numbered from 1, the largest first, as uint16; and how many there are.

    Parts of less than ``smallest`` voxels are left out, and what lies beyond 65,535 parts.
    """
    from scipy import ndimage

    box = bounds(mask)
    found, number = ndimage.label(mask[box], TOUCHING)
    sizes = np.bincount(found.ravel(), minlength=number + 1)[1:]
    order = np.argsort(-sizes, kind="stable")[: np.iinfo(np.uint16).max]
    order = order[sizes[order] >= smallest]
    rank = np.zeros(number + 1, np.uint16)
    rank[order + 1] = np.arange(1, len(order) + 1)
    labels = np.zeros(mask.shape, np.uint16)
    labels[box] = rank[found]
    return labels, len(order)


def component_of(mask: np.ndarray, index: tuple[int, int, int]) -> np.ndarray:
    """The part of ``mask`` that the voxel at ``index`` (z, y, x) belongs to."""
    from scipy import ndimage

    found, _ = ndimage.label(mask, TOUCHING)
    return found == found[tuple(index)]


def bounds(mask: np.ndarray) -> Box:
    """The smallest box that holds all of a mask; empty slices for an empty one."""
    box = []
    for axis in range(mask.ndim):
        inside = np.flatnonzero(mask.any(axis=tuple(each for each in range(mask.ndim) if each != axis)))
        box.append(slice(int(inside[0]), int(inside[-1]) + 1) if inside.size else slice(0, 0))
    return tuple(box)
