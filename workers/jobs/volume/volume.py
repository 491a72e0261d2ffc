"""The volume itself: voxels and what is known about them. Reading and drawing are elsewhere."""

from dataclasses import dataclass, field

import numpy as np

from workers.jobs.volume import shape
from workers.jobs.volume.errors import DamagedFile, NotThreeDimensional, UnsupportedDtype
from workers.jobs.volume.shape import Shape


@dataclass(frozen=True)
class Suv:
    """SUV = ``factor`` * value. ``kind`` says of which body measure (BW, LBM, ...); ``inputs`` are the numbers
    and times that went in, by name, as people read them; ``notes`` what was assumed on the way."""

    factor: float
    kind: str = "BW"
    inputs: dict[str, str | float] = field(default_factory=dict)
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class NotSuv:
    """Why no SUV can be told of values that look like activity, in a sentence; ``missing`` are DICOM keywords."""

    reason: str
    missing: tuple[str, ...] = ()


@dataclass(frozen=True)
class About:
    """Whose and which volume it is. Blank is unknown; ``acquired`` is ISO 8601 local time of the scanner.

    ``patient_name`` is dropped when a volume is kept, unless a setting keeps it.
    """

    subject: str = ""
    label: str = ""
    modality: str = ""
    acquired: str = ""
    series_uid: str = ""
    study_uid: str = ""
    frame_of_reference_uid: str = ""
    patient_name: str = ""
    scanner: str = ""


@dataclass(frozen=True, eq=False)
class Volume:
    """Three-dimensional voxels in (z, y, x) order, real numbers in this machine's byte order.

    ``spacing`` is mm between voxels as (z, y, x), or None if the file does not tell. ``unit`` is that of the
    values (HU, Bq/ml), or None. ``orientation`` names the sides to which x, y and z grow, "LPS" (left,
    posterior, superior), or None if the file does not tell: pictures then show the rows as stored, with the
    last slice on top. ``affine`` is 4 x 4 and takes a voxel's index (x, y, z, 1) to the mm of its centre in the
    scanner's LPS; None if the file does not tell. ``warnings`` are sentences for people.
    """

    array: np.ndarray
    source: str
    spacing: tuple[float, float, float] | None = None
    unit: str | None = None
    orientation: str | None = None
    affine: np.ndarray | None = None
    about: About = About()
    suv: Suv | NotSuv | None = None
    warnings: tuple[str, ...] = ()

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
