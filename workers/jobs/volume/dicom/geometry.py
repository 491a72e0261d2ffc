"""Whether slices are a volume: parallel, evenly spaced, at right angles to the line on which they are stacked.

Others stack whatever has the same series UID. Here each fault is refused in words, with the two files named.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import atan2, degrees, hypot

import numpy as np

from workers.jobs.volume import lps
from workers.jobs.volume.dicom import about
from workers.jobs.volume.dicom.errors import BadPlace, Gap, Mixed, NoPlace, SamePlace, Shifted, Tilted
from workers.jobs.volume.dicom.frames import Frame
from workers.jobs.volume.errors import VolumeError

SMALLEST_STEP = 0.01
STEP_TOLERANCE = 0.02
MOST_TILT = 0.05
# Directions are cosines, which some write with two digits.
MOST_SKEW = 0.01
# A kilometre: within that, nothing overflows.
FARTHEST = 1e6
# Positions are written with few digits; so much beside the line is rounding, not a tilt.
ROUNDING = 0.02

Spacing = tuple[float, float, float]


@dataclass(frozen=True, eq=False)
class Grid:
    """``frames`` in the order in which they are stacked; ``affine`` takes (column, row, slice, 1) to mm in LPS,
    None for a single picture that does not say where it lies. ``spacing`` is (slice, row, column), in mm."""

    frames: tuple[Frame, ...]
    affine: np.ndarray | None
    spacing: Spacing | None


def grid(frames: Sequence[Frame]) -> Grid:
    """How the slices lie. Raises one of the faults in ``errors``; frames of one matrix and orientation come in."""
    _refuse_mixed(frames)
    if len(frames) == 1 and _unplaced(frames[0]):
        return Grid(tuple(frames), None, _spacing_alone(frames[0]))
    for frame in frames:
        refuse_unplaced(frame)
    across = normal(frames[0])
    ordered = sorted(frames, key=lambda frame: _dot(across, frame.position))
    step = _step(ordered) if len(ordered) > 1 else _single_step(ordered[0])
    # Positions have few digits, and their difference has many: those beyond a nanometre are none.
    spacing = (round(float(np.linalg.norm(step)), 6), *ordered[0].spacing)
    return Grid(tuple(ordered), _affine(ordered[0], step), spacing)


def _refuse_mixed(frames: Sequence[Frame]) -> None:
    _refuse_unequal("modalities", frames, lambda each: each.modality or "none")
    _refuse_unequal("units", frames, lambda each: about.unit(each.unit, each.modality) or "none")
    _refuse_unequal("signs of the slope", frames, lambda each: "negative" if each.slope < 0 else "positive")


def _refuse_unequal(what: str, frames: Sequence[Frame], told) -> None:
    expected = told(frames[0])
    for frame in frames:
        if told(frame) != expected:
            raise Mixed(what, frames[0].name, expected, frame.name, told(frame))


def _unplaced(frame: Frame) -> tuple[str, ...]:
    wanted = {
        "ImagePositionPatient": frame.position,
        "ImageOrientationPatient": frame.orientation,
        "PixelSpacing": frame.spacing,
    }
    return tuple(keyword for keyword, found in wanted.items() if found is None)


def refuse_unplaced(frame: Frame) -> None:
    """Raises NoPlace or BadPlace for a frame whose plane cannot be told."""
    if missing := _unplaced(frame):
        raise NoPlace(frame.name, missing)
    row, column = frame.orientation[:3], frame.orientation[3:]
    square = all(abs(hypot(*each) - 1) <= MOST_SKEW for each in (row, column)) and abs(_dot(row, column)) <= MOST_SKEW
    if not square:
        raise BadPlace(frame.name, "the directions of rows and columns are not at right angles, or not of length 1")
    if min(frame.spacing) <= 0:
        raise BadPlace(frame.name, f"its pixel spacing is {min(frame.spacing):g} mm")
    farthest = max(map(abs, (*frame.position, *frame.spacing, frame.thickness or 0)))
    if farthest > FARTHEST:
        raise BadPlace(frame.name, f"it lies, or reaches, {farthest:g} mm away")


def _dot(one: Sequence[float], other: Sequence[float]) -> float:
    return sum(first * second for first, second in zip(one, other, strict=True))


def normal(frame: Frame) -> np.ndarray:
    """Across the plane, towards the side (left, posterior or head) to which it mostly faces."""
    across = np.cross(frame.orientation[:3], frame.orientation[3:])
    across /= np.linalg.norm(across) or 1.0
    return across * np.sign(across[np.argmax(np.abs(across))])


def _step(ordered: Sequence[Frame]) -> np.ndarray:
    """From one slice to the next, in mm. Raises SamePlace, Gap, Tilted or Shifted."""
    positions = np.array([frame.position for frame in ordered])
    across = normal(ordered[0])
    distances = np.diff(positions @ across)
    _refuse_same_place(ordered, distances)
    _refuse_gaps(ordered, distances)
    _refuse_tilt(ordered, positions, across)
    return (positions[-1] - positions[0]) / (len(ordered) - 1)


def _refuse_same_place(ordered: Sequence[Frame], distances: np.ndarray) -> None:
    for index in np.flatnonzero(distances < SMALLEST_STEP):
        raise SamePlace(ordered[index].name, ordered[index + 1].name, ordered[index].position)


def _refuse_gaps(ordered: Sequence[Frame], distances: np.ndarray) -> None:
    expected = float(np.median(distances))
    off = np.abs(distances - expected)
    worst = int(np.argmax(off))
    if off[worst] > max(SMALLEST_STEP, STEP_TOLERANCE * expected):
        raise Gap(ordered[worst].name, ordered[worst + 1].name, float(distances[worst]), expected)


def _refuse_tilt(ordered: Sequence[Frame], positions: np.ndarray, across: np.ndarray) -> None:
    way = positions[-1] - positions[0]
    height = float(way @ across)
    beside = float(np.linalg.norm(way - height * across))
    tilt = degrees(atan2(beside, height))
    if tilt > MOST_TILT and beside > ROUNDING:
        raise Tilted(ordered[0].name, ordered[-1].name, tilt, MOST_TILT)
    line = positions[0] + np.outer((positions - positions[0]) @ across / height, way)
    off = np.linalg.norm(positions - line, axis=1)
    limit = max(ROUNDING, STEP_TOLERANCE * height / (len(ordered) - 1))
    if off.max() > limit:
        raise Shifted(ordered[0].name, ordered[int(off.argmax())].name, float(off.max()), limit)


def _single_step(frame: Frame) -> np.ndarray:
    return normal(frame) * (frame.thickness if frame.thickness and frame.thickness > 0 else 1.0)


def _spacing_alone(frame: Frame) -> Spacing | None:
    if frame.spacing is None or min(frame.spacing) <= 0:
        return None
    return (frame.thickness or 1.0, *frame.spacing)


def _affine(frame: Frame, step: np.ndarray) -> np.ndarray:
    affine = np.eye(4)
    affine[:3, 0] = np.array(frame.orientation[:3]) * frame.spacing[1]
    affine[:3, 1] = np.array(frame.orientation[3:]) * frame.spacing[0]
    affine[:3, 2] = step
    affine[:3, 3] = frame.position
    return affine


def turned(stack: np.ndarray, grid: Grid) -> tuple[np.ndarray, np.ndarray, Spacing]:
    """A (slice, row, column) array as (z, y, x), as ``lps`` says; with its affine, and its spacing as (z, y, x)."""
    array, affine, sizes = lps.turned(stack, grid.affine, grid.spacing[::-1])
    return array, affine, tuple(map(float, sizes[::-1]))


def why_not(frames: Sequence[Frame]) -> tuple[Grid | None, VolumeError | None]:
    """The grid, or the fault: one of the two is None."""
    try:
        return grid(frames), None
    except VolumeError as error:
        return None, error
