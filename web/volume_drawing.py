"""Planes of a kept volume as PNG, for browsers without script. Whoever imports this pays for numpy and Pillow.

Axial planes are drawn from their own chunk, the others from the preview: those would need every chunk. Planes are
seen as radiologists see them: axial from the feet with the front on top, coronal from the front, sagittal from the
left; the head is up. A pixel is as wide as it is high, in millimetres.
"""

import gzip
import json
from functools import cache
from io import BytesIO
from pathlib import Path

import numpy as np
from PIL import Image

from ledger.volume_files import CHUNK_SLICES, PREVIEW, chunk_name
from web.volume_folder import Kept

SIDE = 512  # pixels along the longer side of a picture
PALETTES = Path(__file__).parent / "static" / "volume" / "palettes.json"
AXES = {"axial": (1, 0), "coronal": (2, 0), "sagittal": (2, 1)}
"""Of each plane, the axes of (x, y, z) that run down and across the picture."""


def plane(volume: Kept, plane: str, index: int, low: float, high: float) -> bytes:
    pixels = _axial(volume, index) if plane == "axial" else _of_preview(volume, plane, index)[::-1]
    image = Image.fromarray(grey(pixels, low, high)).resize(_size(volume, plane), Image.Resampling.BICUBIC)
    file = BytesIO()
    _coloured(image, volume.sidecar.get("colour_map") or "grey").save(file, "PNG")
    return file.getvalue()


def _axial(volume: Kept, index: int) -> np.ndarray:
    chunk, slice_ = divmod(index, CHUNK_SLICES)
    x, y, _ = volume.shape
    return _voxels(volume, chunk_name(chunk)).reshape(-1, y, x)[slice_]


def _of_preview(volume: Kept, plane: str, index: int) -> np.ndarray:
    facts = volume.sidecar["preview"]
    voxels = _voxels(volume, PREVIEW).reshape(facts["shape_xyz"][::-1])
    across = "xyz".index("y" if plane == "coronal" else "x")
    return voxels.take(index // facts["factor_xyz"][across], 2 - across)


def _voxels(volume: Kept, part: str) -> np.ndarray:
    dtype = np.dtype(volume.sidecar["dtype"]).newbyteorder("<")
    return np.frombuffer(gzip.decompress((volume.folder / part).read_bytes()), dtype)


def grey(pixels: np.ndarray, low: float, high: float) -> np.ndarray:
    """0 to 255; what lies outside the window is black or white, and NaN is black."""
    with np.errstate(all="ignore"):
        share = (pixels.astype(np.float64) - low) / (high - low)
    return np.rint(np.clip(np.nan_to_num(share), 0, 1) * 255).astype(np.uint8)


def _size(volume: Kept, plane: str) -> tuple[int, int]:
    """Width and height in pixels."""
    down, across = (volume.shape[axis] * volume.spacing[axis] for axis in AXES[plane])
    scale = SIDE / max(down, across)
    return max(1, round(across * scale)), max(1, round(down * scale))


def _coloured(image: Image.Image, name: str) -> Image.Image:
    if name == "grey-inverted":
        return image.point(lambda level: 255 - level)
    if name in palettes():
        image.putpalette([level for colour in palettes()[name] for level in colour])
    return image


@cache
def palettes() -> dict[str, list[list[int]]]:
    return json.loads(PALETTES.read_text())["palettes"]
