"""numpy's archives (.npz): the one array of three axes in it, read as the .npy that it is there."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from io import RawIOBase
from typing import BinaryIO

from workers.jobs.volume import npy, payload
from workers.jobs.volume.dicom import archive, zipped
from workers.jobs.volume.dicom.archive import Limits, Member
from workers.jobs.volume.dicom.streams import Stream
from workers.jobs.volume.errors import NotOneArray, VolumeError
from workers.jobs.volume.source import Source
from workers.jobs.volume.volume import Volume

ENDING = ".npy"
LIMITS = Limits(files=1000, one=payload.LARGEST)


def is_one(source: Source, head: bytes) -> bool:
    """Whether it is a zip archive of nothing but .npy files."""
    if not head.startswith(zipped.BEGINS):
        return False
    try:
        names = [entry.name for entry in zipped.entries(source, LIMITS.files)]
    except VolumeError:  # whoever reads archives of other things says what is wrong
        return False
    return bool(names) and all(name.endswith(ENDING) for name in names)


def read(source: Source, progress: payload.Progress) -> Volume:
    """The volume of an archive. Raises NotOneArray, or VolumeError as ``npy.read`` does."""
    arrays = [_Array(member.path, member.name, member=member) for member in archive.members([source], LIMITS)]
    shapes = [npy.header(array)[0] for array in arrays]
    fitting = [array for array, shape in zip(arrays, shapes, strict=True) if len(shape) == 3]
    if len(fitting) != 1:
        named = zip(arrays, shapes, strict=True)
        raise NotOneArray(source.name, tuple(f"“{array.key}” ({_lengths(shape)})" for array, shape in named))
    return npy.read(fitting[0], progress)


def _lengths(stored: tuple[int, ...]) -> str:
    return " x ".join(map(str, stored)) or "a single value"


@dataclass(frozen=True)
class _Array(Source):
    """One .npy inside of an archive, as if it were a file."""

    member: Member | None = None

    @property
    def key(self) -> str:
        return self.name.removesuffix(ENDING)

    @property
    def size(self) -> int:
        return self.member.size

    @property
    def packed(self) -> bool:
        return False

    @contextmanager
    def opened(self) -> Iterator[BinaryIO]:
        with self.member.opened() as stream:
            yield _Forwards(stream)


class _Forwards(RawIOBase):
    """A stream as a file that cannot go back."""

    def __init__(self, stream: Stream) -> None:
        self._stream, self._at = stream, 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:
        got = self._stream.readinto(memoryview(buffer))
        self._at += got
        return got

    def tell(self) -> int:
        return self._at

    def seek(self, offset: int, whence: int = 0) -> int:
        self._stream.skip(offset - self._at)
        self._at = offset
        return offset
