"""The pictures of a file, one a slice: a classic file has one, an enhanced multi-frame file has many.

A ``Frame`` is all that is remembered of a slice until its voxels are read; thousands are held at once.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from pydicom.datadict import tag_for_keyword
from pydicom.dataset import Dataset

from workers.jobs.volume.dicom import elements, layout, mapping
from workers.jobs.volume.dicom.archive import Member
from workers.jobs.volume.dicom.errors import BadScale
from workers.jobs.volume.dicom.headers import Header, LeftAside
from workers.jobs.volume.dicom.layout import Layout
from workers.jobs.volume.errors import VolumeError

Numbers = tuple[float, ...]

#: By these, in this order, pictures at the same position are told apart.
MARKS = (
    "EchoTime",
    "EffectiveEchoTime",
    "EchoNumbers",
    "TemporalPositionIdentifier",
    "TemporalPositionIndex",
    "FrameReferenceTime",
    "TriggerTime",
    "DiffusionBValue",
    "EnergyWindowVector",
    "DetectorVector",
    "StackID",
    "SequenceName",
    "ImageType",
    "FrameType",
    "AcquisitionTime",
    "AcquisitionNumber",
)
_READ = (
    *MARKS,
    *("SOPClassUID", "AcquisitionDate", "AcquisitionDateTime", "Modality", "SeriesDescription", "SliceThickness"),
    *("SpacingBetweenSlices", "ActualFrameDuration", "SeriesInstanceUID", "ImagePositionPatient"),
    *("ImageOrientationPatient", "SamplesPerPixel", "PhotometricInterpretation", "NumberOfFrames", "Rows", "Columns"),
    *("PixelSpacing", "ImagerPixelSpacing", "BitsAllocated", "BitsStored", "HighBit", "PixelRepresentation"),
    *("RescaleSlope", "RescaleIntercept", "RescaleType", "ModalityLUTSequence", "DetectorInformationSequence"),
    *("SliceVector", "Units", "CorrectedImage", "GridFrameOffsetVector", "DoseGridScaling", "DoseUnits"),
    *("SharedFunctionalGroupsSequence", "PerFrameFunctionalGroupsSequence", "RealWorldValueMappingSequence"),
)
TAGS = [tag for tag in map(tag_for_keyword, _READ) if tag]
_FUNCTIONS = (
    *("FrameContentSequence", "PlanePositionSequence", "PlaneOrientationSequence", "PixelMeasuresSequence"),
    *("PixelValueTransformationSequence", "MREchoSequence", "MRDiffusionSequence", "CardiacSynchronizationSequence"),
    *("CTImageFrameTypeSequence", "MRImageFrameTypeSequence", "PETFrameTypeSequence"),
)


@dataclass(frozen=True, slots=True)
class Frame:
    """One slice: where it lies (mm, LPS), how its stored numbers become values, and what it belongs to.

    ``index`` counts the frames of its file from 0. ``position`` is the centre of the first pixel,
    ``orientation`` the direction of a row and of a column, ``spacing`` mm between rows and between columns.
    ``corrected`` says for what a PET was (ATTN: attenuation). ``mapped`` are its real world values. ``fault`` is why
    its pixels cannot be read.
    """

    member: Member
    index: int
    layout: Layout
    series: str
    description: str
    modality: str
    position: Numbers | None
    orientation: Numbers | None
    spacing: Numbers | None
    thickness: float | None
    slope: float
    intercept: float
    unit: str
    acquired: str
    seconds: float | None
    corrected: str
    mapped: tuple[mapping.Mapped, ...]
    marks: tuple[str, ...]
    fault: VolumeError | None

    @property
    def name(self) -> str:
        """For sentences: the file, and which of its frames."""
        return self.member.name if self.layout.frames == 1 else f"{self.member.name}, frame {self.index + 1}"


def of(header: Header) -> list[Frame]:
    """The slices of a file. Raises LeftAside for colours, and VolumeError for what cannot be read at all."""
    dataset = header.dataset
    if "Rows" not in dataset:
        raise LeftAside("other")
    colour = elements.text(dataset, "PhotometricInterpretation")
    if elements.whole(dataset, "SamplesPerPixel", 1) != 1 or colour.startswith("PALETTE"):
        raise LeftAside("colour")
    stored = layout.of(header)
    fault = layout.fault(header, stored)
    return [_frame(header, stored, fault, each) for each in _views(dataset, stored.frames)]


@dataclass(frozen=True, slots=True)
class _View:
    """The data sets in which one frame is described, the most special one first; ``holders`` are those around them."""

    index: int
    datasets: tuple[Dataset, ...]
    position: Numbers | None = None
    holders: tuple[Dataset, ...] = ()

    def text(self, keyword: str) -> str:
        return next((found for each in self.datasets if (found := elements.text(each, keyword))), "")

    def number(self, *keywords: str) -> float | None:
        found = (elements.number(each, keyword) for keyword in keywords for each in self.datasets)
        return next((each for each in found if each is not None), None)

    def numbers(self, keyword: str, count: int) -> Numbers | None:
        found = (elements.numbers(each, keyword, count) for each in self.datasets)
        return next((each for each in found if each is not None), None)


def _views(dataset: Dataset, count: int) -> Iterator[_View]:
    groups = elements.items(dataset, "PerFrameFunctionalGroupsSequence")
    if len(groups) >= count:
        return _enhanced(dataset, groups[:count])
    offsets = elements.numbers(dataset, "GridFrameOffsetVector", count)
    if count > 1 and offsets:
        return _dose(dataset, offsets)
    if count > 1 and "DetectorInformationSequence" in dataset:
        return _nuclear(dataset, count)
    return (_View(index, (dataset,)) for index in range(count))


def _enhanced(dataset: Dataset, groups: list[Dataset]) -> Iterator[_View]:
    """Per frame, then shared, then the file: the order in which the standard looks for a function."""
    of_all = elements.first(dataset, "SharedFunctionalGroupsSequence")
    shared = tuple(_functions(of_all))
    for index, group in enumerate(groups):
        yield _View(index, (*_functions(group), *shared, dataset), holders=(group, of_all, dataset))


def _functions(group: Dataset) -> Iterator[Dataset]:
    return (elements.first(group, keyword) for keyword in _FUNCTIONS if keyword in group)


def _dose(dataset: Dataset, offsets: Numbers) -> Iterator[_View]:
    """A dose grid tells one position, and the way along the normal from there to each plane."""
    begin = elements.numbers(dataset, "ImagePositionPatient", 3)
    normal = _normal(elements.numbers(dataset, "ImageOrientationPatient", 6))
    relative = offsets[0] == 0
    for index, offset in enumerate(offsets):
        along = offset if relative else offset - offsets[0]
        yield _View(index, (dataset,), _moved(begin, normal, along))


def _nuclear(dataset: Dataset, count: int) -> Iterator[_View]:
    """Reconstructed SPECT tells the position of its first slice, and the way to the next."""
    detector = elements.first(dataset, "DetectorInformationSequence")
    begin = elements.numbers(detector, "ImagePositionPatient", 3)
    normal = _normal(elements.numbers(detector, "ImageOrientationPatient", 6))
    step = elements.number(dataset, "SpacingBetweenSlices") or elements.number(dataset, "SliceThickness") or 0.0
    slices = elements.numbers(dataset, "SliceVector", count) or tuple(range(1, count + 1))
    for index, number in enumerate(slices):
        yield _View(index, (detector, dataset), _moved(begin, normal, (number - 1) * step))


def _normal(orientation: Numbers | None) -> np.ndarray | None:
    return None if orientation is None else np.cross(orientation[:3], orientation[3:])


def _moved(begin: Numbers | None, normal: np.ndarray | None, along: float) -> Numbers | None:
    return None if begin is None or normal is None else tuple(map(float, np.array(begin) + along * normal))


def _frame(header: Header, stored: Layout, fault: VolumeError | None, view: _View) -> Frame:
    slope, intercept = _scale(view)
    return Frame(
        member=header.member,
        index=view.index,
        layout=stored,
        series=view.text("SeriesInstanceUID"),
        description=view.text("SeriesDescription"),
        modality=view.text("Modality"),
        position=view.position or view.numbers("ImagePositionPatient", 3),
        orientation=view.numbers("ImageOrientationPatient", 6),
        spacing=view.numbers("PixelSpacing", 2) or view.numbers("ImagerPixelSpacing", 2),
        thickness=view.number("SpacingBetweenSlices") or view.number("SliceThickness"),
        slope=slope,
        intercept=intercept,
        unit=view.text("Units") or view.text("RescaleType") or view.text("DoseUnits"),
        acquired=_acquired(view),
        seconds=_seconds(view),
        corrected=view.text("CorrectedImage"),
        mapped=mapping.of(view.holders or view.datasets),
        marks=tuple(view.text(keyword) for keyword in MARKS),
        fault=fault or _bad_scale(header, slope),
    )


def _scale(view: _View) -> tuple[float, float]:
    slope = view.number("RescaleSlope", "DoseGridScaling")
    return 1.0 if slope is None else slope, view.number("RescaleIntercept") or 0.0


def _bad_scale(header: Header, slope: float) -> BadScale | None:
    if elements.items(header.dataset, "ModalityLUTSequence"):
        return BadScale(header.member.name, "they come by a look-up table (Modality LUT), not by slope and intercept")
    return BadScale(header.member.name, "the slope (RescaleSlope) is 0") if slope == 0 else None


def _acquired(view: _View) -> str:
    """Date and time as DICOM writes them, "" where one is missing."""
    date, time = view.text("AcquisitionDate"), view.text("AcquisitionTime")
    whole = view.text("FrameAcquisitionDateTime") or view.text("AcquisitionDateTime")
    return whole or (date + time if date and time else "")


def _seconds(view: _View) -> float | None:
    milliseconds = view.number("ActualFrameDuration", "FrameAcquisitionDuration")
    return None if milliseconds is None else milliseconds / 1000
