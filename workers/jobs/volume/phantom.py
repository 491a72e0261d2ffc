"""A made-up patient, head to thigh, as a PET scan would show one: overlapping ellipsoids, and noise.

Coordinates are shares of the volume: x from -1 (the patient's right) to 1, y from -1 (front) to 1, z from 0
(the thighs) to 1 (above the head). The proportions are right for about 110 x 110 x 187 cubes of 5 mm.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from workers.jobs.volume.errors import BadValue, TooLarge
from workers.jobs.volume.fits import bytes_of
from workers.jobs.volume.shape import Shape

LARGEST = 2**30


@dataclass(frozen=True)
class Ellipsoid:
    """A body part of even uptake, 1 the hottest; a ``bluntness`` over 2 flattens its lower and upper end."""

    center: tuple[float, float, float]
    radii: tuple[float, float, float]
    uptake: float
    bluntness: float = 2.0


def _sphere(x: float, y: float, z: float, radius: float) -> Ellipsoid:
    """Round in millimetres: z covers 935 mm in one unit, x and y 302 mm."""
    return Ellipsoid((x, y, z), (radius, radius, radius * 0.323), 0.95)


BODY = (
    Ellipsoid((-0.27, 0.02, 0.02), (0.27, 0.29, 0.24), 0.08, 6),  # thighs
    Ellipsoid((0.27, 0.02, 0.02), (0.27, 0.29, 0.24), 0.08, 6),
    Ellipsoid((-0.76, 0.06, 0.42), (0.13, 0.15, 0.31), 0.08, 6),  # arms
    Ellipsoid((0.76, 0.06, 0.42), (0.13, 0.15, 0.31), 0.08, 6),
    Ellipsoid((0, 0, 0.44), (0.58, 0.40, 0.31), 0.09, 6),  # trunk
    Ellipsoid((0, 0.05, 0.70), (0.78, 0.26, 0.075), 0.09),  # shoulders
    Ellipsoid((0, 0.05, 0.80), (0.20, 0.22, 0.10), 0.09, 4),  # neck
    Ellipsoid((0, -0.02, 0.89), (0.29, 0.36, 0.095), 0.10),  # head
)
ORGANS = (
    Ellipsoid((0, -0.01, 0.905), (0.23, 0.29, 0.068), 0.55),  # brain, ventricles
    Ellipsoid((0, 0.01, 0.90), (0.06, 0.12, 0.022), 0.18),
    Ellipsoid((-0.29, 0.02, 0.60), (0.22, 0.29, 0.125), 0.035, 2.6),  # lungs
    Ellipsoid((0.29, 0.02, 0.60), (0.22, 0.29, 0.125), 0.035, 2.6),
    Ellipsoid((0.14, -0.07, 0.53), (0.16, 0.16, 0.056), 0.50),  # heart: muscle, blood
    Ellipsoid((0.13, -0.07, 0.541), (0.09, 0.09, 0.038), 0.13),
    Ellipsoid((-0.25, -0.03, 0.43), (0.29, 0.29, 0.075), 0.26),  # liver
    Ellipsoid((0.24, -0.14, 0.44), (0.16, 0.14, 0.045), 0.15),  # stomach
    Ellipsoid((0.43, 0.14, 0.44), (0.10, 0.15, 0.045), 0.22),  # spleen
    Ellipsoid((-0.24, 0.20, 0.345), (0.09, 0.10, 0.05), 0.62),  # kidneys
    Ellipsoid((0.24, 0.20, 0.355), (0.09, 0.10, 0.05), 0.62),
    Ellipsoid((0, 0.25, 0.48), (0.075, 0.09, 0.36), 0.17, 8),  # spine
    Ellipsoid((0, -0.08, 0.175), (0.14, 0.13, 0.036), 1.0),  # bladder
)
LESIONS = (
    _sphere(-0.34, -0.02, 0.615, 0.062),
    _sphere(0.34, 0.08, 0.645, 0.045),
    _sphere(0.0, 0.0, 0.665, 0.036),
    _sphere(-0.33, 0.0, 0.435, 0.07),
    _sphere(0.0, 0.25, 0.27, 0.05),
    _sphere(-0.13, 0.03, 0.79, 0.032),
)


def slabs(shape: Shape, dtype: str, noise: float, seed: int) -> Iterator[np.ndarray]:
    """The axial slices, lowest first, as (y, x) arrays of ``dtype``: one at a time, to save memory.

    ``noise`` is the standard deviation where uptake is 1, as a share of it, and falls with the root of
    uptake. The same seed makes the same bytes. Integers reach up to their largest value (at most 32,767),
    floats up to 10, an SUV. Raises BadValue or TooLarge before the first slice.
    """
    _refuse_if_unfit(shape, dtype, noise, seed)
    return _slabs(shape, np.dtype(dtype), noise, np.random.default_rng(seed))


def _refuse_if_unfit(shape: Shape, dtype: str, noise: float, seed: int) -> None:
    if not 0 <= noise <= 1:
        raise BadValue("noise", noise, "a number from 0 to 1")
    if seed < 0:
        raise BadValue("seed", seed, "0 or more")
    if bytes_of(shape, dtype) > LARGEST:
        raise TooLarge("The phantom", bytes_of(shape, dtype), LARGEST)


def _slabs(shape: Shape, dtype: np.dtype, noise: float, random: np.random.Generator) -> Iterator[np.ndarray]:
    depth, *plane = shape
    y, x = (np.linspace(-1, 1, length).astype(np.float32) for length in plane)
    for z in (np.arange(depth) + 0.5) / depth:
        uptake = _softened(_uptake(z, y[:, None], x[None, :]))
        uptake += noise * np.sqrt(uptake) * random.standard_normal(uptake.shape, np.float32)
        yield _stored(uptake, dtype)


def _uptake(z: float, y: np.ndarray, x: np.ndarray) -> np.ndarray:
    uptake = np.full((y.size, x.size), 0.004, np.float32)
    for part in BODY + ORGANS + LESIONS:
        (cx, cy, cz), (rx, ry, rz) = part.center, part.radii
        room = 1 - abs((z - cz) / rz) ** part.bluntness
        if room > 0:
            uptake[((x - cx) / rx) ** 2 + ((y - cy) / ry) ** 2 < room] = part.uptake
    return uptake


def _softened(plane: np.ndarray) -> np.ndarray:
    """Edges as a scanner sees them: each pixel with a part of its neighbours, rows first and then columns."""
    for _ in range(2):
        around = np.pad(plane, ((1, 1), (0, 0)), "edge")
        plane = (plane * 2 + around[:-2] + around[2:]).T / 4
    return plane


def _stored(uptake: np.ndarray, dtype: np.dtype) -> np.ndarray:
    if dtype.kind == "f":
        return np.maximum(uptake * 10, 0).astype(dtype)
    highest = min(np.iinfo(dtype).max, 32767)
    return np.rint(np.clip(uptake, 0, 1) * highest).astype(dtype)
