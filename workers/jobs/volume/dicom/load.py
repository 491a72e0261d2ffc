"""A series, once it is chosen, to a volume: voxels, their place, their unit, whose they are, and their SUV."""

from collections.abc import Iterable
from dataclasses import replace

import numpy as np
from pydicom.dataset import Dataset

from workers.jobs.volume.dicom import about, elements, geometry, headers, stack, suv, times
from workers.jobs.volume.dicom.frames import Frame
from workers.jobs.volume.dicom.geometry import Grid
from workers.jobs.volume.dicom.series import Progress, Series, offered
from workers.jobs.volume.dicom.suv import Uptake
from workers.jobs.volume.source import Source
from workers.jobs.volume.volume import Volume


def volume(sources: Iterable[Source], progress: Progress = lambda done, total: None, series: str = "") -> Volume:
    """The volume in files or archives, if one series can be meant; ``series`` is a key of ``series.offered``.

    Progress counts bytes here, as with every other format, and 0 of them while headers are read.
    """
    sources = tuple(sources)
    size = max(1, sum(source.size for source in sources))
    chosen = offered(sources, lambda done, total: progress(0, size)).chosen(series)
    return read(chosen, lambda done, total: progress(size * done // total, size))


def read(series: Series, progress: Progress = lambda done, total: None) -> Volume:
    """The volume of a series. Raises its fault if it has one, DamagedFile, TooLarge, and what progress raises."""
    if series.fault:
        raise series.fault
    grid, first = series.grid, series.grid.frames[0]
    dataset = headers.read(first.member).dataset
    uptake = suv.of(dataset, grid.frames) if series.modality == "PT" else None
    array = stack.read(grid.frames, uptake and uptake.brought, progress)
    return _placed(array, grid, _described(series, dataset, uptake))


def _described(series: Series, dataset: Dataset, uptake: Uptake | None) -> Volume:
    """All but the voxels."""
    frames = series.grid.frames
    acquired = min((at for frame in frames if (at := times.moment(frame.acquired))), default=None)
    return Volume(
        array=np.empty((0, 0, 0)),
        source=_source(series),
        spacing=series.grid.spacing,
        unit=about.unit(frames[0].unit, series.modality),
        about=about.of(dataset, acquired, series.description),
        suv=uptake and uptake.suv,
        warnings=tuple(_warnings(series, dataset)),
    )


def _source(series: Series) -> str:
    files = len({(frame.member.path, frame.member.name) for frame in series.grid.frames})
    kind = series.grid.frames[0].layout
    packed = f", {kind.codec}" if kind.codec else ""
    part = f", {series.part}" if series.part else ""
    counted = f"{files:,} file{'s' if files != 1 else ''}"
    return f"DICOM, {counted}, {kind.dtype.name} {_scales(series)}{packed}{part}"


def _scales(series: Series) -> str:
    slopes = {frame.slope for frame in series.grid.frames}
    intercepts = {frame.intercept for frame in series.grid.frames}
    slope = f"slope {min(slopes):g}" if len(slopes) == 1 else f"slopes {min(slopes):g} to {max(slopes):g}"
    intercept = f"intercept {min(intercepts):g}" if len(intercepts) == 1 else "several intercepts"
    return f"{slope}, {intercept}"


def _warnings(series: Series, dataset: Dataset) -> Iterable[str]:
    first = series.grid.frames[0]
    if series.grid.affine is None:
        yield "The file does not say where it lies: its sides are unknown."
    if series.slices == 1:
        yield _single(first)
    told = elements.whole(dataset, "NumberOfSlices")
    if told and told != series.slices:
        yield f"The scanner says {told:,} slices, but {series.slices:,} are here: the volume may end too early."
    if series.modality == "PT":
        yield from suv.attenuation(dataset)
    if elements.text(dataset, "PhotometricInterpretation") == "MONOCHROME1":
        yield "Stored as MONOCHROME1: its maker shows low values bright. The values are as stored."
    yield from series.notes


def _single(frame: Frame) -> str:
    told = f"{frame.thickness:g} mm, as the file says" if frame.thickness else "1 mm, as the file does not say"
    return f"A single slice; its thickness is taken as {told}."


def _placed(array: np.ndarray, grid: Grid, described: Volume) -> Volume:
    if grid.affine is None:
        return replace(described, array=array)
    turned, affine, spacing = geometry.turned(array, grid)
    return replace(described, array=turned, affine=affine, spacing=spacing, orientation="LPS")
