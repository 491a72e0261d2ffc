"""Jobs on volumes. What they do is in ``workers.jobs.volume``; here are only the forms and the reports."""

import logging
from dataclasses import replace
from typing import Annotated

import dramatiq
from pydantic import Field

from ledger.settings import settings
from ledger.volume_files import SIDECAR
from workers import context
from workers.context import UploadFile
from workers.jobs.volume import arrival, chart, folder, loading, phantom, pictures, raw, statistics, store
from workers.jobs.volume.dicom.errors import SeveralSeries
from workers.jobs.volume.errors import NotOneSource, VolumeError
from workers.jobs.volume.fits import Dtype, bytes_of
from workers.jobs.volume.loading import Loading
from workers.jobs.volume.pictures import Picture
from workers.jobs.volume.raw import Axes, ByteOrder, Recipe, shape_of, spacing_of
from workers.jobs.volume.shape import written
from workers.jobs.volume.source import Source, stem
from workers.jobs.volume.volume import Volume

logger = logging.getLogger(__name__)

#: numpy holds the GIL in long calls, and a volume can be larger than the machine's memory: neither may hit others.
isolated = {"isolation": "process", "memory_limit": 8_000_000_000, "file_size_limit": 4_000_000_000}


@dramatiq.actor(actor_name="volumes.load", queue_name="volumes", max_retries=0, throws=VolumeError, **isolated)
def load(
    file: UploadFile | None = None,
    path: str = "",
    shape: str = "",
    dtype: Dtype = "uint8",
    byte_order: ByteOrder = "little",
    header_offset: Annotated[int, Field(ge=0)] = 0,
) -> dict:
    """Load a volume: its statistics and histogram, three middle slices and three projections.

    Reads headerless raw files, numpy's .npy and NIfTI (.nii, .nii.gz). Shape, dtype, byte order and header
    offset are for raw files only, which cannot tell them; a raw file has to be exactly as long as they say.

    Args:
        file: The file to upload. Give this or a path, not both.
        path: A file on the server, relative to the files folder, such as phantom.mpv.
        shape: For raw files, the voxels along X, Y and Z, like 110x110x187. X varies fastest in the file, Z
            slowest: numpy calls that array (187, 110, 110). Blank takes a shape that the file's name tells.
        dtype: For raw files, the type of one voxel.
        byte_order: For raw files with voxels of two bytes and more: little (most machines) or big.
        header_offset: For raw files, how many bytes stand before the first voxel.
    """
    recipe = Recipe(shape_of(shape) if shape.strip() else None, dtype, byte_order, header_offset)
    volume = loading.volume(Loading((_source(file, path),), recipe), _reading)
    logger.info("read %s voxels, %s", written(volume.array.shape), volume.source)
    return volume.plain() | _report(volume)


def _source(file: UploadFile | None, path: str) -> Source:
    given = (file is not None) + bool(path.strip())
    if given != 1:
        raise NotOneSource(given)
    return Source(file.path, file.name) if file else folder.existing(context.files_dir(), path)


def _reading(done: int, total: int) -> None:
    """Reading is the first 40 of 100; bytes are in the note."""
    context.progress(40 * done // total, 100, f"reading, {done / 1e6:,.1f} of {total / 1e6:,.1f} MB")


def _report(volume: Volume) -> dict:
    context.progress(40, 100, "statistics")
    measured = statistics.measure(volume.array)
    _attach(chart.histogram(measured))
    context.progress(70, 100, "slices")
    for picture in pictures.slices(volume):
        _attach(picture)
    context.progress(85, 100, "projections")
    for picture in pictures.projections(volume):
        _attach(picture)
    context.progress(100, 100, "done")
    return measured.plain()


def _attach(picture: Picture) -> None:
    context.artifact(picture.name, picture.data, picture.media_type, picture.title)


@dramatiq.actor(actor_name="volumes.ingest", queue_name="volumes", max_retries=0, throws=VolumeError, **isolated)
def ingest(
    files: list[UploadFile] | None = None,
    path: str = "",
    series: str = "",
    name: str = "",
    subject: str = "",
    label: str = "",
    modality: str = "",
    shape: str = "",
    dtype: Dtype = "uint8",
    byte_order: ByteOrder = "little",
    header_offset: Annotated[int, Field(ge=0)] = 0,
    axes: Axes = "zyx",
    spacing: str = "",
    unit: str = "",
) -> dict:
    """Load a volume and keep it, for everybody to look at and to measure.

    Reads DICOM series (single files, a zip of them, or a folder on the server), NIfTI, numpy's .npy and .npz, NRRD, and
    headerless raw files, whose shape and dtype are guessed unless you tell them.

    Args:
        files: The files to upload: one volume, a zip of a DICOM series, or all its single files.
        path: Instead, a file or a folder on the server, relative to the files folder.
        series: Of several DICOM series, which; blank takes the only one, or lets you choose.
        name: What the volume is to be called; blank takes the name of the file.
        subject: Whose it is; blank takes what DICOM says.
        label: What it shows; blank takes the name of the DICOM series.
        modality: What made it, like CT, PT or MR; blank takes what DICOM says.
        shape: For raw files, the voxels along X, Y and Z, like 110x110x187. Blank guesses this and the four that
            follow, from how smooth the picture gets.
        dtype: For raw files, the type of one voxel.
        byte_order: For raw files with voxels of two bytes and more: little (most machines) or big.
        header_offset: For raw files, how many bytes stand before the first voxel.
        axes: For raw files, the order in which they count, slowest first; zyx is usual.
        spacing: For raw files, the mm between voxels along X, Y and Z, like 2.5 x 2.5 x 3.27.
        unit: For raw files, the unit of the values, like HU or Bq/ml.
    """
    sources = _sources(files or [], path)
    recipe = Recipe(
        shape_of(shape) if shape.strip() else None, dtype, byte_order, header_offset, axes, spacing_of(spacing), unit
    )
    try:
        plan = loading.planned(sources, recipe)
        volume = loading.volume(plan, _reading, series)
    except SeveralSeries as several:
        return _series_offered(several)
    volume = _described(volume, plan, subject=subject, label=label, modality=modality.upper())
    said = _keep(volume, name.strip() or stem(sources[0].name))
    return _summary(said) | _offer_readings(plan)


def _sources(files: list[UploadFile], path: str) -> tuple[Source, ...]:
    if bool(files) == bool(path.strip()):
        raise NotOneSource(2 if files else 0)
    if files:
        return tuple(Source(file.path, file.name) for file in files)
    return loading.at(context.files_dir(), path)


def _series_offered(several: SeveralSeries) -> dict:
    """Nothing is loaded before somebody chose."""
    logger.info("%s", several)
    return {"offered": [{"words": words, "arguments": {"series": key}} for key, words in several.offered]}


def _described(volume: Volume, plan: Loading, **typed: str) -> Volume:
    """With what was typed, which is worth more than what the file says."""
    told = {name: text.strip() for name, text in typed.items() if text.strip()}
    return replace(volume, about=replace(volume.about, **told), warnings=(*plan.warnings, *volume.warnings))


def _keep(volume: Volume, name: str) -> dict:
    place = context.volumes_dir() / (context.run_id() or "unnamed")
    arrival.clear(place)  # of what an earlier attempt of this run has left
    names = settings().keep_patient_names
    with arrival.of(place, SIDECAR, _sending) as folder:
        said = store.write(volume, folder, place.name, name, names, _keeping)
    context.volume(said)
    return said


def _keeping(done: int, total: int) -> None:
    context.progress(40 + 60 * done // total, 100, f"keeping, slice {done:,} of {total:,}")


def _sending(number: int, total: int) -> None:
    context.progress(100, 100, f"sending, file {number:,} of {total:,}")


def _summary(said: dict) -> dict:
    told = {name: said[name] for name in ("source", "unit", "modality", "subject", "label", "bytes")}
    return {"volume": said["id"], "shape": "x".join(map(str, said["shape_xyz"])), "dtype": said["dtype"]} | told


def _offer_readings(plan: Loading) -> dict:
    """Pictures of what a raw file can be, of which the first was taken; nothing for other files."""
    for picture in plan.pictures():
        _attach(picture)
    return {"offered": plan.offers()} if plan.guesses else {}


@dramatiq.actor(actor_name="volumes.phantom", queue_name="volumes", max_retries=0, throws=VolumeError, **isolated)
def make_phantom(
    name: str = "phantom.mpv",
    shape: str = "110x110x187",
    dtype: Dtype = "uint8",
    noise: Annotated[float, Field(ge=0, le=1)] = 0.03,
    seed: Annotated[int, Field(ge=0)] = 0,
    replace: bool = False,
) -> dict:
    """Write a made-up PET patient into the files folder, as a headerless raw file to try volumes.load on.

    Args:
        name: The file's name in the files folder, without folders.
        shape: The voxels along X, Y and Z; X varies fastest in the file.
        dtype: The type of one voxel, written little-endian.
        noise: Standard deviation of the noise at the hottest place, as a share.
        seed: The same number makes the same file.
        replace: Whether a file of that name with other content may be replaced.
    """
    recipe = Recipe(shape_of(shape), dtype)
    _write(name, recipe, noise, seed, replace)
    _attach(_preview(name, recipe))
    return {
        "path": name,
        "shape": written(recipe.shape),
        "dtype": dtype,
        "bytes": bytes_of(recipe.shape, dtype),
        "next": f"Start volumes.load with path={name}, shape={written(recipe.shape)}, dtype={dtype}.",
    }


def _write(name: str, recipe: Recipe, noise: float, seed: int, replace: bool) -> None:
    slabs = phantom.slabs(recipe.shape, recipe.dtype, noise, seed)
    with folder.new_file(context.files_dir(), name, replace) as file:
        for done, slab in enumerate(slabs, start=1):
            file.write(slab.tobytes())
            context.progress(done, recipe.shape[0], "writing slices")
    logger.info("wrote %s", name)


def _preview(name: str, recipe: Recipe) -> Picture:
    volume = raw.read(folder.existing(context.files_dir(), name), recipe, lambda done, total: None)
    return pictures.projection(volume, "coronal")
