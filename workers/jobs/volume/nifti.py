"""NIfTI-1 and NIfTI-2 in a single file, packed or not. nibabel reads the header, we read the voxels.

Voxels are ``slope * stored + intercept`` (scl_slope, scl_inter; NIfTI-1 standard), computed in float64. They
are kept as float32 where that holds every stored value (up to 16 bits, and float32), else as float64; the
file's own dtype stays where there is nothing to scale. A slope of 0, or one that is not finite, means "not
scaled", as the standard says.
"""

from dataclasses import dataclass
from math import prod

import numpy as np
from nibabel.affines import voxel_sizes
from nibabel.nifti1 import Nifti1Header
from nibabel.nifti2 import Nifti2Header
from nibabel.spatialimages import HeaderDataError
from nibabel.wrapstruct import WrapStructError

from workers.jobs.volume import lps, payload
from workers.jobs.volume.errors import DamagedFile
from workers.jobs.volume.source import Source
from workers.jobs.volume.volume import About, Volume, real_number, three_axes

HEAD = 540
_MILLIMETRES = {"meter": 1000.0, "mm": 1.0, "micron": 0.001, "unknown": 1.0}


def header_class(head: bytes) -> type[Nifti1Header] | None:
    """The kind of NIfTI header that a file's first HEAD bytes are, by its magic, or None."""
    if head[344:348] == b"n+1\0":
        return Nifti1Header
    return Nifti2Header if head[4:8] == b"n+2\0" else None


@dataclass(frozen=True)
class _Layout:
    """A header, checked and in our words; lengths and sizes as (x, y, z, ...), the file's order."""

    stored: tuple[int, ...]
    dtype: np.dtype
    offset: int
    slope: float
    intercept: float
    affine: np.ndarray | None
    sizes: np.ndarray
    label: str


def read(source: Source, progress: payload.Progress) -> Volume:
    """The volume of a NIfTI file, turned to LPS if its header tells the orientation. Raises VolumeError."""
    layout = _layout(source)
    dtype = real_number(source.name, layout.dtype)
    lengths = three_axes(source.name, layout.stored, layout.stored[::-1])
    voxels = payload.read(source, dtype, prod(lengths), layout.offset, progress).reshape(lengths)
    return _oriented(_scaled(voxels, layout.slope, layout.intercept), layout)


def _layout(source: Source) -> _Layout:
    try:
        with np.errstate(all="ignore"):
            return _understood(source.head(HEAD))
    except (HeaderDataError, WrapStructError, ValueError, OverflowError, KeyError) as error:
        raise DamagedFile(source.name, f"its NIfTI header makes no sense ({error})") from error


def _understood(head: bytes) -> _Layout:
    kind = header_class(head)
    header = kind(head[: kind.sizeof_hdr])
    slope, intercept = header.get_slope_inter()
    affine = _affine(header)
    sizes = header.get_zooms()[:3] if affine is None else voxel_sizes(affine)
    to_mm = _MILLIMETRES[header.get_xyzt_units()[0]]
    return _Layout(
        stored=tuple(map(int, header.get_data_shape())),
        dtype=header.get_data_dtype(),
        offset=header.get_data_offset(),
        slope=1.0 if slope is None else slope,
        intercept=0.0 if intercept is None else intercept,
        affine=None if affine is None else np.diag([to_mm, to_mm, to_mm, 1.0]) @ affine,
        sizes=np.array(sizes, np.float64) * to_mm,
        label=_label(header),
    )


def _label(header: Nifti1Header) -> str:
    """What its writer says of it (descrip), as one printable line."""
    told = bytes(header["descrip"]).decode("latin-1").partition("\0")[0]
    return " ".join("".join(each if each.isprintable() else " " for each in told).split())


def _affine(header: Nifti1Header) -> np.ndarray | None:
    """Voxel to the world of LPS, if the header claims to know it and every axis leads somewhere."""
    if not (header["sform_code"] > 0 or header["qform_code"] > 0):
        return None
    affine = lps.FROM_RAS @ header.get_best_affine()
    return affine if lps.usable(affine) else None


def _scaled(stored: np.ndarray, slope: float, intercept: float) -> np.ndarray:
    if (slope, intercept) == (1.0, 0.0):
        return stored
    narrow = stored.dtype.itemsize <= 2 or stored.dtype == np.float32
    scaled = np.empty(stored.shape, np.float32 if narrow else np.float64)
    with np.errstate(over="ignore", invalid="ignore"):
        for target, plane in zip(scaled, stored, strict=True):
            target[...] = plane * np.float64(slope) + intercept
    return scaled


def _oriented(voxels: np.ndarray, layout: _Layout) -> Volume:
    source = f"NIfTI {layout.dtype.name}, slope {layout.slope:g}, intercept {layout.intercept:g}"
    about = About(label=layout.label)
    if layout.affine is None:
        return Volume(voxels, source, lps.spacing(layout.sizes), about=about)
    turned, affine, sizes = lps.turned(voxels, layout.affine, layout.sizes)
    return Volume(turned, source, lps.spacing(sizes), orientation="LPS", affine=affine, about=about)
