"""What numpy makes of volumes, for tests of what browsers make of them."""

import numpy as np

#: Each plane and the axis of (x, y, z) that it is cut across.
AXES = {"axial": 2, "coronal": 1, "sagittal": 0}


def turned(affine: np.ndarray, degrees: float) -> np.ndarray:
    """About z."""
    cos, sin = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    rotation = np.eye(4)
    rotation[:2, :2] = [[cos, -sin], [sin, cos]]
    return rotation @ affine


def levels(values: np.ndarray, low: float, high: float) -> np.ndarray:
    return np.rint(np.clip((values.astype(np.float64) - low) / (high - low), 0, 1) * 255)


def cut(array: np.ndarray, plane: str, index: int) -> np.ndarray:
    return array[index] if plane == "axial" else array.take(index, 2 - AXES[plane])[::-1]


def sampled(volume, on, nearest: bool = False) -> np.ndarray:
    """``volume`` on the grid of ``on``, by the millimetres of both; NaN outside."""
    z, y, x = np.indices(on.array.shape)
    map_ = np.linalg.inv(volume.affine) @ on.affine
    places = np.einsum("ij,jzyx->izyx", map_, np.stack([x, y, z, np.ones_like(x)]))[:3][::-1]
    lengths = np.array(volume.array.shape)[:, None, None, None]
    inside = ((places >= -0.5) & (places < lengths - 0.5)).all(axis=0)
    if nearest:
        near = np.clip(np.floor(places + 0.5).astype(int), 0, lengths - 1)
        return np.where(inside, volume.array[tuple(near)], np.nan)
    low = np.clip(np.floor(places).astype(int), 0, lengths - 1)
    high, share = np.minimum(low + 1, lengths - 1), np.clip(places - low, 0, 1)
    total = np.zeros(on.array.shape)
    for corner in np.ndindex(2, 2, 2):
        at = tuple(np.where(bit, high[axis], low[axis]) for axis, bit in enumerate(corner))
        weight = np.prod([share[axis] if bit else 1 - share[axis] for axis, bit in enumerate(corner)], axis=0)
        total += weight * volume.array[at]
    return np.where(inside, total, np.nan)


def mixed(below: np.ndarray, above: np.ndarray, opacity: float) -> np.ndarray:
    """What is above is NaN where there is none."""
    return np.where(np.isnan(above), below, below + opacity * (above - below))


def furthest(found: np.ndarray, wanted: np.ndarray) -> float:
    """By how many grey levels the two differ at most."""
    assert found.shape[:2] == wanted.shape
    return float(np.abs(found.astype(np.float64) - wanted[..., None]).max())
