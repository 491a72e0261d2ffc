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
LARGEST = 32 * 2**20
DEFLATED = "1.2.840.10008.1.2.1.99"
IMPLICIT, EXPLICIT, BIG = "1.2.840.10008.1.2", "1.2.840.10008.1.2.1", "1.2.840.10008.1.2.2"
#: Written like explicit little-endian, as all that is packed is; those in which a picture is its own stream are many.
_USUAL = {IMPLICIT, EXPLICIT, *(f"1.2.840.10008.1.2.4.{kind}" for kind in (50, 51, 57, 70, 80, 81, 90, 91))}
_INDEX = "1.2.840.10008.1.3.10"
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


@dataclass(frozen=True, slots=True)
class _Parsed:
    """What stands before the pixels; ``meta`` is about the file itself."""

    dataset: Dataset
    meta: Dataset


@dataclass(frozen=True)
class _Head:
    """The first bytes of a file; ``data`` is its data set, inflated if ``base`` says where that was deflated.

    ``whole`` is whether there is no more, or no more that will be read.
    """

    first: bytes
    base: int
    data: bytes
    whole: bool


def read(member: Member, tags: list[int] | None = None) -> Header:
    """The header of a picture, of these elements only if ``tags`` are given. Raises LeftAside or DamagedFile."""
    if not member.size:
        raise LeftAside("empty")
    length = HEAD
    while True:
        head = _head(member, min(length, LARGEST))
        found = _read_if_there(member, head, tags)
        if found:
            return found
        length *= 8


def _head(member: Member, length: int) -> _Head:
    with member.opened() as stream:
        first = streams.up_to(stream, min(length, member.size))
    _refuse_foreign(first)
    base = _deflated_from(member, first)
    data = _inflated(member, base, length) if base else first
    return _Head(first, base, data, len(data) < length or length >= LARGEST)


def is_marked(head: bytes) -> bool:
    """Whether a file that begins so has the mark of DICOM; very old ones lack it."""
    return head[128:132] == b"DICM"


def _refuse_foreign(head: bytes) -> None:
    """What does not begin like DICOM is not handed to a parser that finds something in anything."""
    if is_marked(head) or head[:2] in (b"\x08\0", b"\x02\0") or head[:2] == b"\0\x08":
        return
    archive = head.startswith(_ARCHIVES) or head[257:262] == b"ustar"
    raise LeftAside("archive" if archive else "foreign")


def _read_if_there(member: Member, head: _Head, tags: list[int] | None) -> Header | None:
    """None if the pixels, or the end of an element, may come later in the file."""
    file, stop = BytesIO(head.data), _Stop()
    try:
        parsed = _parsed(member, file, stop, tags)
    except DamagedFile:
        if head.whole:
            raise
        return None
    if stop.tag is None and not head.whole:
        return None
    if stop.tag is None and len(head.data) >= LARGEST:
        raise DamagedFile(member.name, f"its header goes on for more than {LARGEST:,} bytes")
    if stop.tag not in _PIXELS:
        raise _without_pixels(member, head.first, parsed)
    return _header(member, head, parsed, file.tell(), _PIXELS[stop.tag])


def _header(member: Member, head: _Head, parsed: _Parsed, at: int, kind: str) -> Header:
    implicit, little = parsed.dataset.original_encoding
    offset, size = _value(head.data, at, implicit, little)
    pixels = Element(kind, head.base, offset, None if size == UNDEFINED else size, bool(head.base))
    told = "" if head.base else elements.text(parsed.meta, "TransferSyntaxUID")
    return Header(member, parsed.dataset, told or (IMPLICIT if implicit else EXPLICIT if little else BIG), pixels)


class _Stop:
    """Ends pydicom's reading at the pixels, or where they would have stood, and remembers where that was."""

    tag: int | None = None

    def __call__(self, tag: int, vr: str | None, length: int) -> bool:
        # BaseTag compares by way of Python, int does not; this is asked for every element.
        if int(tag) < 0x7FE00008:
            return False
        self.tag = int(tag)
        return True


def _parsed(member: Member, file: BytesIO, stop: _Stop, tags: list[int] | None) -> _Parsed:
    with _parsing(member):
        if usual := _parsed_if_usual(file, stop, tags):
            return usual
        file.seek(0)
        found = read_partial(file, stop_when=stop, force=True, specific_tags=tags)
        return _Parsed(found, found.file_meta)


def _parsed_if_usual(file: BytesIO, stop: _Stop, tags: list[int] | None) -> _Parsed | None:
    """As ``read_partial`` reads a file by the rules, without the objects for writing that it makes: a fifth of the
    time, which is what few files with a quick codec are waiting for. None for any other file."""
    if not is_marked(file.getbuffer()[:132].tobytes()):
        return None
    file.seek(132)
    meta = read_dataset(file, False, True, stop_when=lambda tag, vr, length: tag.group != 2)
    syntax = elements.text(meta, "TransferSyntaxUID")
    if syntax not in _USUAL or file.getbuffer()[file.tell() : file.tell() + 2] == b"\0\0":
        return None
    return _Parsed(read_dataset(file, syntax == IMPLICIT, True, stop_when=stop, specific_tags=tags), meta)


@contextmanager
def _parsing(member: Member) -> Iterator[None]:
    """pydicom parses what anybody may have written; whatever it raises, the header is no good."""
    try:
        with catch_warnings():
            simplefilter("ignore")
            yield
    except MemoryError:
        raise
    except Exception as error:
        raise DamagedFile(member.name, f"its DICOM header makes no sense ({error or type(error).__name__})") from error


def _deflated_from(member: Member, head: bytes) -> int:
    """Where a deflated data set begins, 0 if it is not deflated."""
    if DEFLATED.encode() not in head[:2048]:
        return 0
    file = BytesIO(head)
    with _parsing(member):
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


def _without_pixels(member: Member, first: bytes, parsed: _Parsed) -> Exception:
    """A file of another kind is left aside; a picture that is cut off within its header is damaged."""
    dataset = parsed.dataset
    kind = elements.text(dataset, "SOPClassUID") or elements.text(parsed.meta, "MediaStorageSOPClassUID")
    if kind == _INDEX:
        return LeftAside("index")
    if elements.whole(dataset, "Rows"):
        return DamagedFile(member.name, "it ends before its picture begins")
    return LeftAside("other" if kind or is_marked(first) else "foreign")
