"""numpy's own files (.npy), as arrays in (z, y, x) order. Pickled objects are refused unread."""

from math import prod

import numpy as np
from numpy.lib import format as npy_format

from workers.jobs.volume import payload
from workers.jobs.volume.errors import DamagedFile
from workers.jobs.volume.source import Source
from workers.jobs.volume.volume import Volume, real_number, three_axes

MAGIC = npy_format.MAGIC_PREFIX
# Version 3.0 differs only in the names of record fields, and records are no voxels.
_HEADERS = {(1, 0): npy_format.read_array_header_1_0, (2, 0): npy_format.read_array_header_2_0}


def read(source: Source, progress: payload.Progress) -> Volume:
    """The volume of a .npy file in C or Fortran order. Raises VolumeError; see also ``payload.read``."""
    stored, fortran, dtype, offset = header(source)
    readable = real_number(source.name, dtype)
    lengths = three_axes(source.name, stored, stored)
    voxels = payload.read(source, readable, prod(lengths), offset, progress)
    order = "F" if fortran else "C"
    return Volume(voxels.reshape(lengths, order=order), f"numpy {dtype.name}, {order} order")


def header(source: Source) -> tuple[tuple[int, ...], bool, np.dtype, int]:
    """Lengths as they are stored, whether in Fortran order, the dtype, and where the voxels begin."""
    with source.opened() as file:
        try:
            version = npy_format.read_magic(file)
            return *_HEADERS[version](file), file.tell()
        # numpy takes the header apart with several of Python's parsers; whatever they raise, it is no good.
        except Exception as error:
            raise DamagedFile(source.name, f"its numpy header makes no sense ({error})") from error
