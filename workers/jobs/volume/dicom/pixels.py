"""Stored pixels to numbers: unpacked by imagecodecs, bits that do not count removed, signs made right."""

import imagecodecs
import numpy as np

from workers.jobs.volume.dicom import codestream
from workers.jobs.volume.dicom.codestream import Picture
from workers.jobs.volume.dicom.layout import Layout
from workers.jobs.volume.errors import DamagedFile

_DECODERS = {
    "jpeg": imagecodecs.jpeg_decode,
    "jpegls": imagecodecs.jpegls_decode,
    "jpeg2000": imagecodecs.jpeg2k_decode,
    "htj2k": imagecodecs.htj2k_decode,
}


def numbers(stored: np.ndarray, layout: Layout) -> np.ndarray:
    """The numbers in ``stored`` (this machine's byte order), in place: bits above and below them hold overlays."""
    above = 8 * stored.dtype.itemsize - 1 - layout.high
    return _shifted(stored, above, above + layout.high + 1 - layout.stored)


def _shifted(stored: np.ndarray, left: int, right: int) -> np.ndarray:
    """To the left and back again, which extends the sign of what is signed."""
    if left:
        np.left_shift(stored, left, out=stored)
    if right:
        np.right_shift(stored, right, out=stored)
    return stored


def unpacked(data: bytes, layout: Layout, name: str) -> np.ndarray:
    """The numbers of one packed frame, (rows, columns), in the dtype of ``layout``. Raises DamagedFile."""
    try:
        return _rle(data, layout) if layout.codec == "rle" else _decoded(data, layout, name)
    except (DamagedFile, MemoryError):
        raise
    # Every codec has its own errors for data that it does not like.
    except Exception as error:
        raise DamagedFile(name, f"its packed pixels are damaged ({error})") from error


def _rle(data: bytes, layout: Layout) -> np.ndarray:
    flat = np.frombuffer(imagecodecs.dicomrle_decode(data, layout.dtype.str), layout.dtype)
    return numbers(flat[: layout.rows * layout.columns].reshape(layout.rows, layout.columns).copy(), layout)


def _decoded(data: bytes, layout: Layout, name: str) -> np.ndarray:
    """Only if the picture's own header agrees: a decoder takes the memory that this one claims."""
    picture = codestream.described(data)
    if picture is None:
        raise DamagedFile(name, "its packed pixels do not begin as their transfer syntax says")
    found = (picture.rows, picture.columns, picture.components, picture.bits <= 8 * layout.dtype.itemsize)
    if found != (layout.rows, layout.columns, 1, True):
        raise DamagedFile(name, _disagreement(picture, layout))
    decoded = _DECODERS[layout.codec](data)
    if decoded.shape != (layout.rows, layout.columns):
        raise DamagedFile(name, "its packed pixels unpack to another picture than they say")
    return _signed(decoded, picture, layout)


def _disagreement(picture: Picture, layout: Layout) -> str:
    found = f"{picture.columns} x {picture.rows} pixels of {picture.bits} bits and {picture.components} component(s)"
    wanted = f"{layout.columns} x {layout.rows} of at most {8 * layout.dtype.itemsize} bits"
    return f"its packed picture has {found}, but its header says {wanted}"


def _signed(decoded: np.ndarray, picture: Picture, layout: Layout) -> np.ndarray:
    """As the header says: where the codestream says otherwise, its bits mean what the header says.

    Most codecs do not know signs and give signed numbers of fewer bits than the dtype as large positive ones.
    """
    wanted = layout.dtype.newbyteorder("=")
    same = decoded.dtype.itemsize == wanted.itemsize
    array = decoded.view(wanted) if same else decoded.astype(wanted)
    unused = 8 * wanted.itemsize - picture.bits
    return array if picture.signed == (wanted.kind == "i") else _shifted(array, unused, unused)
