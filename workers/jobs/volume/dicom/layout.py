"""How the pixels of a file are stored: their bits, their count, and by which transfer syntax."""

from dataclasses import dataclass

import numpy as np

from workers.jobs.volume.dicom import elements
from workers.jobs.volume.dicom.errors import UnreadablePixels
from workers.jobs.volume.dicom.headers import BIG, Element, Header
from workers.jobs.volume.errors import DamagedFile, VolumeError

_NATIVE = {"1.2.840.10008.1.2", "1.2.840.10008.1.2.1", BIG}
#: Transfer syntax to the codec that unpacks it.
CODECS = {
    "1.2.840.10008.1.2.5": "rle",
    "1.2.840.10008.1.2.4.50": "jpeg",
    "1.2.840.10008.1.2.4.51": "jpeg",
    "1.2.840.10008.1.2.4.57": "jpeg",
    "1.2.840.10008.1.2.4.70": "jpeg",
    "1.2.840.10008.1.2.4.80": "jpegls",
    "1.2.840.10008.1.2.4.81": "jpegls",
    "1.2.840.10008.1.2.4.90": "jpeg2000",
    "1.2.840.10008.1.2.4.91": "jpeg2000",
    "1.2.840.10008.1.2.4.201": "htj2k",
    "1.2.840.10008.1.2.4.202": "htj2k",
    "1.2.840.10008.1.2.4.203": "htj2k",
}
_MOST_SIDE, _MOST_FRAMES = 65535, 20_000
# Deflate packs at most 258 bytes into 2 bits.
_UNPACKED_AT_MOST = 1032
# Even pictures of nothing take a hundred bytes; what claims to be denser than this, and large, is none.
_PACKED_AT_MOST, _SMALL = 5000, 64 * 2**20


@dataclass(frozen=True, slots=True)
class Layout:
    """``dtype`` is that of one stored pixel, byte order included; ``stored`` of its bits hold the number, the
    highest of them ``high``. ``codec`` is None where the pixels are stored as they are."""

    element: Element
    rows: int
    columns: int
    frames: int
    dtype: np.dtype
    stored: int
    high: int
    codec: str | None

    @property
    def frame_bytes(self) -> int:
        """Of one frame, unpacked."""
        return self.rows * self.columns * self.dtype.itemsize

    @property
    def all_bits(self) -> bool:
        """Whether every bit of a stored pixel counts."""
        return self.stored == 8 * self.dtype.itemsize


def of(header: Header) -> Layout:
    """What the header says, once it is found possible. Raises DamagedFile or UnreadablePixels."""
    dataset, name = header.dataset, header.member.name
    rows, columns = elements.whole(dataset, "Rows"), elements.whole(dataset, "Columns")
    frames = max(1, elements.whole(dataset, "NumberOfFrames", 1))
    if not (0 < rows <= _MOST_SIDE and 0 < columns <= _MOST_SIDE and frames <= _MOST_FRAMES):
        raise DamagedFile(name, f"its header says {columns} x {rows} pixels in {frames:,} frames")
    dtype = _dtype(header)
    allocated = 8 * dtype.itemsize
    stored = elements.whole(dataset, "BitsStored", allocated) if dtype.kind != "f" else allocated
    high = elements.whole(dataset, "HighBit", stored - 1) if dtype.kind != "f" else allocated - 1
    if not 0 < stored <= high + 1 <= allocated:
        raise DamagedFile(name, f"its header says {stored} bits up to bit {high}, of {allocated}")
    return Layout(header.pixels, rows, columns, frames, dtype, stored, high, CODECS.get(header.syntax))


def _dtype(header: Header) -> np.dtype:
    order = ">" if header.syntax == BIG else "<"
    if header.pixels.kind != "integer":
        return np.dtype(header.pixels.kind).newbyteorder(order)
    bits = elements.whole(header.dataset, "BitsAllocated")
    if bits not in (8, 16, 32):
        raise UnreadablePixels(header.member.name, f"its pixels take {bits} bits; 8, 16 and 32 are read")
    kind = "i" if elements.whole(header.dataset, "PixelRepresentation") else "u"
    return np.dtype(f"{order}{kind}{bits // 8}")


def fault(header: Header, layout: Layout) -> VolumeError | None:
    """Why the pixels cannot be read, as far as the header and the file's size tell."""
    if layout.codec is None and header.syntax not in _NATIVE:
        return UnreadablePixels(header.member.name, f"its transfer syntax {header.syntax} is not known here")
    if layout.codec and layout.element.length is not None:
        return DamagedFile(header.member.name, "its pixels are packed, but not in fragments as they have to be")
    return _too_dense(header, layout) if layout.codec else _too_short(header, layout)


def _too_dense(header: Header, layout: Layout) -> DamagedFile | None:
    needed = layout.frames * layout.frame_bytes
    if needed <= max(_SMALL, _PACKED_AT_MOST * header.member.size):
        return None
    return DamagedFile(header.member.name, f"{needed:,} bytes of pixels cannot be packed into {header.member.size:,}")


def _too_short(header: Header, layout: Layout) -> DamagedFile | None:
    element, size = layout.element, header.member.size
    needed = layout.frames * layout.frame_bytes
    has = (size * _UNPACKED_AT_MOST if element.deflated else size) - element.base - element.offset
    if element.length is not None:
        has = min(has, element.length)
    if has >= needed:
        return None
    picture = f"{layout.columns} x {layout.rows} pixels" + (f" in {layout.frames} frames" if layout.frames > 1 else "")
    return DamagedFile(header.member.name, f"{picture} need {needed:,} bytes, but {max(0, has):,} are there")
