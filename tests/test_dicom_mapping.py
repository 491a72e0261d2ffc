"""Real world values: an enhanced PET that tells its SUV by them has it; what does not hold for all is not taken."""

import numpy as np
import pytest
from pydicom.dataset import Dataset

from tests.dicoms import read, saved, slice_of, voxels, written
from tests.test_dicom_pixels import enhanced, one
from tests.test_dicom_suv import pet
from workers.jobs.volume.volume import NotSuv, Suv

SLOPES = [1, 0.5, 2, 0.25]
FACTOR = 2.5e-4


def mapped(slope: float, intercept: float = 0.0, unit: str = "{SUVbw}g/ml") -> Dataset:
    """As an item of RealWorldValueMappingSequence."""
    code = one(CodeValue=unit, CodingSchemeDesignator="UCUM", CodeMeaning=unit)
    told = {"RealWorldValueFirstValueMapped": 0, "RealWorldValueLastValueMapped": 32767}
    told |= {"RealWorldValueSlope": slope, "RealWorldValueIntercept": intercept}
    return one(**told, MeasurementUnitsCodeSequence=[code])


def multi_frame(folder, items) -> tuple[np.ndarray, Suv | NotSuv]:
    """Values and SUV of a PET of four frames, of which ``items(slope)`` tell the real world values."""
    dataset = enhanced(voxels(4), [2, 0, 3, 1], SLOPES)
    dataset.Modality, dataset.SOPClassUID = "PT", "1.2.840.10008.5.1.4.1.1.130"
    for group, slope in zip(dataset.PerFrameFunctionalGroupsSequence, np.take(SLOPES, [2, 0, 3, 1]), strict=True):
        group.RealWorldValueMappingSequence = items(float(slope))
    volume = read(saved(folder, "a.dcm", written(dataset)))
    return volume.array, volume.suv


def single(folder, *items: Dataset, **elements) -> Suv | NotSuv:
    told = pet(RealWorldValueMappingSequence=list(items), Units=None, **elements)
    told = {name: value for name, value in told.items() if value is not None}
    return read(saved(folder, "a.dcm", slice_of(voxels(1), **told))).suv


@pytest.mark.parametrize("unit", ["{SUVbw}g/ml", "g/ml{SUVbw}"])
def test_an_enhanced_pet_has_the_suv_of_its_real_world_values(tmp_path, unit):
    items = lambda slope: [mapped(slope, unit="Bq/ml"), mapped(slope * FACTOR, FACTOR, unit)]  # noqa: E731
    array, suv = multi_frame(tmp_path, items)
    assert (suv.factor, suv.kind) == (pytest.approx(FACTOR), "BW")
    stored = voxels(4) * np.array(SLOPES)[:, None, None]
    assert np.allclose(array * suv.factor, stored * FACTOR + FACTOR)


@pytest.mark.parametrize(
    "items",
    [
        lambda slope: [mapped(slope * FACTOR * (1 + slope), FACTOR)],
        lambda slope: [mapped(slope * FACTOR, 5.0)],
        lambda slope: [mapped(slope * FACTOR, FACTOR), mapped(slope * 2 * FACTOR, FACTOR)],
        lambda slope: [mapped(slope, 1.0, "Bq/ml")],
        lambda slope: [],
    ],
    ids=["another factor in each frame", "shifted", "parts of the numbers", "another unit", "none"],
)
def test_what_does_not_hold_for_all_voxels_is_no_suv(tmp_path, items):
    assert isinstance(multi_frame(tmp_path, items)[1], NotSuv)


def test_a_classic_file_may_tell_them_too_but_its_units_come_first(tmp_path):
    assert single(tmp_path, mapped(FACTOR)).factor == pytest.approx(FACTOR)
    told = pet(RealWorldValueMappingSequence=[mapped(FACTOR)])
    by_units = read(saved(tmp_path, "b.dcm", slice_of(voxels(1), **told))).suv
    assert by_units.factor == pytest.approx(2.777781e-4, rel=1e-6)


def test_suv_by_lean_mass_becomes_suv_by_weight(tmp_path):
    by_lean = single(tmp_path, mapped(FACTOR, unit="{SUVlbm}g/ml"))
    assert by_lean.kind == "BW" and by_lean.factor > FACTOR and by_lean.inputs["real world values"] == "LBM"
    assert isinstance(single(tmp_path, mapped(FACTOR, unit="{SUVlbm}g/ml"), PatientSize=None), NotSuv)
