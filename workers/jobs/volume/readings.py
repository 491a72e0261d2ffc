"""Bytes as numbers: the dtypes and byte orders that voxels of a raw file may have, and which of them make sense."""

import sys
from collections.abc import Iterator
from dataclasses import dataclass
from math import log2

import numpy as np

from workers.jobs.volume.fits import Dtype
from workers.jobs.volume.raw import ByteOrder

#: What a reading costs, as factors of its roughness. Two narrow voxels that are read as one wide are a little
#: rougher only, while halves of a wide voxel are very rough: so width costs something, each time it doubles.
IMPLAUSIBLE, BIG_ENDIAN, WIDER, WRAPPING = 10.0, 1.02, 1.3, 2.0
#: Every other voxel has much the same values as those between, unless it is the other half of a wide voxel.
UNEVEN = 0.25
#: Floats of measurements lie in between; integers that are read as floats do not.
SMALLEST, LARGEST = 1e-12, 1e12
#: An integer that is a float in truth has an exponent, and so is large.
FLOATS_AS_INTEGERS = 2**23
#: How many voxels may break a rule: a file may have its faults.
FEW = 1e-3


@dataclass(frozen=True)
class Reading:
    """A dtype and byte order, the factor that speaks against it, and others that read the same numbers."""

    dtype: Dtype
    byte_order: ByteOrder
    penalty: float = 1.0
    same: tuple[str, ...] = ()

    @property
    def numbers(self) -> np.dtype:
        return np.dtype(self.dtype).newbyteorder(self.byte_order)


def possible(sample: bytes, asked: list[str]) -> Iterator[Reading]:
    """The readings of bytes that end with a whole voxel; float16 is too rare to be thought of unasked."""
    yield from _narrow(np.frombuffer(sample, np.uint8))
    for order in ("little", "big"):
        if "float16" in asked:
            yield _asked(_last(sample, 2), order)
        for size in (2, 4, 8):
            yield from _wide(_last(sample, size), size, order)


def _last(sample: bytes, size: int) -> np.ndarray:
    """As unsigned integers, counted from the end: where voxels begin, only a header's length would tell."""
    return np.frombuffer(sample[len(sample) % size :], f"u{size}")


def _narrow(values: np.ndarray) -> Iterator[Reading]:
    return _whole(values, "little", 1.0)


def _wide(stored: np.ndarray, size: int, order: ByteOrder) -> Iterator[Reading]:
    values = stored if order == sys.byteorder else stored.byteswap()
    cost = WIDER ** log2(size) * (BIG_ENDIAN if order == "big" else 1.0)
    like_floats = size > 2 and _like_floats(values, size)
    if like_floats:
        yield Reading(f"float{8 * size}", order, cost)
    yield from _whole(values, order, cost * (IMPLAUSIBLE if like_floats or _shifted(values, size) else 1.0))


def _asked(stored: np.ndarray, order: ByteOrder) -> Reading:
    finite = np.isfinite(stored.view(np.dtype("f2").newbyteorder(order)))
    return Reading("float16", order, 1.0 if np.mean(finite) > 1 - FEW else IMPLAUSIBLE)


def _whole(values: np.ndarray, order: ByteOrder, cost: float) -> Iterator[Reading]:
    """Signed and unsigned: the one in which fewer neighbours jump over half of all numbers; int8 is rare."""
    bits = 8 * values.itemsize
    names = ("uint8", "int8") if bits == 8 else (f"int{bits}", f"uint{bits}")
    cost *= IMPLAUSIBLE if _halves(values) else 1.0
    if values.max(initial=0) < 2 ** (bits - 1):
        yield Reading(names[0], order, cost, same=names[1:])
        return
    jumps = {name: _jumps(values.view(name)) for name in names}
    for name in names:
        against = (jumps[name] > min(jumps.values())) + (name == "int8")
        yield Reading(name, order, cost * WRAPPING**against)


def _halves(values: np.ndarray) -> bool:
    ones, others = (values[first : values.size // 2 * 2 : 2].astype(np.float64) for first in (0, 1))
    if not ones.size:
        return False
    one_value = (ones.min() == ones.max()) != (others.min() == others.max())
    return bool(one_value or abs(ones.mean() - others.mean()) > UNEVEN * max(ones.std(), others.std()))


def _jumps(values: np.ndarray) -> int:
    half = 2.0 ** (8 * values.itemsize - 1)
    return int((np.abs(np.diff(values.astype(np.float64))) > half).sum())


def _shifted(values: np.ndarray, size: int) -> bool:
    """Whether the lower half of the bits is always 0: then the other byte order reads small numbers instead."""
    return bool(values.any()) and not (values & (2 ** (4 * size) - 1)).any()


def _like_floats(values: np.ndarray, size: int) -> bool:
    """Prefer float where all is finite and of a size that is measured, and no integer so read is small."""
    with np.errstate(invalid="ignore"):
        floats = np.abs(values.view(f"f{size}"))
        sound = (floats == 0) | ((floats >= SMALLEST) & (floats <= LARGEST))
    large = values[floats != 0] > FLOATS_AS_INTEGERS
    return bool(np.mean(sound) > 1 - FEW and large.size and np.mean(large) > 1 - FEW)
