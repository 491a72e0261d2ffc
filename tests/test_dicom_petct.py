"""Real PET/CT files come out with the right numbers, or are refused with the fault, the files and the values."""

import nibabel
import numpy as np
import pytest
from nibabel.orientations import apply_orientation, axcodes2ornt, io_orientation, ornt_transform

from tests.dicoms import read, shared
from workers.jobs.volume.dicom.errors import Gap, SamePlace, Tilted
from workers.jobs.volume.volume import NotSuv, Volume

DROS = ["0_0", "1_0", "2_0", "2_1", "2_4", "3_0", "3_2", "3_4", "4_2"]


def published(name: str) -> np.ndarray:
    """A publisher's NIfTI by nibabel, turned to LPS, as (z, y, x)."""
    image = nibabel.load(shared(name).path)
    moves = ornt_transform(io_orientation(image.affine), axcodes2ornt("LPS"))
    return apply_orientation(np.asanyarray(image.dataobj), moves).transpose()


def suv(volume: Volume) -> np.ndarray:
    return volume.array * np.float64(volume.suv.factor)


@pytest.mark.parametrize("name", DROS)
def test_reference_objects_show_the_right_suv_inside_the_mask(name):
    inside = published("dro_mask.nii.gz") > 0
    values = suv(read(shared(f"dro_{name}.zip")))[inside]
    assert np.round([values.min(), np.median(values), values.max()], 2).tolist() == [0.20, 1.00, 4.00]


@pytest.mark.parametrize(
    "name, note",
    [
        ("3_0", "A dose of 368.08 was taken as MBq."),
        ("3_4", "The slices were measured at different times and not corrected for decay"),
        ("4_2", "The injection was taken to be on the day before"),
    ],
)
def test_what_was_assumed_for_an_suv_is_said(name, note):
    assert any(each.startswith(note) for each in read(shared(f"dro_{name}.zip")).suv.notes)


def test_a_ct_is_stacked_as_its_publisher_did():
    volume = read(shared("sts_004_ct.zip"))
    assert volume.array.dtype == np.int16 and volume.unit == "HU" and volume.suv is None
    assert np.array_equal(volume.array, published("sts_004_ct.nii.gz"))


def test_a_pet_with_a_slope_for_each_slice_is_stacked_as_its_publisher_did():
    volume, other = read(shared("sts_004_pet.zip")), published("sts_004_pet.nii.gz")
    assert np.abs(volume.array - other).max() <= 3.4e-7 * other.max()
    assert volume.array.dtype == np.float32 and volume.suv.factor == 1
    assert suv(volume).max() == pytest.approx(5.3674, abs=5e-5)
    assert "slopes 4.07699e-05 to 0.000163811" in volume.source


def test_a_pet_and_its_ct_say_where_they_lie_and_whose_they_are():
    volume = read(shared("sts_004_pet.zip"))
    assert volume.orientation == "LPS" and volume.spacing == (3.27, 3.90625, 3.90625)
    assert volume.affine[:3, 3].tolist() == pytest.approx([-181.64063, -41.01563, 590.119994])
    about = volume.about
    assert (about.subject, about.label, about.modality) == ("STS_004", "IBSI_1_STS_004_PET_image", "PT")
    assert (about.acquired, about.scanner) == ("1999-10-22T14:00:17", "GE MEDICAL SYSTEMS Discovery ST")
    assert about.frame_of_reference_uid == read(shared("sts_004_ct.zip")).about.frame_of_reference_uid


def test_a_phantom_that_tells_no_unit_weight_or_dose_is_not_suv_and_says_what_is_missing():
    volume = read(shared("nema_iq_pet.zip"))
    assert isinstance(volume.suv, NotSuv) and volume.unit is None
    assert {"Units", "PatientWeight", "RadionuclideTotalDose"} <= set(volume.suv.missing)
    assert volume.suv.reason.startswith(
        "not SUV: the files do not tell Units, PatientWeight, RadionuclideTotalDose"
    )
    assert any("MONOCHROME1" in each for each in volume.warnings)
    assert volume.array.min() == 0 and volume.array.max() == pytest.approx(38127.426)


@pytest.mark.parametrize(
    "name, error, said",
    [
        (
            "bad_gantrytilting_001",
            Tilted,
            "From IM-0001-0001.dcm to IM-0001-0004.dcm the slices lean by 14.00 degrees",
        ),
        (
            "bad_notavolume_001",
            SamePlace,
            "001.dcm and 002.dcm lie at the same position (-139.228, -384.228, 61.5)",
        ),
        (
            "bad_sliceincrement_001",
            Gap,
            "IM-0001-0009-0001.dcm and IM-0001-0010-0001.dcm are 10 mm apart, but the slices of this series 5 mm.",
        ),
    ],
)
def test_what_is_no_volume_is_refused_with_the_files_and_the_values(name, error, said):
    with pytest.raises(error) as caught:
        read(shared(f"{name}.zip"))
    assert str(caught.value).startswith(said)
