"""Real world values: what stored numbers are in a named unit, beside a file's own scale (PS3.3, C.7.6.16.2.11)."""

import re
from collections.abc import Iterable, Sequence
from math import isclose
from typing import Protocol

from pydicom.dataset import Dataset

from workers.jobs.volume.dicom import elements

#: The unit's code in UCUM, the slope and the intercept, of stored numbers.
Mapped = tuple[str, float, float]
#: As context group 85 writes them, or as older files do: ``{SUVbw}g/ml``, ``g/ml{SUVbw}``.
_SUV = re.compile(r"\{SUV(\w+)\}(?:g|cm2)/ml|(?:g|cm2)/ml\{SUV(\w+)\}", re.IGNORECASE)


class Scaled(Protocol):
    slope: float
    intercept: float
    mapped: tuple[Mapped, ...]


def of(holders: Iterable[Dataset]) -> tuple[Mapped, ...]:
    """Those of the first holder that has some: of a frame, of all frames, of the file. Tables are left out."""
    found = (elements.items(each, "RealWorldValueMappingSequence") for each in holders)
    mapped = (_mapped(item) for item in next(filter(None, found), []))
    return tuple(filter(None, mapped))


def _mapped(item: Dataset) -> Mapped | None:
    unit = elements.text(elements.first(item, "MeasurementUnitsCodeSequence"), "CodeValue")
    slope = elements.number(item, "RealWorldValueSlope")
    return (unit, slope, elements.number(item, "RealWorldValueIntercept") or 0.0) if unit and slope else None


def suv(frames: Sequence[Scaled]) -> tuple[str, float] | None:
    """The kind of SUV that is mapped to (BW, LBM, ...), and by which factor values become it.

    None unless all frames have one factor, and one mapping of that kind each: several are for parts of the numbers.
    """
    for kind in dict.fromkeys(_kind(unit) for unit, *_ in frames[0].mapped):
        factors = [_factor(frame, kind) for frame in frames] if kind else [None]
        if None not in factors and all(isclose(each, factors[0], rel_tol=1e-6) for each in factors):
            return kind, factors[0]
    return None


def _kind(unit: str) -> str:
    told = _SUV.fullmatch(unit)
    return (told[1] or told[2]).upper() if told else ""


def _factor(frame: Scaled, kind: str) -> float | None:
    """From values, which slope and intercept of the file have made of the stored numbers."""
    found = [each for each in frame.mapped if _kind(each[0]) == kind]
    if len(found) != 1 or not frame.slope:
        return None
    _, slope, intercept = found[0]
    factor = slope / frame.slope
    fits = factor > 0 and isclose(intercept, factor * frame.intercept, rel_tol=1e-6, abs_tol=1e-6 * slope)
    return factor if fits else None
