"""What a packed picture says of itself, read from its own header before anything is unpacked."""

import struct
from dataclasses import dataclass

#: Start of frame, of every kind of JPEG; 0xF7 is that of JPEG-LS.
_FRAMES = {*range(0xC0, 0xD0)} - {0xC4, 0xC8, 0xCC} | {0xF7}
_ALONE = {0x01, 0xFF, *range(0xD0, 0xD9)}


@dataclass(frozen=True)
class Picture:
    """``bits`` of precision; ``signed`` only JPEG 2000 knows of."""

    rows: int
    columns: int
    components: int
    bits: int
    signed: bool = False


def described(data: bytes) -> Picture | None:
    """The picture in a JPEG, JPEG-LS or JPEG 2000 codestream, or None if it is none."""
    if data[:4] == b"\xff\x4f\xff\x51":
        return _jpeg_2000(data, 0)
    if data[4:8] == b"jP  ":
        at = data.find(b"\xff\x4f\xff\x51")
        return _jpeg_2000(data, at) if at > 0 else None
    return _jpeg(data) if data[:2] == b"\xff\xd8" else None


def _jpeg_2000(data: bytes, at: int) -> Picture | None:
    if len(data) < at + 43:
        return None
    right, bottom, left, top = struct.unpack_from(">4L", data, at + 8)
    components, depth = struct.unpack_from(">HB", data, at + 40)
    return Picture(bottom - top, right - left, components, (depth & 0x7F) + 1, bool(depth & 0x80))


def _jpeg(data: bytes) -> Picture | None:
    at = 2
    while at + 4 <= len(data):
        if data[at] != 0xFF:
            return None
        marker = data[at + 1]
        if marker in _ALONE:
            at += 1 if marker == 0xFF else 2
            continue
        if marker in _FRAMES and at + 10 <= len(data):
            bits, rows, columns, components = struct.unpack_from(">BHHB", data, at + 4)
            return Picture(rows, columns, components, bits)
        at += 2 + struct.unpack_from(">H", data, at + 2)[0]
    return None
