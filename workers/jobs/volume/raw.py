"""Headerless raw files: nothing but voxels, perhaps after a header that is skipped."""

import re
from dataclasses import dataclass
from math import prod
from typing import Literal, get_args

import numpy as np

from workers.jobs.volume import fits, payload, shape
from workers.jobs.volume.errors import BadShape, BadValue, ShapeMissing, SizeMismatch
from workers.jobs.volume.fits import Dtype
from workers.jobs.volume.shape import Shape
from workers.jobs.volume.source import Source
from workers.jobs.volume.volume import Volume

ByteOrder = Literal["little", "big"]
Axes = Literal["zyx", "zxy", "yzx", "yxz", "xzy", "xyz"]
"""The order in which the file counts, slowest first: "zyx" when X is fastest, as nearly everywhere."""

LONGEST_UNIT = 16
UNSPACED = "The file tells no distance between voxels; they are taken for cubes of 1 mm."


@dataclass(frozen=True)
class Recipe:
    """What a raw file cannot tell. Without a shape, one in the file's name is taken if it fits exactly.

    ``shape`` and ``spacing`` (mm) are the volume's, (z, y, x), whatever the order of axes in the file.
    Raises BadValue for what cannot be.
    """

    shape: Shape | None = None
    dtype: Dtype = "uint8"
    byte_order: ByteOrder = "little"
    header_offset: int = 0
    axes: Axes = "zyx"
    spacing: tuple[float, float, float] | None = None
    unit: str = ""

    def __post_init__(self) -> None:
        if self.dtype not in get_args(Dtype):
            raise BadValue("dtype", self.dtype, f"one of {', '.join(get_args(Dtype))}")
        if self.byte_order not in get_args(ByteOrder):
            raise BadValue("byte_order", self.byte_order, "“little” or “big”")
        if self.header_offset < 0:
            raise BadValue("header_offset", self.header_offset, "0 or more bytes")
        if self.axes not in get_args(Axes):
            raise BadValue("axes", self.axes, f"one of {', '.join(get_args(Axes))}")
        if self.spacing and not all(1e-6 < millimetres < 1e6 for millimetres in self.spacing):
            raise BadValue("spacing", self.spacing, "three lengths in mm, from a nanometre to a kilometre")
        if len(self.unit) > LONGEST_UNIT:
            raise BadValue("unit", self.unit, f"at most {LONGEST_UNIT} characters")

    @property
    def numbers(self) -> np.dtype:
        """The type of a voxel, as it lies in the file."""
        return np.dtype(self.dtype).newbyteorder(self.byte_order)

    def stored(self, lengths: Shape) -> Shape:
        """The lengths (z, y, x) in the order of the file."""
        return tuple(lengths["zyx".index(axis)] for axis in self.axes)

    def turned(self, stored: np.ndarray) -> np.ndarray:
        """A view in (z, y, x) of an array in the order of the file."""
        return stored.transpose([self.axes.index(axis) for axis in "zyx"])


def shape_of(text: str) -> Shape:
    """The shape that a form's text means, or BadShape."""
    found = shape.parsed(text)
    if found is None:
        raise BadShape(text)
    return found


def spacing_of(text: str) -> tuple[float, float, float] | None:
    """The mm (z, y, x) that a form's text means, written X x Y x Z; None for a blank one. Raises BadValue."""
    if not text.strip():
        return None
    try:
        x, y, z = map(float, re.split(r"\s*[x×*;\s]\s*", text.strip(), flags=re.IGNORECASE))
    except ValueError:
        raise BadValue("spacing", text, "the mm between voxels along X, Y and Z, like 2.5 x 2.5 x 3.27") from None
    return z, y, x


def read(source: Source, recipe: Recipe, progress: payload.Progress) -> Volume:
    """The volume of a raw file. Raises SizeMismatch or ShapeMissing, which say what fits, and TooLarge."""
    lengths = recipe.shape or _named_shape(source, recipe)
    if recipe.header_offset + fits.bytes_of(lengths, recipe.dtype) != source.size:
        raise SizeMismatch(source.name, source.size, lengths, recipe.dtype, recipe.header_offset)
    voxels = payload.read(source, recipe.numbers, prod(lengths), recipe.header_offset, progress)
    array = recipe.turned(voxels.reshape(recipe.stored(lengths)))
    warnings = () if recipe.spacing else (UNSPACED,)
    return Volume(array, described(recipe), recipe.spacing, recipe.unit or None, warnings=warnings)


def _named_shape(source: Source, recipe: Recipe) -> Shape:
    told = shape.in_name(source.name)
    if told and recipe.header_offset + fits.bytes_of(told, recipe.dtype) == source.size:
        return told
    raise ShapeMissing(source.name, source.size, recipe.dtype, recipe.header_offset)


def described(recipe: Recipe) -> str:
    order = "" if np.dtype(recipe.dtype).itemsize == 1 else f" {recipe.byte_order}-endian"
    header = f" after {recipe.header_offset:,} bytes" if recipe.header_offset else ""
    axes = "" if recipe.axes == "zyx" else f", {recipe.axes[2].upper()} fastest and {recipe.axes[0].upper()} slowest"
    return f"raw {recipe.dtype}{order}{header}{axes}"
