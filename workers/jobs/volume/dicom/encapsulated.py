"""Packed pixel data in fragments (PS3.5, A.4), as the bytes of one frame after the other."""

import struct
from collections.abc import Iterator

from workers.jobs.volume.dicom import streams
from workers.jobs.volume.dicom.streams import Stream
from workers.jobs.volume.errors import DamagedFile

_ITEM, _END = 0xE000, 0xE0DD
# A packed frame is never much larger than the frame itself.
_SLACK = 2**20


def frames(stream: Stream, count: int, frame_bytes: int, name: str) -> Iterator[bytes]:
    """The packed frames in order, ``count`` at most. Raises DamagedFile where the fragments make no sense."""
    offsets = _offsets(_fragment(stream, name, 4 * frame_bytes + _SLACK) or b"")
    fragments = _fragments(stream, name, 4 * frame_bytes + _SLACK)
    if count == 1:
        yield b"".join(_limited(fragments, 4 * frame_bytes + _SLACK, name))
    else:
        yield from _told_apart(fragments, offsets if len(offsets) == count else ())


def _offsets(table: bytes) -> tuple[int, ...]:
    return struct.unpack(f"<{len(table) // 4}L", table[: len(table) // 4 * 4])


def _fragments(stream: Stream, name: str, most: int) -> Iterator[bytes]:
    while (fragment := _fragment(stream, name, most)) is not None:
        yield fragment


def _fragment(stream: Stream, name: str, most: int) -> bytes | None:
    """The next one, None at the end; a file that lacks the end mark but has its pixels is taken."""
    head = streams.up_to(stream, 8)
    if len(head) < 8:
        return None
    group, element, length = struct.unpack("<HHL", head)
    if group != 0xFFFE or element not in (_ITEM, _END):
        raise DamagedFile(name, "its packed pixels are not in fragments")
    if element == _END:
        return None
    if length > most:
        raise DamagedFile(name, f"a packed frame claims {length:,} bytes")
    data = streams.up_to(stream, length)
    if len(data) < length:
        raise DamagedFile(name, f"its packed pixels end after {len(data):,} of {length:,} bytes")
    return data


def _limited(fragments: Iterator[bytes], most: int, name: str) -> Iterator[bytes]:
    for fragment in fragments:
        most -= len(fragment)
        if most < 0:
            raise DamagedFile(name, "a packed frame is larger than the picture")
        yield fragment


def _told_apart(fragments: Iterator[bytes], offsets: tuple[int, ...]) -> Iterator[bytes]:
    """By the table of offsets if there is one; else a frame begins where a fragment begins as the first did."""
    parts: list[bytes] = []
    signature, at = None, 0
    for fragment in fragments:
        signature = signature or fragment[:2]
        begins = at in offsets if offsets else fragment[:2] == signature
        if begins and parts:
            yield b"".join(parts)
            parts.clear()
        parts.append(fragment)
        at += 8 + len(fragment)
    if parts:
        yield b"".join(parts)
