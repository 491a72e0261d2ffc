"""Three middle slices side by side, as one small picture: of a kept volume in a list, of a guess at a raw file."""

from io import BytesIO

import numpy as np
from PIL import Image

from workers.jobs.volume.pictures import Window, grey

SIDE, GAP = 160, 4


def strip(cuts: list[np.ndarray], proportions: tuple[float, float, float], window: Window, inverted: bool) -> bytes:
    """Axial, coronal and sagittal cuts, heads up, as PNG: each fits into SIDE, at one scale for the three."""
    extents = [np.multiply(cut.shape, np.delete(proportions, axis)) for axis, cut in enumerate(cuts)]
    scale = SIDE / max(map(max, extents))
    images = [_drawn(cut, extent * scale, window, inverted) for cut, extent in zip(cuts, extents, strict=True)]
    sheet = Image.new("L", (3 * SIDE + 2 * GAP, SIDE), 255 if inverted else 0)
    for index, image in enumerate(images):
        sheet.paste(image, (index * (SIDE + GAP) + (SIDE - image.width) // 2, (SIDE - image.height) // 2))
    file = BytesIO()
    sheet.save(file, "PNG")
    return file.getvalue()


def _drawn(cut: np.ndarray, size: np.ndarray, window: Window, inverted: bool) -> Image.Image:
    height, width = np.maximum(1, np.rint(size)).astype(int).tolist()
    pixels = grey(cut, window)
    return Image.fromarray(255 - pixels if inverted else pixels).resize((width, height), Image.Resampling.BICUBIC)


def middles(array: np.ndarray) -> list[np.ndarray]:
    """The three middle slices, as they are looked at."""
    axial, coronal, sagittal = (array.take(length // 2, axis) for axis, length in enumerate(array.shape))
    return [axial, coronal[::-1], sagittal[::-1]]
