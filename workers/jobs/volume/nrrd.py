"""NRRD (.nrrd) with its voxels in the same file, raw or gzip. pynrrd reads the header, we read the voxels.

Only the header is pynrrd's work: packed voxels it would hold three times in memory, and unpack to any size.
"""

import re
from dataclasses import dataclass
from math import prod

import numpy as np
from nibabel.affines import voxel_sizes
from nrrd import read_header

from workers.jobs.volume import lps, payload
from workers.jobs.volume.errors import DamagedFile
from workers.jobs.volume.source import Source
from workers.jobs.volume.volume import About, Volume, real_number, three_axes

MAGIC = b"NRRD000"
#: A header is a few lines; no more than this is looked at.
LONGEST_HEADER = 2**20

_TYPES = {"char": "i1", "short": "i2", "int": "i4", "longlong": "i8", "float": "f4", "double": "f8"}
_TYPES |= {f"int{bits}": f"i{bits // 8}" for bits in (8, 16, 32, 64)}
_SPACES = {"left-posterior-superior": (1, 1, 1), "right-anterior-superior": (-1, -1, 1)}
_SPACES |= {"left-anterior-superior": (1, -1, 1)}
_SPACES |= {"".join(word[0] for word in space.split("-")): signs for space, signs in _SPACES.items()}
_MILLIMETRES = {"m": 1000.0, "cm": 10.0, "mm": 1.0, "um": 0.001, "μm": 0.001}


@dataclass(frozen=True)
class _Layout:
    """A header, checked and in our words; lengths and sizes as (x, y, z, ...), the file's order."""

    stored: tuple[int, ...]
    dtype: np.dtype
    packed: bool
    begins: int
    skip: int
    affine: np.ndarray | None
    sizes: np.ndarray
    unit: str
    label: str


def read(source: Source, progress: payload.Progress) -> Volume:
    """The volume of a NRRD file, turned to LPS if its header tells the orientation. Raises VolumeError."""
    layout = _layout(source)
    dtype = real_number(source.name, layout.dtype)
    lengths = three_axes(source.name, layout.stored, layout.stored[::-1])
    voxels = _voxels(source, layout, dtype, prod(lengths), progress).reshape(lengths)
    told = f"NRRD {layout.dtype.name}{', gzip' if layout.packed else ''}"
    known = {"unit": layout.unit or None, "about": About(label=layout.label)}
    if layout.affine is None:
        return Volume(voxels, told, lps.spacing(layout.sizes[:3]), **known)
    turned, affine, sizes = lps.turned(voxels, layout.affine, layout.sizes)
    return Volume(turned, told, lps.spacing(sizes), orientation="LPS", affine=affine, **known)


def _layout(source: Source) -> _Layout:
    head = source.head(LONGEST_HEADER)
    end = re.search(rb"\n\r?\n", head)
    if not end:
        raise DamagedFile(source.name, "its NRRD header has no end, or names another file for its voxels")
    try:
        header = read_header(head[: end.end()].splitlines(keepends=True))
        _refuse_what_is_elsewhere(source, header)
        return _understood(header, end.end())
    # pynrrd takes the header apart with several of Python's parsers; whatever they raise, it is no good.
    except DamagedFile:
        raise
    except Exception as error:
        raise DamagedFile(source.name, f"its NRRD header makes no sense ({error})") from error


def _refuse_what_is_elsewhere(source: Source, header: dict) -> None:
    elsewhere = header.get("data file", header.get("datafile"))
    if elsewhere:
        what = f"its voxels are in “{elsewhere[:80]}”; save both as one .nrrd, or load that file as raw"
        raise DamagedFile(source.name, what)
    if header.get("line skip", header.get("lineskip", 0)):
        raise DamagedFile(source.name, "its header skips lines, which only texts have")
    if header["encoding"].lower() not in ("raw", "gzip", "gz"):
        raise DamagedFile(source.name, f"its voxels are encoded as {header['encoding'][:20]}; save them raw or gzip")


def _understood(header: dict, begins: int) -> _Layout:
    affine, sizes = _place(header)
    return _Layout(
        stored=tuple(map(int, header["sizes"])),
        dtype=_dtype(header),
        packed=header["encoding"].lower() != "raw",
        begins=begins,
        skip=header.get("byte skip", header.get("byteskip", 0)),
        affine=affine if affine is not None and lps.usable(affine) else None,
        sizes=sizes,
        unit=header.get("sample units", "").strip(' "')[:16],
        label=_printable(header.get("content", "")),
    )


def _dtype(header: dict) -> np.dtype:
    """“unsigned short int”, “ushort” and “uint16_t” are one; so with the others."""
    word = header["type"].lower().removesuffix("_t").removeprefix("signed ").replace("long long", "longlong")
    plain = re.sub(r"^u(nsigned )?", "", word).removesuffix(" int")
    dtype = np.dtype(_TYPES[plain].replace("i", "u") if word.startswith("u") else _TYPES[plain])
    return dtype if dtype.itemsize == 1 else dtype.newbyteorder({"little": "<", "big": ">"}[header["endian"].lower()])


def _place(header: dict) -> tuple[np.ndarray | None, np.ndarray]:
    """The affine to LPS, if the header names a space that people have sides in; and the sizes of voxels in mm."""
    to_mm = _MILLIMETRES.get(header.get("space units", ["mm"])[0], 1.0)
    if "space directions" not in header:
        return None, np.asarray(header.get("spacings", ()), np.float64)
    affine = np.eye(4)
    affine[:3, :3] = np.asarray(header["space directions"])[:3].T * to_mm
    affine[:3, 3] = np.asarray(header.get("space origin", (0, 0, 0))) * to_mm
    signs = _SPACES.get(header.get("space", "").lower())
    return (np.diag([*signs, 1]) @ affine if signs else None), voxel_sizes(affine)


def _printable(text: str) -> str:
    return " ".join("".join(each if each.isprintable() else " " for each in text).split())[:200]


def _voxels(source: Source, layout: _Layout, dtype: np.dtype, count: int, progress: payload.Progress) -> np.ndarray:
    if layout.packed:
        inside = Source(source.path, source.name, source.begins + layout.begins)
        if source.packed or not inside.packed:
            raise DamagedFile(source.name, "its header says that its voxels are gzip, but they are not")
        return payload.read(inside, dtype, count, max(0, layout.skip), progress)
    last = source.size - count * dtype.itemsize
    offset = last if layout.skip == -1 else layout.begins + layout.skip
    if layout.skip < -1 or offset < layout.begins:
        raise DamagedFile(source.name, "its header skips bytes that are not there")
    return payload.read(source, dtype, count, offset, progress)
