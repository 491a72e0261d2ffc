"""Which series files hold, and whether each is a volume. Nothing is merged that does not belong together.

Pictures belong together by series UID, orientation, matrix and pixel spacing; and where several then lie at
the same position, by what tells them apart (echo, time, kind): each part is offered by itself.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from workers.jobs.volume.dicom import archive, geometry
from workers.jobs.volume.dicom.errors import NoneStacks, NoSeries, SeveralSeries, UnknownSeries
from workers.jobs.volume.dicom.frames import MARKS, Frame
from workers.jobs.volume.dicom.gathered import Gathered
from workers.jobs.volume.dicom.geometry import Grid
from workers.jobs.volume.errors import VolumeError
from workers.jobs.volume.source import Source

Progress = Callable[[int, int], None]
"""Called with how many are done, and how many there are; may raise, to end the work."""

# Directions that differ by less (1e-3 is 0.06 degrees) are the same, written with other digits.
SAME_DIRECTION = 1e-3
_IN_WORDS = {
    "EchoTime": "echo time {} ms",
    "EffectiveEchoTime": "echo time {} ms",
    "EchoNumbers": "echo {}",
    "TemporalPositionIdentifier": "time point {}",
    "TemporalPositionIndex": "time point {}",
    "FrameReferenceTime": "at {} ms",
    "TriggerTime": "trigger time {} ms",
    "DiffusionBValue": "b-value {}",
    "AcquisitionTime": "acquired at {}",
}


@dataclass(frozen=True, eq=False)
class Series:
    """What can be chosen. ``key`` names it: the series UID, with #2 and so on for further parts of a series.

    ``part`` says in words which part it is, or what it lacks; ``fault`` is why it cannot be stacked, or None, and
    then ``grid`` says how its slices lie.
    """

    key: str
    uid: str
    description: str
    modality: str
    slices: int
    rows: int
    columns: int
    part: str
    grid: Grid | None
    fault: VolumeError | None
    notes: tuple[str, ...] = ()

    @property
    def reason(self) -> str:
        """Why it cannot be stacked, in words; "" if it can."""
        return str(self.fault) if self.fault else ""

    def __str__(self) -> str:
        slices = f"{self.slices:,} slice{'s' if self.slices != 1 else ''} of {self.columns} x {self.rows}"
        part = f", {self.part}" if self.part else ""
        return f"“{self.description or 'without a name'}” ({self.modality or 'unknown modality'}, {slices}{part})"


@dataclass(frozen=True, eq=False)
class Offer:
    """All series of an upload called ``name``; ``aside`` are sentences on what else was there."""

    name: str
    series: tuple[Series, ...]
    aside: tuple[str, ...] = ()

    def chosen(self, key: str = "") -> Series:
        """That series; without a key the only one that can be stacked, single slices being left over for others.

        Raises UnknownSeries, NoSeries, SeveralSeries, NoneStacks, or the fault of the only one.
        """
        if key:
            return self._named(key)
        stackable = [each for each in self.series if not each.fault]
        stacks = [each for each in stackable if each.slices > 1] or stackable
        if len(stacks) == 1:
            return replace(stacks[0], notes=(*self._others(stacks[0]), *self.aside))
        if stacks:
            raise SeveralSeries(self.name, tuple((each.key, str(each)) for each in stacks))
        raise self._why_none()

    def _named(self, key: str) -> Series:
        found = next((each for each in self.series if each.key == key), None)
        if found is None:
            raise UnknownSeries(self.name, key, tuple(each.key for each in self.series))
        if found.fault:
            raise found.fault
        return replace(found, notes=self.aside)

    def _why_none(self) -> VolumeError:
        if not self.series:
            return NoSeries(self.name, " ".join(self.aside))
        if len(self.series) == 1:
            return self.series[0].fault
        return NoneStacks(self.name, tuple((str(each), each.reason) for each in self.series[:10]))

    def _others(self, taken: Series) -> tuple[str, ...]:
        others = [str(each) for each in self.series if each is not taken]
        return (f"Not taken from the same files: {'; '.join(others[:5])}.",) if others else ()


def offered(sources: Iterable[Source], progress: Progress = lambda done, total: None) -> Offer:
    """The series in ``sources``, by their headers; progress counts files. Raises VolumeError for bad archives."""
    sources = tuple(sources)
    members = archive.members(sources)
    gathered = Gathered(sources[0].name if len(sources) == 1 else "The upload")
    for done, member in enumerate(members, start=1):
        gathered.take(member)
        progress(done, len(members))
    if gathered.damaged and not gathered.frames:
        raise gathered.damaged[0]
    return Offer(gathered.name, _series(gathered.frames), tuple(gathered.said()))


def _series(found: Sequence[Frame]) -> tuple[Series, ...]:
    by_uid: dict[str, list[Frame]] = {}
    for frame in found:
        by_uid.setdefault(frame.series, []).append(frame)
    return tuple(each for uid, members in by_uid.items() for each in _parts(uid, members))


def _parts(uid: str, members: Sequence[Frame]) -> list[Series]:
    alike = _by_shape(members)
    told = [(_shape_words(group[0]) if len(alike) > 1 else "", group) for group in alike]
    told = [(_joined(words, more), part) for words, group in told for more, part in _by_mark(group)]
    return [_one(uid, number, words, part) for number, (words, part) in enumerate(told, start=1)]


def _joined(*words: str) -> str:
    return ", ".join(each for each in words if each)


def _one(uid: str, number: int, words: str, part: Sequence[Frame]) -> Series:
    broken = next((each.fault for each in part if each.fault), None)
    grid, fault = geometry.why_not(part) if broken is None else (None, broken)
    first = part[0]
    return Series(
        key=(uid or "series") + (f"#{number}" if number > 1 else ""),
        uid=uid,
        description=first.description,
        modality=first.modality,
        slices=len(part),
        rows=first.layout.rows,
        columns=first.layout.columns,
        part=_joined(words, _uncorrected(first)),
        grid=grid,
        fault=fault,
    )


def _uncorrected(frame: Frame) -> str:
    """Scanners send both; only the one that is corrected can be measured."""
    known = frame.modality != "PT" or "ATTN" in frame.corrected.split("\\")
    return "" if known else "not attenuation corrected"


def _by_shape(members: Sequence[Frame]) -> list[list[Frame]]:
    """Groups of the same matrix, pixel spacing and orientation; the last within rounding."""
    groups: dict[tuple, list[list[Frame]]] = {}
    for frame in members:
        spacing = None if frame.spacing is None else tuple(round(each, 4) for each in frame.spacing)
        same = groups.setdefault((frame.layout.rows, frame.layout.columns, spacing), [])
        group = next((each for each in same if _parallel(each[0], frame)), None)
        if group is None:
            same.append([frame])
        else:
            group.append(frame)
    return [group for same in groups.values() for group in same]


def _parallel(one: Frame, other: Frame) -> bool:
    if one.orientation is None or other.orientation is None:
        return one.orientation is other.orientation
    pairs = zip(one.orientation, other.orientation, strict=True)
    return all(abs(first - second) <= SAME_DIRECTION for first, second in pairs)


def _shape_words(frame: Frame) -> str:
    if frame.orientation is None:
        return "without an orientation"
    row, column = (_side(frame.orientation[:3]), _side(frame.orientation[3:]))
    return f"rows towards {row}, columns towards {column}"


def _side(direction: Sequence[float]) -> str:
    names = (("left", "right"), ("back", "front"), ("head", "feet"))
    axis = int(np.argmax(np.abs(direction)))
    side = names[axis][direction[axis] < 0]
    tilt = np.degrees(np.arccos(min(1.0, abs(direction[axis]) / (np.linalg.norm(direction) or 1.0))))
    return side if tilt < 0.1 else f"{side} ({tilt:.1f} degrees off)"


def _by_mark(group: list[Frame]) -> list[tuple[str, list[Frame]]]:
    """The group itself, unless several frames share a place and one mark puts them apart, each part a stack."""
    if not _shares_places(group):
        return [("", group)]
    for index, keyword in enumerate(MARKS):
        parts: dict[str, list[Frame]] = {}
        for frame in group:
            parts.setdefault(frame.marks[index], []).append(frame)
        if len(parts) > 1 and all(len(part) > 1 and not _shares_places(part) for part in parts.values()):
            words = _IN_WORDS.get(keyword, f"{keyword} {{}}")
            return [(words.format(value or "none"), part) for value, part in parts.items()]
    return [("", group)]


def _shares_places(group: Sequence[Frame]) -> bool:
    if any(frame.position is None or frame.orientation is None for frame in group):
        return False
    along = np.sort(np.array([frame.position for frame in group]) @ geometry.normal(group[0]))
    return bool((np.diff(along) < geometry.SMALLEST_STEP).any())
