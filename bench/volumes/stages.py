"""The stages, each beside its limit: the least that any program would have to do on this machine for it."""

import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial

import numpy as np
from isal import igzip
from pydicom import dcmread

from bench.volumes.made import CODECS, Patient
from tests.stored_volumes import FACTOR
from workers.jobs.volume import mip, raw, read, store, tally, windows
from workers.jobs.volume.dicom import load
from workers.jobs.volume.kept import kept
from workers.jobs.volume.measuring import figures
from workers.jobs.volume.measuring.grid import Grid
from workers.jobs.volume.measuring.rules import Rule, region
from workers.jobs.volume.pictures import Window
from workers.jobs.volume.raw import Recipe
from workers.jobs.volume.source import Source
from workers.jobs.volume.threads import THREADS, side_by_side
from workers.jobs.volume.volume import About, Volume


@dataclass(frozen=True)
class Stage:
    """``ours`` may take ``target`` times as long as ``least``, which ``limit`` describes; None is only told."""

    name: str
    limit: str
    least: Callable[[], object]
    ours: Callable[[], object]
    target: float | None


def stages(patient: Patient) -> Iterator[Stage]:
    """In the order in which a volume passes through them; each makes its files when it is asked for."""
    copied = partial(_copied, patient)
    yield Stage("raw → array, range, histogram", "fromfile + copy", copied, partial(_counted, patient), 2)
    yield from _of_dicom(patient)
    unpacked = partial(_unpacked, patient.nifti, patient.ct.nbytes)
    yield Stage(".nii.gz → array", "isal", unpacked, partial(read.volume, patient.nifti, Recipe()), 1.25)
    yield Stage("store: chunks, packed", "fromfile + copy", copied, partial(_packed, patient), 3)
    yield Stage("store: all of it, on disk", "fromfile + copy", copied, partial(_kept, patient), None)
    yield Stage("MIP of the PET, 36 angles", "18 maxima over an axis", partial(_maxima, patient), _mip(patient), 6)
    measured = partial(_measured, patient)
    yield Stage("SUV, 41 % of the maximum, parts", "10 copies of the PET", partial(_copies, patient), measured, 6)


def _of_dicom(patient: Patient) -> Iterator[Stage]:
    files = patient.dicom
    plain, ours = partial(_plain_slices, files), partial(load.volume, files)
    yield Stage(f"DICOM, {len(files)} files", "pydicom's headers + fromfile", plain, ours, 2)
    for codec, (_, _, decode) in CODECS.items():
        sources, frames = patient.packed(codec)
        alone = partial(_decoded, decode, frames)
        name = f"DICOM, {len(sources)} files of {codec}"
        yield Stage(name, "the codec, one thread", alone, partial(load.volume, sources), 1.25 / THREADS)


# The least


def _copied(patient: Patient) -> np.ndarray:
    return np.fromfile(patient.raw.path, np.int16).copy()


def _unpacked(source: Source, size: int) -> np.ndarray:
    data = np.empty(size, np.uint8)
    with igzip.open(source.path) as file:
        file.readinto(data)
    return data


def _plain_slices(files: list[Source]) -> np.ndarray:
    headers = [dcmread(file.path, stop_before_pixels=True) for file in files]
    rows, columns = headers[0].Rows, headers[0].Columns
    array = np.empty((len(files), rows, columns), np.int16)
    for plane, file in zip(array, files, strict=True):
        plane[...] = np.fromfile(file.path, np.int16, offset=file.size - plane.nbytes).reshape(plane.shape)
    return array


def _decoded(decode: Callable[[bytes], np.ndarray], frames: list[bytes]) -> None:
    for frame in frames:
        decode(frame)


def _maxima(patient: Patient) -> None:
    grey = np.empty(patient.pet.shape, np.uint8)
    for _ in range(18):
        grey.max(axis=1)


def _copies(patient: Patient) -> None:
    for _ in range(10):
        patient.pet.copy()


# What is done here


def _counted(patient: Patient) -> tally.Tally:
    volume = raw.read(patient.raw, Recipe(patient.ct_shape, "int16"), lambda done, total: None)
    voxels = kept(volume.array)
    counting = tally.Tallying(voxels.dtype)
    for part in side_by_side(lambda start: tally.of_stack(voxels.stack(start)), voxels.starts()):
        counting.add(part)
    total = counting.total()
    total.histogram()
    return total


def _packed(patient: Patient) -> None:
    voxels = kept(patient.ct)
    for _ in side_by_side(lambda start: store.packed(voxels.stack(start)), voxels.starts()):
        pass


def _kept(patient: Patient) -> dict:
    target = patient.folder / "kept"
    shutil.rmtree(target, ignore_errors=True)
    return store.write(of_ct(patient.ct), target, "ct", "CT")


def of_ct(array: np.ndarray) -> Volume:
    return Volume(array, "made up", (2.0, 0.75, 0.75), "HU", about=About(modality="CT"))


def _mip(patient: Patient) -> Callable[[], mip.Mip]:
    spacing, high = (2.0, 4.0, 4.0), windows.SUV[-1].high / FACTOR
    return partial(mip.rotating, kept(patient.pet), spacing, Window(0.0, high))


def _measured(patient: Patient) -> dict:
    grid = Grid(patient.pet.shape, np.diag([4.0, 4.0, 2.0, 1.0]))
    values = patient.pet * np.float32(FACTOR)
    found = region(Rule("percent", 41.0), values, grid)
    return figures.measure(values, found.mask, grid)[0]
