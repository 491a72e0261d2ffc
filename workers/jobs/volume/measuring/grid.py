"""Where voxels lie: the grid of a kept volume, and points and spheres in it."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

Point = tuple[float, float, float]


@dataclass(frozen=True)
class Sphere:
    """``centre`` in the world as (x, y, z) in mm, ``radius`` in mm."""

    centre: Point
    radius: float

    def plain(self) -> dict:
        return {"centre": list(self.centre), "radius": self.radius}


@dataclass(frozen=True, eq=False)
class Grid:
    """``shape`` is (z, y, x); ``affine`` takes (x, y, z, 1) of a voxel to the mm of its centre."""

    shape: tuple[int, int, int]
    affine: np.ndarray

    @cached_property
    def spacing(self) -> np.ndarray:
        """mm between neighbours along (x, y, z)."""
        return np.linalg.norm(self.affine[:3, :3], axis=0)

    @property
    def voxel_ml(self) -> float:
        return float(abs(np.linalg.det(self.affine[:3, :3]))) / 1000

    def world(self, index: tuple[int, int, int]) -> Point:
        """Of a voxel's index (z, y, x)."""
        x, y, z = self.affine[:3, :3] @ np.array(index[::-1], float) + self.affine[:3, 3]
        return float(x), float(y), float(z)

    def index(self, point: Point) -> np.ndarray:
        """The place of a point as (x, y, z) in voxels, with fractions."""
        return np.linalg.solve(self.affine[:3, :3], np.array(point, float) - self.affine[:3, 3])

    def box(self, sphere: Sphere) -> tuple[slice, slice, slice]:
        """The voxels (z, y, x) among which all of the sphere lie; empty where it is outside."""
        reach = sphere.radius * np.linalg.norm(np.linalg.inv(self.affine[:3, :3]), axis=1)
        middle = self.index(sphere.centre)
        low = np.clip(np.floor(middle - reach), 0, self.shape[::-1]).astype(int)
        high = np.clip(np.ceil(middle + reach) + 1, low, self.shape[::-1]).astype(int)
        return tuple(slice(int(a), int(b)) for a, b in zip(low[::-1], high[::-1], strict=True))

    def inside(self, sphere: Sphere) -> np.ndarray:
        """The voxels whose centre lies in the sphere, bool (z, y, x)."""
        mask = np.zeros(self.shape, bool)
        box = self.box(sphere)
        mask[box] = self._distances(sphere.centre, box) <= sphere.radius
        return mask

    def _distances(self, point: Point, box: tuple[slice, slice, slice]) -> np.ndarray:
        z, y, x = np.ogrid[box]
        offset = np.array(point, float) - self.affine[:3, 3]
        rows = zip(self.affine[:3, :3], offset, strict=True)
        return np.sqrt(sum((row[0] * x + row[1] * y + row[2] * z - at) ** 2 for row, at in rows))
