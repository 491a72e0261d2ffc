"""DICOM files for tests: made by pydicom, one slice each or many, and those that packages and people ship."""

import os
import zipfile
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from pydicom import dcmwrite
from pydicom.data import get_testdata_file
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import UID, ExplicitVRLittleEndian

from tests.processes import ROOT
from workers.jobs.volume.dicom import load, series
from workers.jobs.volume.dicom.series import Offer
from workers.jobs.volume.source import Source
from workers.jobs.volume.volume import Volume

CT, ENHANCED_CT, PET = (f"1.2.840.10008.5.1.4.1.1.{kind}" for kind in ("2", "2.1", "128"))
AXIAL = (1, 0, 0, 0, 1, 0)


def shared(name: str) -> Source:
    """A real PET/CT file; the test is left out where they are absent, as they may not be in the project."""
    folder = Path(os.environ.get("WAYBILL_TEST_DATA", ROOT.parent / "shared/data/petct"))
    if not (folder / name).is_file():
        pytest.skip(f"no {name} in {folder}; set WAYBILL_TEST_DATA")
    return Source(folder / name, name)


def shipped(name: str) -> Source:
    """One of pydicom's own test files, from the installed packages, never downloaded."""
    path = get_testdata_file(name, download=False)
    assert path, f"{name} is not in pydicom or pydicom-data"
    return Source(Path(path), name)


def saved(folder: Path, name: str, data: bytes) -> Source:
    (folder / name).parent.mkdir(parents=True, exist_ok=True)
    (folder / name).write_bytes(data)
    return Source(folder / name, name)


def zipped(
    folder: Path, files: dict[str, bytes], name: str = "scan.zip", packed: int = zipfile.ZIP_DEFLATED
) -> Source:
    with zipfile.ZipFile(folder / name, "w", packed) as archive:
        for each, data in files.items():
            archive.writestr(each, data)
    return Source(folder / name, name)


def header(pixels: np.ndarray, position=(0, 0, 0), **elements) -> Dataset:
    """A CT slice of these pixels; elements by keyword, None leaves one out."""
    dataset = Dataset()
    told = {
        "SOPClassUID": CT,
        "SOPInstanceUID": f"1.2.3.{abs(hash(tuple(position)))}",
        "SeriesInstanceUID": "1.2.3",
        "StudyInstanceUID": "1.2",
        "Modality": "CT",
        "ImagePositionPatient": list(position),
        "ImageOrientationPatient": list(AXIAL),
        "PixelSpacing": [0.75, 0.5],
        "SliceThickness": 2,
        "Rows": pixels.shape[-2],
        "Columns": pixels.shape[-1],
        "SamplesPerPixel": 1,
        "PhotometricInterpretation": "MONOCHROME2",
        "BitsAllocated": 8 * pixels.itemsize,
        "BitsStored": 8 * pixels.itemsize,
        "HighBit": 8 * pixels.itemsize - 1,
        "PixelRepresentation": int(pixels.dtype.kind == "i"),
        "RescaleSlope": 1,
        "RescaleIntercept": 0,
        "PixelData": pixels.tobytes(),
    }
    for keyword, value in (told | elements).items():
        if value is not None:
            setattr(dataset, keyword, value)
    return dataset


def written(dataset: Dataset, syntax: str = ExplicitVRLittleEndian) -> bytes:
    dataset["PixelData"].VR = "OW" if dataset.BitsAllocated > 8 else "OB"
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = UID(syntax)
    file = BytesIO()
    dcmwrite(file, dataset, enforce_file_format=True)
    return file.getvalue()


def slice_of(
    pixels: np.ndarray, position=(0, 0, 0), syntax: str = ExplicitVRLittleEndian, **elements
) -> bytes:
    return written(header(pixels, position, **elements), syntax)


def voxels(depth: int = 4, rows: int = 5, columns: int = 6, dtype: str = "int16") -> np.ndarray:
    return np.random.default_rng(0).integers(0, 100, (depth, rows, columns)).astype(dtype)


def stack_of(array: np.ndarray, step: float = 2.0, **elements) -> dict[str, bytes]:
    """Files of one axial series, feet first."""
    return {f"{at}.dcm": slice_of(pixels, (0, 0, at * step), **elements) for at, pixels in enumerate(array)}


def offer(*sources: Source) -> Offer:
    return series.offered(sources)


def read(*sources: Source, key: str = "") -> Volume:
    return load.volume(sources, series=key)
