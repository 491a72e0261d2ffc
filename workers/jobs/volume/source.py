"""Where voxels come from: one file on disk, by the name that a person knows. No formats are known here."""

import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from isal import igzip, isal_zlib

from workers.jobs.volume.errors import DamagedFile

GZIP = b"\x1f\x8b\x08"


ENDINGS = (
    ".nii.gz", ".nii", ".zip", ".dcm", ".dicom", ".ima", ".npy", ".npz", ".nrrd", ".nhdr", ".mha", ".mhd",
    ".gz", ".raw",
)  # fmt: skip


def stem(name: str) -> str:
    """A file's name without the folders before it, and without what says its format."""
    name = name.rpartition("/")[2]
    ending = next((each for each in ENDINGS if name.lower().endswith(each) and len(name) > len(each)), "")
    return name[: len(name) - len(ending)]


@dataclass(frozen=True)
class Source:
    """A file (``path``), from byte ``begins`` on, and what it is called where it came from (``name``)."""

    path: Path
    name: str
    begins: int = 0

    @property
    def size(self) -> int:
        """Bytes on disk."""
        return self.path.stat().st_size - self.begins

    @property
    def packed(self) -> bool:
        """Whether it is gzip, by its first bytes."""
        with self._file() as file:
            return file.read(len(GZIP)) == GZIP

    def head(self, length: int) -> bytes:
        """The first bytes, unpacked; fewer than ``length`` if the file is shorter."""
        with self.opened() as file:
            return file.read(length)

    @contextmanager
    def opened(self) -> Iterator[BinaryIO]:
        """The file for reading; gzip is unpacked on the way. Raises DamagedFile where that fails."""
        try:
            with self._file() as file:
                yield igzip.IGzipFile(fileobj=file, mode="rb") if self.packed else file
        except (EOFError, zlib.error, isal_zlib.error, igzip.BadGzipFile) as error:
            raise DamagedFile(self.name, f"its gzip data is damaged ({error})") from error

    def _file(self) -> BinaryIO:
        file = self.path.open("rb", buffering=0)
        file.seek(self.begins)
        return file
