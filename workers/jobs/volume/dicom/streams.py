"""Bytes that are read forwards, once, and never more of them than asked for. No formats are known here."""

from typing import BinaryIO, Protocol

from isal import isal_zlib

from workers.jobs.volume.errors import DamagedFile

PIECE, PACKED_PIECE = 256 * 1024, 32 * 1024


class Stream(Protocol):
    """What members of archives and files are read by."""

    def readinto(self, view: memoryview) -> int:
        """Fill the beginning of ``view``; 0 at the end. Raises DamagedFile."""

    def skip(self, count: int) -> None:
        """Go ahead, perhaps past the end."""

    def close(self) -> None:
        """Let go of the file."""


class Window:
    """A part of an open file, which it closes."""

    def __init__(self, file: BinaryIO, start: int, size: int) -> None:
        self._file = file
        self._file.seek(start)
        self._left = size

    def readinto(self, view: memoryview) -> int:
        got = self._file.readinto(view[: self._left])
        self._left -= got
        return got

    def skip(self, count: int) -> None:
        self._file.seek(min(count, self._left), 1)
        self._left -= min(count, self._left)

    def close(self) -> None:
        self._file.close()


class Inflating:
    """Raw deflate data, unpacked as far as it is read."""

    def __init__(self, packed: Stream, name: str) -> None:
        self._packed, self._name = packed, name
        self._inflate = isal_zlib.decompressobj(wbits=-15)
        self._pending = b""

    def readinto(self, view: memoryview) -> int:
        done = 0
        while done < len(view):
            piece = self._next(len(view) - done)
            if not piece:
                break
            view[done : done + len(piece)] = piece
            done += len(piece)
        return done

    def _next(self, most: int) -> bytes:
        while not self._inflate.eof:
            self._pending = self._pending or up_to(self._packed, PACKED_PIECE)
            try:
                data = self._inflate.decompress(self._pending, min(most, PIECE))
            except isal_zlib.error as error:
                raise DamagedFile(self._name, f"its packed data is damaged ({error})") from error
            ended = not self._pending and not data
            self._pending = self._inflate.unconsumed_tail
            if data:
                return data
            if ended:
                raise DamagedFile(self._name, "its packed data ends too early")
        return b""

    def skip(self, count: int) -> None:
        read_over(self, count)

    def close(self) -> None:
        self._packed.close()


class Promised:
    """A stream that has to hold exactly ``size`` bytes of this checksum, as an archive's index says.

    Whatever lies beyond is not read. Raises DamagedFile where the promise is broken.
    """

    def __init__(self, stream: Stream, name: str, size: int, checksum: int) -> None:
        self._stream, self._name = stream, name
        self._left, self._checksum = size, checksum
        self._found = 0

    def readinto(self, view: memoryview) -> int:
        view = view[: self._left]
        got = self._stream.readinto(view) if len(view) else 0
        if not got and len(view):
            raise DamagedFile(self._name, f"{self._left:,} bytes fewer are there than the archive's index says")
        self._found = isal_zlib.crc32(view[:got], self._found)
        self._left -= got
        if not self._left and got:
            self._check()
        return got

    def _check(self) -> None:
        if self._found != self._checksum:
            raise DamagedFile(self._name, "its checksum is wrong")
        if self._stream.readinto(memoryview(bytearray(1))):
            raise DamagedFile(self._name, "it holds more bytes than the archive's index says")

    def skip(self, count: int) -> None:
        read_over(self, count)

    def close(self) -> None:
        self._stream.close()


def read_over(stream: Stream, count: int) -> None:
    """Skip by reading, as what is packed or checked must be."""
    buffer = memoryview(bytearray(min(count, PIECE)))
    while count > 0:
        got = stream.readinto(buffer[: min(count, PIECE)])
        if not got:
            return
        count -= got


def fill(stream: Stream, view: memoryview) -> int:
    """Read until ``view`` is full or the stream ends; how many bytes there were."""
    done = 0
    while done < len(view):
        got = stream.readinto(view[done:])
        if not got:
            break
        done += got
    return done


def up_to(stream: Stream, count: int) -> bytes:
    """The next ``count`` bytes, fewer at the end."""
    buffer = bytearray(count)
    view = memoryview(buffer)
    return bytes(view[: fill(stream, view)])
