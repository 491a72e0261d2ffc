"""Pictures of a volume: middle slices and maximum intensity projections, as PNG. Charts are in ``chart.py``.

Planes are seen as radiologists see them: axial from the feet with the front on top, coronal from the front,
sagittal from the left side; the head is up. That is true for volumes in LPS; others are shown as if they
were.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from io import BytesIO

import numpy as np
from PIL import Image

from workers.jobs.volume.volume import Volume

PLANES = {"axial": 0, "coronal": 1, "sagittal": 2}
"""Each plane and the axis of (z, y, x) that it is cut across."""

LONGEST_SIDE = (512, 1024)
ROBUST = (1.0, 99.5)


@dataclass(frozen=True)
class Picture:
    """A file to look at and the words beside it."""

    name: str
    title: str
    data: bytes
    media_type: str = "image/png"


@dataclass(frozen=True)
class Window:
    """The values that become black and white."""

    low: float
    high: float

    def __str__(self) -> str:
        return f"black {self.low:,.5g}, white {self.high:,.5g}"


def slices(volume: Volume) -> Iterator[Picture]:
    """The three orthogonal middle slices, in one window: the 1st to the 99.5th percentile of them all."""
    middles = [length // 2 for length in volume.array.shape]
    cuts = [_upright(volume.array.take(middles[axis], axis), axis) for axis in PLANES.values()]
    window = robust(cuts)
    for (plane, axis), pixels in zip(PLANES.items(), cuts, strict=True):
        which = f"slice {middles[axis] + 1} of {volume.array.shape[axis]}"
        title = f"{plane.capitalize()} {which} ({window})"
        yield Picture(f"{plane}.png", title, _drawn(pixels, window, _size(volume, axis)))


def projections(volume: Volume) -> Iterator[Picture]:
    """The three maximum intensity projections, each from its lowest to its highest value."""
    return (projection(volume, plane) for plane in PLANES)


def projection(volume: Volume, plane: str) -> Picture:
    """The maximum intensity projection onto one of PLANES. NaN is no maximum."""
    axis = PLANES[plane]
    pixels = _upright(np.fmax.reduce(volume.array, axis=axis), axis)
    window = _whole_range(pixels)
    title = f"{plane.capitalize()} maximum intensity projection ({window})"
    return Picture(f"mip-{plane}.png", title, _drawn(pixels, window, _size(volume, axis)))


def _upright(pixels: np.ndarray, axis: int) -> np.ndarray:
    """Slices are counted from the feet, rows of a picture from the top."""
    return pixels if axis == 0 else pixels[::-1]


def robust(cuts: list[np.ndarray]) -> Window:
    """One window for them all, without the extremes."""
    values = np.concatenate([_finite(cut) for cut in cuts])
    window = Window(*np.percentile(values, ROBUST).tolist()) if values.size else Window(0.0, 0.0)
    return window if window.low < window.high else _whole_range(values)


def _whole_range(values: np.ndarray) -> Window:
    finite = _finite(values)
    return Window(float(finite.min()), float(finite.max())) if finite.size else Window(0.0, 0.0)


def _finite(values: np.ndarray) -> np.ndarray:
    return values[np.isfinite(values)].astype(np.float64)


def _drawn(pixels: np.ndarray, window: Window, size: tuple[int, int]) -> bytes:
    """As PNG of this width and height."""
    image = Image.fromarray(grey(pixels, window)).resize(size, Image.Resampling.BICUBIC)
    file = BytesIO()
    image.save(file, "PNG")
    return file.getvalue()


def grey(pixels: np.ndarray, window: Window) -> np.ndarray:
    """0 to 255; what lies outside the window is black or white, and NaN is black."""
    with np.errstate(all="ignore"):
        share = (pixels.astype(np.float64) - window.low) / (window.high - window.low)
    return np.rint(np.clip(np.nan_to_num(share), 0, 1) * 255).astype(np.uint8)


def _size(volume: Volume, axis: int) -> tuple[int, int]:
    """Width and height in pixels, at one scale for the volume: a millimetre is as long in each plane."""
    extents = np.multiply(volume.array.shape, volume.proportions)
    scale = np.clip(max(volume.array.shape), *LONGEST_SIDE) / extents.max()
    height, width = np.delete(np.maximum(1, np.rint(extents * scale)), axis)
    return int(width), int(height)
