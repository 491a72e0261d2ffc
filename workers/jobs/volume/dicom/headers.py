"""The header of one DICOM file, read without its pixels, and where these are. pydicom reads, within limits.

Only the first HEAD bytes are unpacked; more of them, and at most LARGEST, if the header goes on. A data set
that is deflated (a "bomb" of which adds a thousand times its size) is inflated by us, as far as is needed.
"""

import struct
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from io import BytesIO
from warnings import catch_warnings, simplefilter

from pydicom.dataset import Dataset
from pydicom.filereader import read_dataset, read_partial, read_preamble

from workers.jobs.volume.dicom import elements, streams
from workers.jobs.volume.dicom.archive import Member
from workers.jobs.volume.dicom.streams import Inflating, Stream
from workers.jobs.volume.errors import DamagedFile

HEAD = 32 * 1024
LARGEST = 64 * 2**20
DEFLATED = "1.2.840.10008.1.2.1.99"
IMPLICIT, EXPLICIT, BIG = "1.2.840.10008.1.2", "1.2.840.10008.1.2.1", "1.2.840.10008.1.2.2"
UNDEFINED = 0xFFFFFFFF
_PIXELS = {0x7FE00010: "integer", 0x7FE00008: "float32", 0x7FE00009: "float64"}
_WIDE = {b"OB", b"OW", b"OF", b"OD", b"OL", b"OV", b"UN", b"UC", b"UR", b"UT", b"SQ", b"SV", b"UV"}
_ARCHIVES = (b"PK\x03\x04", b"\x1f\x8b\x08", b"7z\xbc\xaf\x27\x1c", b"Rar!", b"BZh", b"\xfd7zXZ\0")


class LeftAside(Exception):
    """Raised for a file that is no picture to be stacked; ``kind`` is one of ``aside.KINDS``."""

    def __init__(self, kind: str) -> None:
        super().__init__(kind)
        self.kind = kind


@dataclass(frozen=True, slots=True)
class Element:
    """Where the pixel data stands: ``offset`` of its first byte, in the data set that begins at ``base``."""

    kind: str
    base: int
    offset: int
    length: int | None
    deflated: bool

    @contextmanager
    def opened(self, member: Member) -> Iterator[Stream]:
        """The member's bytes from the first pixel on."""
        with member.opened() as stream:
            stream.skip(self.base)
            inner = Inflating(stream, member.name) if self.deflated else stream
            inner.skip(self.offset)
            yield inner


@dataclass(frozen=True)
class Header:
    """What a file says of its picture. ``syntax`` is the transfer syntax by which the pixels are stored."""

    member: Member
    dataset: Dataset
    syntax: str
    pixels: Element


def read(member: Member, tags: list[int] | None = None) -> Header:
    """The header of a picture, of these elements only if ``tags`` are given. Raises LeftAside or DamagedFile."""
    if not member.size:
        raise LeftAside("empty")
    length = HEAD
    while True:
        with member.opened() as stream:
            head = streams.up_to(stream, min(length, member.size))
        _refuse_foreign(head)
        found = _read(member, head, length, tags)
        if found:
            return found
        length *= 8
        if length // 8 >= min(member.size if not _is_deflated(head) else LARGEST, LARGEST):
            raise _without_pixels(member, head)


def _refuse_foreign(head: bytes) -> None:
    """What does not begin like DICOM is not handed to a parser that finds something in anything."""
    if head[128:132] == b"DICM" or head[:2] in (b"\x08\0", b"\x02\0") or head[:2] == b"\0\x08":
        return
    archive = head.startswith(_ARCHIVES) or head[257:262] == b"ustar"
    raise LeftAside("archive" if archive else "foreign")


def _read(member: Member, head: bytes, length: int, tags: list[int] | None) -> Header | None:
    """None if the bytes end before the pixels."""
    base = _deflated_from(head)
    data = _inflated(member, base, min(length, LARGEST)) if base else head
    file, stop = BytesIO(data), _Stop()
    dataset = _parsed(member, file, stop, tags)
    if stop.tag is None:
        return None
    if stop.tag not in _PIXELS:
        raise _without_pixels(member, head, dataset)
    implicit, little = dataset.original_encoding
    offset, size = _value(data, file.tell(), implicit, little)
    pixels = Element(_PIXELS[stop.tag], base, offset, None if size == UNDEFINED else size, bool(base))
    syntax = str(dataset.file_meta.get("TransferSyntaxUID") or "") if not base else EXPLICIT
    return Header(member, dataset, syntax or (IMPLICIT if implicit else EXPLICIT if little else BIG), pixels)


class _Stop:
    """Ends pydicom's reading at the pixels, or where they would have stood, and remembers where that was."""

    tag: int | None = None

    def __call__(self, tag: int, vr: str | None, length: int) -> bool:
        if tag < 0x7FE00008:
            return False
        self.tag = int(tag)
        return True


def _parsed(member: Member, file: BytesIO, stop: _Stop, tags: list[int] | None) -> Dataset:
    try:
        with catch_warnings():
            simplefilter("ignore")
            return read_partial(file, stop_when=stop, force=True, specific_tags=tags)
    # pydicom parses what anybody may have written; whatever it raises, the header is no good.
    except Exception as error:
        if isinstance(error, MemoryError):
            raise
        raise DamagedFile(member.name, f"its DICOM header makes no sense ({error or type(error).__name__})") from error


def _is_deflated(head: bytes) -> bool:
    return DEFLATED.encode() in head[:2048]


def _deflated_from(head: bytes) -> int:
    """Where a deflated data set begins, 0 if it is not deflated."""
    if not _is_deflated(head):
        return 0
    file = BytesIO(head)
    read_preamble(file, force=True)
    meta = read_dataset(file, False, True, stop_when=lambda tag, vr, length: tag.group != 2)
    return file.tell() if meta.get("TransferSyntaxUID") == DEFLATED else 0


def _inflated(member: Member, base: int, length: int) -> bytes:
    with member.opened() as stream:
        stream.skip(base)
        return streams.up_to(Inflating(stream, member.name), length)


def _value(data: bytes, at: int, implicit: bool, little: bool) -> tuple[int, int]:
    """Where the value of the element at ``at`` begins, and how long it says to be."""
    order = "<" if little else ">"
    if implicit:
        return at + 8, struct.unpack_from(f"{order}L", data, at + 4)[0]
    if data[at + 4 : at + 6] in _WIDE:
        return at + 12, struct.unpack_from(f"{order}L", data, at + 8)[0]
    return at + 8, struct.unpack_from(f"{order}H", data, at + 6)[0]


def _without_pixels(member: Member, head: bytes, dataset: Dataset | None = None) -> Exception:
    """A file of another kind is left aside; a picture that is cut off within its header is damaged."""
    if dataset is None:
        dataset = _parsed(member, BytesIO(head if not _is_deflated(head) else b""), _Stop(), [0x00080016, 0x00280010])
    kind = elements.text(dataset, "SOPClassUID") or elements.text(dataset.file_meta, "MediaStorageSOPClassUID")
    if kind == "1.2.840.10008.1.3.10":
        return LeftAside("index")
    if elements.whole(dataset, "Rows"):
        return DamagedFile(member.name, "it ends before its picture begins")
    return LeftAside("other" if kind or head[128:132] == b"DICM" else "foreign")
