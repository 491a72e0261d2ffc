"""A kept volume read back: its voxels as they are kept, from its chunks."""

import json
from pathlib import Path

import numpy as np
from isal import igzip

from ledger.volume_address import Address
from ledger.volume_files import CHUNK_SLICES, SIDECAR, chunk_name
from workers.jobs.volume.errors import VolumeError


class VolumeGone(VolumeError):
    """Raised when a kept volume, or a part of it, is not on disk any more."""

    def __init__(self, volume_id: str):
        super().__init__(f"The volume {volume_id} is not there: it was deleted, or lies on another machine.")


def sidecar_in(folder: Path | Address) -> dict:
    """All that was known of the volume when it was kept. Raises VolumeGone."""
    try:
        return json.loads((folder / SIDECAR).read_bytes())
    except FileNotFoundError as error:
        raise VolumeGone(folder.name) from error


def voxels_in(folder: Path | Address, sidecar: dict) -> np.ndarray:
    """The voxels (z, y, x), int16 or float32. Raises VolumeGone."""
    shape = tuple(reversed(sidecar["shape_xyz"]))
    voxels = np.empty(shape, np.dtype(sidecar["dtype"]).newbyteorder("<"))
    for index in range(sidecar["chunks"]["count"]):
        stack = voxels[index * CHUNK_SLICES : (index + 1) * CHUNK_SLICES]
        try:
            packed = (folder / chunk_name(index)).read_bytes()
        except FileNotFoundError as error:
            raise VolumeGone(folder.name) from error
        stack[...] = np.frombuffer(igzip.decompress(packed), stack.dtype).reshape(stack.shape)
    return voxels
