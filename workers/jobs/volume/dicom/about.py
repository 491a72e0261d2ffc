"""Whose volume it is, of what, in which unit: words of a header, for people and for finding it again."""

from datetime import datetime

from pydicom.dataset import Dataset

from workers.jobs.volume.dicom import elements, times
from workers.jobs.volume.volume import About

_UNITS = {
    "BQML": "Bq/ml",
    "GML": "g/ml",
    "CM2ML": "cm2/ml",
    "CNTS": "counts",
    "CPS": "counts/s",
    "PROPCNTS": "proportional to counts",
    "PROPCPS": "proportional to counts/s",
    "PCNT": "%",
    "GY": "Gy",
    "NONE": None,
    "US": None,
    "UNSPECIFIED": None,
}


def of(dataset: Dataset, acquired: datetime | None, description: str) -> About:
    """By the whole header of one file. ``acquired`` is when its first slice was, None if that is not told."""
    return About(
        subject=elements.text(dataset, "PatientID"),
        label=description,
        modality=elements.text(dataset, "Modality"),
        acquired=times.spoken(acquired or _day(dataset)),
        series_uid=elements.text(dataset, "SeriesInstanceUID"),
        study_uid=elements.text(dataset, "StudyInstanceUID"),
        frame_of_reference_uid=elements.text(dataset, "FrameOfReferenceUID"),
        patient_name=elements.text(dataset, "PatientName"),
        scanner=_scanner(dataset),
    )


def _day(dataset: Dataset) -> datetime | None:
    """Of the first kind of date that is there; the content's may be that of a later processing, so it is last."""
    for kind in ("Acquisition", "Series", "Study", "Content"):
        date, time = (elements.text(dataset, f"{kind}{each}") for each in ("Date", "Time"))
        if found := times.moment(date + time):
            return found
    return None


def _scanner(dataset: Dataset) -> str:
    maker, model = (elements.text(dataset, each) for each in ("Manufacturer", "ManufacturerModelName"))
    return model if maker and model.upper().startswith(maker.upper()) else f"{maker} {model}".strip()


def unit(told: str, modality: str) -> str | None:
    """Of the values: CT is in Hounsfield units unless it says otherwise."""
    if modality == "CT" and told in ("", "HU"):
        return "HU"
    return _UNITS.get(told.upper(), told or None)
