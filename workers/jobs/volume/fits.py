"""What would fit: which dtypes, headers and shapes explain the size of a raw file. No voxels are read.

The functions that answer with sentences are for the errors; a form with previews may use ``Fit`` itself.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from math import log, prod
from typing import Literal

from workers.jobs.volume import shape as shapes
from workers.jobs.volume.shape import Shape

Dtype = Literal[
    "uint8", "int8", "uint16", "int16", "uint32", "int32", "uint64", "int64", "float16", "float32", "float64"
]

ITEMS: dict[int, tuple[str, ...]] = {
    1: ("uint8", "int8"),
    2: ("int16", "uint16", "float16"),
    4: ("float32", "int32", "uint32"),
    8: ("float64", "int64", "uint64"),
}
LARGEST_HEADER = 65536
# Matrix sizes that scanners write; 110 is that of ``file.mpv``.
MATRICES = (64, 96, 100, 110, 128, 144, 168, 180, 192, 200, 220, 256)
MATRICES += (288, 300, 320, 336, 384, 400, 440, 512, 600, 768, 1024)
DEEPEST = 4096


@dataclass(frozen=True)
class Fit:
    """A shape, an item size and a header that together are exactly as long as the file."""

    shape: Shape
    itemsize: int
    header: int

    def __str__(self) -> str:
        *names, last = ITEMS[self.itemsize]
        dtypes = f"{', '.join(names)} or {last}"
        if not self.header:
            return dtypes
        return f"{dtypes} after a header of {self.header:,} bytes (header_offset={self.header})"


def bytes_of(shape: Shape, dtype: str) -> int:
    """How many bytes an array of this shape and dtype takes."""
    return prod(shape) * _itemsize(dtype)


def of_shape(size: int, shape: Shape) -> list[Fit]:
    """The fits of ``size`` bytes to this shape: those without a header, else with one of up to 64 KiB."""
    found = [Fit(shape, itemsize, size - prod(shape) * itemsize) for itemsize in ITEMS]
    exact = [fit for fit in found if fit.header == 0]
    return exact or [fit for fit in reversed(found) if 0 < fit.header <= LARGEST_HEADER]


def instead(size: int, shape: Shape, dtype: str, name: str, header_given: bool = False) -> Iterator[str]:
    """Sentences on what a file of this size and name can be, when it is not ``shape`` of ``dtype``."""
    fitting = of_shape(size, shape)
    if fitting:
        bare = ", without a header" if header_given and not fitting[0].header else ""
        yield f"It would fit as {'; or as '.join(map(str, fitting))}{bare}."
    else:
        yield f"No dtype fits that shape, not even after a header of up to {LARGEST_HEADER:,} bytes."
        yield from _other_depth(size, shape, dtype)
    if shapes.in_name(name) != shape:
        yield from by_name(name, size)


def _other_depth(size: int, shape: Shape, dtype: str) -> Iterator[str]:
    depth, rest = divmod(size, bytes_of((1, *shape[1:]), dtype))
    if depth and not rest:
        yield f"As {dtype} it would fit {shapes.spoken((depth, *shape[1:]))}."


def by_name(name: str, size: int) -> Iterator[str]:
    """A sentence on the shape that the file's name tells, if that fits the size."""
    told = shapes.in_name(name)
    fitting = of_shape(size, told) if told else []
    if fitting:
        order = "" if len(set(told)) == 1 else " The size cannot tell the order of the axes."
        fitting = "; or as ".join(map(str, fitting))
        yield f"Its name says {shapes.spoken(told)}, which would fit as {fitting}.{order}"


def by_size(voxel_bytes: int, dtype: str) -> Iterator[str]:
    """A sentence on the scanner matrices that ``voxel_bytes`` of ``dtype`` would fill, most cubic first."""
    filled = [(n, *divmod(voxel_bytes, n * n * _itemsize(dtype))) for n in MATRICES]
    whole = [(n, depth) for n, depth, rest in filled if not rest and 1 < depth <= DEEPEST]
    likely = sorted(whole, key=lambda found: abs(log(found[1] / found[0])))[:3]
    if likely:
        yield f"As {dtype} it could be {' or '.join(f'{n}x{n}x{depth}' for n, depth in likely)}."


def _itemsize(dtype: str) -> int:
    return next(itemsize for itemsize, names in ITEMS.items() if dtype in names)
