"""The rotating maximum intensity projection: MIP_FRAMES pictures around the long axis, from the front first.

A pixel is the maximum of the voxels whose centre falls into its column when the volume is turned: no voxel is
left out of any frame, and nothing is interpolated. The camera goes from the front over the patient's left (a
quarter on) and the back; from the other side the same columns are seen in reverse, so half the frames are
mirrored ones.
"""

from dataclasses import dataclass
from itertools import pairwise
from math import ceil, cos, hypot, pi, sin

import numpy as np

from ledger.volume_files import MIP_FRAMES
from workers.jobs.volume import blocks
from workers.jobs.volume.blocks import Factors
from workers.jobs.volume.kept import Kept
from workers.jobs.volume.pictures import Window
from workers.jobs.volume.threads import side_by_side

#: Longer axes are made shorter first, by maxima.
LONGEST = (512, 256, 256)


@dataclass(frozen=True, eq=False)
class Mip:
    """Frames (frame, row, column) of uint8, 0 and 255 being ``window``; row 0 is the highest slice."""

    frames: np.ndarray
    pixel_mm: tuple[float, float]
    window: Window

    def plain(self) -> dict:
        """JSON-serialisable."""
        count, height, width = self.frames.shape
        size = {"frames": count, "width": width, "height": height, "pixel_mm": list(self.pixel_mm)}
        return size | {"low": self.window.low, "high": self.window.high}


def rotating(kept: Kept, spacing: tuple[float, float, float], window: Window) -> Mip:
    """The projections of a volume with this spacing (z, y, x) in mm."""
    by = blocks.factors(kept.shape, LONGEST)
    columns = _columns(kept, by, window)
    z, y, x = np.multiply(spacing, by).tolist()
    ys, xs = (_centres(kept.shape[axis], by[axis], spacing[axis]) for axis in (1, 2))
    places = np.tile(xs, len(ys)), np.repeat(ys, len(xs))
    return Mip(turned(columns.reshape(len(places[0]), -1), *places, max(x, y)), (max(x, y), z), window)


def turned(columns: np.ndarray, x: np.ndarray, y: np.ndarray, pixel: float) -> np.ndarray:
    """The frames of columns (place, z) that stand at ``x`` and ``y`` mm from the axis; pixels are so many mm."""
    half = MIP_FRAMES // 2
    width = 2 * ceil(hypot(np.abs(x).max(), np.abs(y).max()) / pixel) + 1
    frames = np.zeros((MIP_FRAMES, columns.shape[1], width), np.uint8)
    lit = np.flatnonzero(columns.max(axis=1))
    x, y = x[lit] / pixel, y[lit] / pixel

    def draw(frame: int) -> None:
        angle = 2 * pi * frame / MIP_FRAMES
        _draw(frames[frame], columns, lit, _nearest(x * cos(angle) + y * sin(angle)) + width // 2)
        frames[frame + half] = frames[frame][:, ::-1]

    for _ in side_by_side(draw, range(half)):
        pass
    return frames


def _nearest(places: np.ndarray) -> np.ndarray:
    """Halves go up all alike, also those that rounding errors moved: else pixels between them stayed empty."""
    return np.floor(places + (0.5 + 1e-6)).astype(np.int16)


def _draw(frame: np.ndarray, columns: np.ndarray, lit: np.ndarray, places: np.ndarray) -> None:
    """The maximum of the lit columns that fall into each place, drawn there from the top down."""
    order = lit[np.argsort(places, kind="stable")]
    ends = np.bincount(places, minlength=frame.shape[1]).cumsum()
    drawn = np.zeros(frame.shape[::-1], np.uint8)
    for place, (start, end) in enumerate(pairwise([0, *ends.tolist()])):
        if start < end:
            np.maximum.reduce(columns.take(order[start:end], axis=0), axis=0, out=drawn[place])
    frame[...] = drawn.T[::-1]


def _centres(length: int, factor: int, spacing: float) -> np.ndarray:
    """Where blocks of voxels along an axis lie, in mm from its middle; the last may reach beyond its end."""
    return (np.arange(0, length, factor) + (factor - 1) / 2 - (length - 1) / 2) * spacing


def _columns(kept: Kept, by: Factors, window: Window) -> np.ndarray:
    """The volume as bytes, (y, x, z): the columns that turn are then rows of memory."""
    z, y, x = (ceil(length / factor) for length, factor in zip(kept.shape, by, strict=True))
    columns = np.empty((y, x, z), np.uint8)

    def fill(start: int) -> None:
        grey = _grey(blocks.joined(kept.stack(start), by, np.fmax, kept.dtype), window)
        first = start // by[0]
        columns[:, :, first : first + len(grey)] = grey.transpose(1, 2, 0)

    for _ in side_by_side(fill, kept.starts()):
        pass
    return columns


def _grey(values: np.ndarray, window: Window) -> np.ndarray:
    """0 to 255. NaN is black."""
    with np.errstate(all="ignore"):
        grey = (values - np.float32(window.low)) * np.float32(255 / (window.high - window.low))
        return np.rint(np.fmin(np.fmax(grey, 0), 255)).astype(np.uint8)
