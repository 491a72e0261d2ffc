"""Keeping a volume: its folder of files is written beside its place, and appears there complete or not at all.

The form on disk is ``ledger.volume_files``; what the sidecar says is told in docs/volumes.md.
"""

import json
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

import numpy as np
from isal import igzip

from ledger.volume_files import MIP, PREVIEW, SIDECAR, THUMBNAIL, chunk_name
from workers.jobs.volume import mip, preview, sidecar, tally, thumbnail, windows
from workers.jobs.volume.kept import Kept, kept
from workers.jobs.volume.tally import Tally, Tallying
from workers.jobs.volume.threads import side_by_side
from workers.jobs.volume.volume import Volume

Progress = Callable[[int, int], None]
"""Called with slices kept so far and slices in all; what it raises ends the writing and leaves nothing."""


def write(
    volume: Volume,
    folder: Path,
    volume_id: str,
    name: str,
    keep_names: bool = False,
    progress: Progress = lambda done, total: None,
) -> dict:
    """Make ``folder`` hold the volume, and return its sidecar. FileExistsError if something is there already."""
    with _complete(folder) as part:
        known = sidecar.described(volume, volume_id, name, keep_names) | _written(part, volume, progress)
        known["bytes"] = sum(file.stat().st_size for file in part.rglob("*") if file.is_file())
        _save(part / SIDECAR, json.dumps(known, allow_nan=False).encode())
    return known


@contextmanager
def _complete(folder: Path) -> Iterator[Path]:
    """A hidden folder that takes its place when all is on disk, and is gone if anything goes wrong."""
    if folder.exists():
        raise FileExistsError(f"{folder} is there already")
    part = folder.parent / f".{folder.name}.{uuid4().hex}.part"
    try:
        (part / chunk_name(0)).parent.mkdir(parents=True)
        yield part
        _sync(part / chunk_name(0), part, folder)
    except BaseException:
        shutil.rmtree(part, ignore_errors=True)
        raise


def _sync(chunk: Path, part: Path, folder: Path) -> None:
    """Files are on disk when they are written; their names when their folders are."""
    for each in (chunk.parent, part):
        _fsync_folder(each)
    os.rename(part, folder)
    _fsync_folder(folder.parent)


def _fsync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _written(part: Path, volume: Volume, progress: Progress) -> dict:
    """All files but the sidecar, and what was found on the way."""
    voxels = kept(volume.array)
    known, counted = _stacks(part, voxels, progress)
    offered = windows.presets(volume, counted)
    turning = mip.rotating(voxels, volume.proportions, windows.of_mip(volume, offered, counted))
    _save(part / MIP, packed(turning.frames))
    _save(part / THUMBNAIL, _thumbnail(volume, offered[0]))
    return known | sidecar.measured(volume, voxels, counted, offered) | {"mip": turning.plain()}


def _stacks(part: Path, voxels: Kept, progress: Progress) -> tuple[dict, Tally]:
    """Chunks and preview: each stack of slices is looked at once, by one thread of several."""
    depth, by = voxels.shape[0], preview.factors(voxels.shape)

    def keep(start: int) -> tuple[int, np.ndarray, tuple]:
        stack = voxels.stack(start)
        size = _save(part / chunk_name(start // voxels.starts().step), packed(stack))
        return size, preview.of_stack(stack, by), tally.of_stack(stack)

    sizes, small, counting = [], [], Tallying(voxels.dtype)
    for size, block, counts in side_by_side(keep, voxels.starts()):
        sizes.append(size)
        small.append(block)
        counting.add(counts)
        progress(min(depth, len(sizes) * voxels.starts().step), depth)
    whole = np.concatenate(small)
    return sidecar.filed(sizes, whole, by, _save(part / PREVIEW, packed(whole))), counting.total()


def _thumbnail(volume: Volume, preset: windows.Preset) -> bytes:
    inverted = windows.colour_map(volume) == windows.INVERTED
    window = windows.in_values(preset, volume)
    return thumbnail.strip(thumbnail.middles(volume.array), volume.proportions, window, inverted)


def packed(array: np.ndarray) -> bytes:
    """The same voxels make the same bytes: without the time of day in the gzip header."""
    return igzip.compress(np.ascontiguousarray(array), 1, mtime=0)


def _save(path: Path, data: bytes) -> int:
    with path.open("xb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    return len(data)
