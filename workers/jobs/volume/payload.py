"""The bytes of the voxels, from a file into one array that is allocated once. Headers are read elsewhere.

Reading goes piece by piece so that it can report progress, and be ended by a progress function that raises.
"""

from collections.abc import Callable
from typing import BinaryIO

import numpy as np

from workers.jobs.volume.errors import DamagedFile, TooLarge
from workers.jobs.volume.source import Source

Progress = Callable[[int, int], None]
"""Called with bytes read so far and bytes in all."""

LARGEST = 8 * 2**30
PIECE = 8 * 2**20
# Deflate packs at most 258 bytes into 2 bits: no gzip file holds more than this many times its size.
UNPACKED_AT_MOST = 1032


def read(source: Source, dtype: np.dtype, count: int, offset: int, progress: Progress) -> np.ndarray:
    """``count`` items of ``dtype`` from byte ``offset`` on, as a flat array in this machine's byte order.

    Raises TooLarge if they take more than LARGEST bytes and DamagedFile if the file ends before them; both
    before the memory is touched, so a header may claim what it likes.
    """
    _refuse_what_cannot_be(source, offset, count * dtype.itemsize)
    data = np.empty(count * dtype.itemsize, np.uint8)
    with source.opened() as file:
        file.seek(offset)
        _fill(data, file, source, progress)
    return _native(data.view(dtype))


def _refuse_what_cannot_be(source: Source, offset: int, needed: int) -> None:
    holds_at_most = source.size * (UNPACKED_AT_MOST if source.packed else 1)
    if offset + needed > holds_at_most:
        packed = " packed" if source.packed else ""
        raise DamagedFile(source.name, _ends_early(offset + needed, f"has only {source.size:,}{packed}"))
    if offset + needed > LARGEST:
        raise TooLarge(source.name, needed, LARGEST)


def _fill(data: np.ndarray, file: BinaryIO, source: Source, progress: Progress) -> None:
    view, done = memoryview(data), 0
    while done < len(view):
        got = file.readinto(view[done : done + PIECE])
        if not got:
            raise DamagedFile(source.name, _ends_early(len(view), f"its data ends after {done:,}"))
        done += got
        progress(done, len(view))


def _ends_early(needed: int, has: str) -> str:
    return f"by its header it needs {needed:,} bytes, but {has}"


def _native(array: np.ndarray) -> np.ndarray:
    if array.dtype.isnative:
        return array
    return array.byteswap(inplace=True).view(array.dtype.newbyteorder("="))
