"""Headerless raw files: nothing but voxels, X fastest, perhaps after a header that is skipped."""

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


@dataclass(frozen=True)
class Recipe:
    """What a raw file cannot tell. Without a shape, one in the file's name is taken if it fits exactly.

    Raises BadValue for a dtype, byte order or header offset that cannot be.
    """

    shape: Shape | None = None
    dtype: Dtype = "uint8"
    byte_order: ByteOrder = "little"
    header_offset: int = 0

    def __post_init__(self) -> None:
        if self.dtype not in get_args(Dtype):
            raise BadValue("dtype", self.dtype, f"one of {', '.join(get_args(Dtype))}")
        if self.byte_order not in get_args(ByteOrder):
            raise BadValue("byte_order", self.byte_order, "“little” or “big”")
        if self.header_offset < 0:
            raise BadValue("header_offset", self.header_offset, "0 or more bytes")


def shape_of(text: str) -> Shape:
    """The shape that a form's text means, or BadShape."""
    found = shape.parsed(text)
    if found is None:
        raise BadShape(text)
    return found


def read(source: Source, recipe: Recipe, progress: payload.Progress) -> Volume:
    """The volume of a raw file. Raises SizeMismatch or ShapeMissing, which say what fits, and TooLarge."""
    lengths = recipe.shape or _named_shape(source, recipe)
    if recipe.header_offset + fits.bytes_of(lengths, recipe.dtype) != source.size:
        raise SizeMismatch(source.name, source.size, lengths, recipe.dtype, recipe.header_offset)
    dtype = np.dtype(recipe.dtype).newbyteorder(recipe.byte_order)
    voxels = payload.read(source, dtype, prod(lengths), recipe.header_offset, progress)
    return Volume(voxels.reshape(lengths), _described(recipe))


def _named_shape(source: Source, recipe: Recipe) -> Shape:
    told = shape.in_name(source.name)
    if told and recipe.header_offset + fits.bytes_of(told, recipe.dtype) == source.size:
        return told
    raise ShapeMissing(source.name, source.size, recipe.dtype, recipe.header_offset)


def _described(recipe: Recipe) -> str:
    order = "" if np.dtype(recipe.dtype).itemsize == 1 else f" {recipe.byte_order}-endian"
    header = f" after {recipe.header_offset:,} bytes" if recipe.header_offset else ""
    return f"raw {recipe.dtype}{order}{header}"
