"""How a kept volume lies on disk: agreed between the worker that writes it and the site that serves it.

A volume is a folder, named by its id, below the volumes folder. It is written once and never changed:

``volume.json``        the sidecar: everything that is known, see docs/volumes.md
``full/0000.gz`` ...   voxels of CHUNK_SLICES axial slices each, the last of fewer: C order (z, y, x), little-endian
``preview.gz``         the whole volume again, made smaller by a whole number along each axis
``mip.gz``             MIP_FRAMES maximum intensity projections around the long axis: uint8, (frame, row, column)
``thumbnail.png``      the three middle slices side by side

What is measured in it is added beside them, in a folder named by the measurement's id below ``measurements/``:
``labels.gz``, uint16 little-endian on the grid of the volume, 0 outside, 1 the largest part; ``mask.nii.gz``, the same.
"""

from pathlib import PurePosixPath

SIDECAR, PREVIEW, MIP, THUMBNAIL = "volume.json", "preview.gz", "mip.gz", "thumbnail.png"
CHUNK_SLICES = 16
MIP_FRAMES = 36
VERSION = 1

MEASUREMENTS, LABELS, MASK = "measurements", "labels.gz", "mask.nii.gz"


def chunk_name(index: int) -> str:
    """Of the chunk that begins with slice ``index * CHUNK_SLICES``."""
    return f"full/{index:04}.gz"


def chunk_count(slices: int) -> int:
    return -(-slices // CHUNK_SLICES)


def is_part(path: str, slices: int) -> bool:
    """Whether a volume of so many slices has a file of that name: nothing else is ever opened for a request."""
    if path in {SIDECAR, PREVIEW, MIP, THUMBNAIL}:
        return True
    name = PurePosixPath(path)
    return name.stem.isdecimal() and int(name.stem) < chunk_count(slices) and chunk_name(int(name.stem)) == path
