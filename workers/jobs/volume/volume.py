"""The volume itself: voxels and what is known about them. Reading and drawing are elsewhere."""

from dataclasses import dataclass

import numpy as np

from workers.jobs.volume import shape
from workers.jobs.volume.errors import DamagedFile, NotThreeDimensional, UnsupportedDtype
from workers.jobs.volume.shape import Shape


@dataclass(frozen=True, eq=False)
class Volume:
    """Three-dimensional voxels in (z, y, x) order, real numbers in this machine's byte order.

    ``spacing`` is mm between voxels as (z, y, x), or None if the file does not tell. ``unit`` is that of the
    values (HU, Bq/ml), or None. ``orientation`` names the sides to which x, y and z grow, "LPS" (left,
    posterior, superior), or None if the file does not tell: pictures then show the rows as stored, with the
    last slice on top.
    """

    array: np.ndarray
    source: str
    spacing: tuple[float, float, float] | None = None
    unit: str | None = None
    orientation: str | None = None

    @property
    def proportions(self) -> tuple[float, float, float]:
        """Spacing as (z, y, x), with cubes assumed where the file does not tell."""
        return self.spacing or (1.0, 1.0, 1.0)

    def plain(self) -> dict:
        """What is known, JSON-serialisable, lengths and spacing as X, Y, Z."""
        return {
            "source": self.source,
            "shape": shape.written(self.array.shape),
            "dtype": self.array.dtype.name,
            "spacing_mm": list(reversed(self.spacing)) if self.spacing else None,
            "unit": self.unit,
            "orientation": self.orientation,
        }


def three_axes(name: str, stored: tuple[int, ...], lengths: tuple[int, ...]) -> Shape:
    """``lengths`` as (z, y, x), without leading axes of one; ``stored`` has the file's order, for the error.

    Raises NotThreeDimensional if they are not three, DamagedFile if one of them is not positive.
    """
    if any(length < 1 for length in lengths):
        raise DamagedFile(name, f"it claims an axis of {min(lengths)} voxels")
    while len(lengths) > 3 and lengths[0] == 1:
        lengths = lengths[1:]
    if len(lengths) != 3:
        raise NotThreeDimensional(name, stored)
    return lengths


def real_number(name: str, dtype: np.dtype) -> np.dtype:
    """The dtype to read such voxels as: itself, or uint8 for bool. Raises UnsupportedDtype for the unreal."""
    if dtype.kind == "b":
        return np.dtype(np.uint8)
    if dtype.kind not in "iuf" or dtype.itemsize > 8:
        raise UnsupportedDtype(name, dtype.name if dtype.names is None else "records, such as colours")
    return dtype
