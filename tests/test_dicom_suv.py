"""SUV: the worked example, factors published for real scanners' headers, and what cannot be told."""

from datetime import datetime
from io import BytesIO

import numpy as np
import pytest
from pydicom import dcmread
from pydicom.dataset import Dataset

from tests.dicoms import PET, read, saved, slice_of, stack_of, voxels, zipped
from workers.jobs.volume.dicom import body, decay, suv
from workers.jobs.volume.errors import BadValue
from workers.jobs.volume.volume import NotSuv, Suv

TEN, ELEVEN = datetime(2025, 1, 1, 10), datetime(2025, 1, 1, 11)
EXAMPLE = {
    "weight_kg": 70,
    "dose_bq": 368_080_000,
    "half_life_s": 6586.2,
    "injected": TEN,
    "reference": ELEVEN,
}


def item(**elements) -> Dataset:
    dataset = Dataset()
    for keyword, value in elements.items():
        if value is not None:
            setattr(dataset, keyword, value)
    return dataset


def drug(**elements) -> list[Dataset]:
    told = {
        "RadiopharmaceuticalStartDateTime": "20250101100000",
        "RadionuclideTotalDose": 368_080_000,
        "RadionuclideHalfLife": 6586.2,
    }
    return [item(**(told | elements))]


def pet(**elements) -> dict:
    """What a PET of the worked example says, beside its pixels."""
    told = {
        "SOPClassUID": PET,
        "Modality": "PT",
        "Units": "BQML",
        "DecayCorrection": "START",
        "CorrectedImage": ["DECY", "ATTN"],
        "SeriesDate": "20250101",
        "SeriesTime": "110000",
        "AcquisitionDate": "20250101",
        "AcquisitionTime": "110000",
        "ActualFrameDuration": 300_000,
        "PatientWeight": 70,
        "PatientSize": 1.75,
        "PatientSex": "M",
        "RadiopharmaceuticalInformationSequence": drug(),
    }
    return told | elements


def told(folder, **elements) -> Suv | NotSuv:
    return read(saved(folder, "a.dcm", slice_of(voxels(1), **pet(**elements)))).suv


def factor(folder, **elements) -> float:
    found = told(folder, **elements)
    assert isinstance(found, Suv), found
    return found.factor


def test_the_worked_example():
    found = suv.corrected(**EXAMPLE)
    assert found.inputs["dose then (Bq)"] == pytest.approx(251_999_685, abs=0.5)
    assert found.factor == pytest.approx(2.777781e-4, rel=1e-6)
    assert [round(stored * found.factor, 2) for stored in (14_400, 3_600, 720)] == [4.00, 1.00, 0.20]


def test_a_header_of_the_worked_example_gives_its_factor_and_names_what_went_in(tmp_path):
    found = told(tmp_path)
    assert found.factor == pytest.approx(2.777781e-4, rel=1e-6) and found.kind == "BW" and found.notes == ()
    assert (
        found.inputs["injected"] == "2025-01-01T10:00:00"
        and found.inputs["corrected to"] == "2025-01-01T11:00:00"
    )
    assert found.inputs["weight (kg)"] == 70 and found.inputs["half-life (s)"] == 6586.2


VENDORS = {
    "Philips": (
        7.463747e-4,
        {
            "SeriesTime": "110155",
            "AcquisitionTime": "110156",
            "PatientWeight": 64,
            "FrameReferenceTime": 1328700,
        },
        ("20201217100058", 126_000_000, 6586.199707),
    ),
    "Siemens": (
        4.274832e-4,
        {"SeriesTime": "104829.000000", "AcquisitionTime": "104830.351370", "PatientWeight": 67},
        ("20201217083045.000000 ", 374_000_000, 6586.2),
    ),
    "GE": (
        5.367388e-4,
        {"SeriesTime": "095621", "AcquisitionTime": "095621", "PatientWeight": 52, "FrameReferenceTime": 0},
        ("20201217084500.00 ", 152_022_720, 6586.2001953125),
    ),
}


@pytest.mark.parametrize("vendor", VENDORS)
def test_headers_of_real_scanners_give_the_published_factors(tmp_path, vendor):
    published, elements, (start, dose, half_life) = VENDORS[vendor]
    injection = drug(
        RadiopharmaceuticalStartDateTime=start, RadionuclideTotalDose=dose, RadionuclideHalfLife=half_life
    )
    days = {"SeriesDate": "20201217", "AcquisitionDate": "20201217"}
    found = factor(tmp_path, **days, **elements, RadiopharmaceuticalInformationSequence=injection)
    assert found == pytest.approx(published, rel=1e-6)


def test_a_series_time_after_the_scan_is_replaced_by_what_the_frame_reference_tells(tmp_path):
    """Published for a Siemens header whose series begins 5 microseconds after its first acquisition."""
    injection = drug(
        RadiopharmaceuticalStartDateTime=None,
        RadiopharmaceuticalStartTime="114100",
        RadionuclideTotalDose=225e6,
    )
    found = factor(
        tmp_path,
        SeriesTime="123515.000000",
        AcquisitionTime="123514.999995",
        PatientWeight=65,
        FrameReferenceTime=59936.854672596,
        ActualFrameDuration=120_000,
        RadiopharmaceuticalInformationSequence=injection,
    )
    assert found == pytest.approx(4.069156854e-4, rel=1e-5)


def test_without_a_frame_reference_the_earliest_acquisition_counts(tmp_path):
    elements = {"SeriesTime": "113000", "AcquisitionTime": "110000", "FrameReferenceTime": 0}
    assert factor(tmp_path, **elements) == pytest.approx(suv.corrected(**EXAMPLE).factor)


def test_the_private_time_of_ge_comes_first(tmp_path):
    data = slice_of(voxels(1), **pet(SeriesTime="103000"))
    data = _with_private(data, 0x0009, "GEMS_PETD_01", 0x0D, "DT", "20250101110000")
    assert read(saved(tmp_path, "a.dcm", data)).suv.factor == pytest.approx(suv.corrected(**EXAMPLE).factor)


def _with_private(data: bytes, group: int, creator: str | None, element: int, vr: str, value: str) -> bytes:
    dataset = dcmread(BytesIO(data))
    if creator:
        dataset.private_block(group, creator, create=True).add_new(element, vr, value)
    else:
        dataset.add_new((group, 0x1000 + element), vr, value)
    file = BytesIO()
    dataset.save_as(file)
    return file.getvalue()


@pytest.mark.parametrize("creator", ["Philips PET Private Group", None])
@pytest.mark.parametrize(
    "element, value, expected", [(0x00, "0.0005", 5e-4), (0x09, "2.5", 2.5 * 2.777781e-4)]
)
def test_counts_become_suv_by_the_factors_of_philips(tmp_path, creator, element, value, expected):
    data = slice_of(voxels(1), **pet(Units="CNTS"))
    volume = read(saved(tmp_path, "a.dcm", _with_private(data, 0x7053, creator, element, "DS", value)))
    assert volume.suv.factor == pytest.approx(expected, rel=1e-6) and volume.unit == "counts"


def test_counts_without_a_factor_are_not_suv(tmp_path):
    assert "counts" in told(tmp_path, Units="CNTS").reason


def test_a_private_value_of_somebody_else_is_not_taken(tmp_path):
    data = _with_private(
        slice_of(voxels(1), **pet(Units="CNTS")), 0x7053, "Somebody else", 0x00, "DS", "0.0005"
    )
    assert isinstance(read(saved(tmp_path, "a.dcm", data)).suv, NotSuv)


def test_a_dose_that_is_corrected_to_the_injection_needs_no_times(tmp_path):
    injection = drug(RadiopharmaceuticalStartDateTime=None, RadionuclideHalfLife=None)
    found = factor(tmp_path, DecayCorrection="ADMIN", RadiopharmaceuticalInformationSequence=injection)
    assert found == pytest.approx(70_000 / 368_080_000)


def test_slices_without_decay_correction_are_brought_to_the_time_of_the_first(tmp_path):
    array = np.full((2, 4, 4), 1000, np.int16)
    files = stack_of(array, **pet(DecayCorrection="NONE"))
    later = slice_of(array[1], (0, 0, 2), **pet(DecayCorrection="NONE", AcquisitionTime="110500"))
    volume = read(zipped(tmp_path, files | {"1.dcm": later}))
    assert volume.array[0, 0, 0] == 1000
    assert volume.array[1, 0, 0] == pytest.approx(1000 * 2 ** (300 / 6586.2), rel=1e-6)
    alone = suv.corrected(**EXAMPLE, correction="NONE", frame_s=300)
    assert volume.suv.factor == pytest.approx(alone.factor)


def test_a_frame_is_corrected_for_the_decay_while_it_is_measured():
    half_life = 6586.2
    steps = np.linspace(0, 600, 100_001)
    mean = np.trapezoid(2 ** (-steps / half_life), steps) / 600
    assert decay.over_frame(600, half_life) == pytest.approx(1 / mean)
    assert 2 ** (-decay.mean_moment(600, half_life) / half_life) == pytest.approx(mean)


@pytest.mark.parametrize(
    "elements, missing",
    [
        ({"PatientWeight": None}, "PatientWeight"),
        ({"PatientWeight": 0}, "PatientWeight"),
        ({"DecayCorrection": None}, "DecayCorrection"),
        (
            {"RadiopharmaceuticalInformationSequence": drug(RadionuclideTotalDose=None)},
            "RadionuclideTotalDose",
        ),
        ({"RadiopharmaceuticalInformationSequence": drug(RadionuclideHalfLife=None)}, "RadionuclideHalfLife"),
        (
            {"RadiopharmaceuticalInformationSequence": drug(RadiopharmaceuticalStartDateTime=None)},
            "RadiopharmaceuticalStartDateTime",
        ),
        ({"DecayCorrection": "NONE", "ActualFrameDuration": None}, "ActualFrameDuration"),
        ({"Units": "GML", "SUVType": "LBM", "PatientSize": None}, "PatientSize"),
        ({"Units": None}, "Units"),
    ],
)
def test_what_is_missing_is_named_and_nothing_is_guessed(tmp_path, elements, missing):
    found = told(tmp_path, **elements)
    assert isinstance(found, NotSuv) and found.missing == (missing,) and missing in found.reason


@pytest.mark.parametrize(
    "elements", [{"Units": "PROPCNTS"}, {"Units": "GML", "SUVType": "???"}, {"DecayCorrection": "X"}]
)
def test_what_is_something_else_is_not_suv(tmp_path, elements):
    assert told(tmp_path, **elements).reason.startswith("not SUV")


def test_a_weight_in_grams_and_a_dose_in_mbq_are_taken_as_such_and_said(tmp_path):
    found = told(
        tmp_path,
        PatientWeight=70_000,
        RadiopharmaceuticalInformationSequence=drug(RadionuclideTotalDose=368.08),
    )
    assert found.factor == pytest.approx(2.777781e-4, rel=1e-6)
    assert found.notes == ("A weight of 70000 was taken as grams.", "A dose of 368.08 was taken as MBq.")


def test_a_pet_that_is_not_corrected_for_attenuation_says_so(tmp_path):
    volume = read(saved(tmp_path, "a.dcm", slice_of(voxels(1), **pet(CorrectedImage=["DECY"]))))
    assert any(each.startswith("Not attenuation corrected") for each in volume.warnings)
    assert any(each.startswith("Not attenuation corrected") for each in volume.suv.notes)


@pytest.mark.parametrize("start", ["20240101100000", "20250101130000"])
def test_an_injection_long_before_or_after_the_scan_makes_no_suv(tmp_path, start):
    injection = drug(RadiopharmaceuticalStartDateTime=start)
    assert "injected is" in told(tmp_path, RadiopharmaceuticalInformationSequence=injection).reason


def test_an_injection_before_midnight_is_on_the_day_before(tmp_path):
    times = {
        "SeriesDate": "20250102",
        "AcquisitionDate": "20250102",
        "SeriesTime": "003000",
        "AcquisitionTime": "003000",
    }
    injection = drug(RadiopharmaceuticalStartDateTime=None, RadiopharmaceuticalStartTime="233000")
    found = told(tmp_path, **times, RadiopharmaceuticalInformationSequence=injection)
    assert found.factor == pytest.approx(2.777781e-4, rel=1e-6)
    assert "day before" in found.notes[0]


@pytest.mark.parametrize(
    "kind, sex, kg",
    [
        ("LBM", "M", 57.8),
        ("LBM", "F", 51.22),
        ("LBMJAMES128", "M", 56.52),
        ("LBMJAMES128", "O", 53.87),
        ("LBMJANMA", "M", 9270 * 70 / (6680 + 216 * 70 / 1.75**2)),
        ("LBMJANMA", "F", 9270 * 70 / (8780 + 244 * 70 / 1.75**2)),
        ("IBW", "M", 48 + 1.06 * 23),
        ("IBW", "O", (48 + 1.06 * 23 + 45.5 + 0.91 * 23) / 2),
    ],
)
def test_suv_by_another_mass_becomes_suv_by_weight(tmp_path, kind, sex, kg):
    found = told(tmp_path, Units="GML", SUVType=kind, PatientSex=sex)
    assert found.factor == pytest.approx(70 / kg) and found.inputs["stored as"] == f"SUV {kind}"


def test_suv_by_body_surface_becomes_suv_by_weight(tmp_path):
    surface = 0.007184 * 175**0.725 * 70**0.425
    found = told(tmp_path, Units="CM2ML")
    assert found.factor == pytest.approx(70_000 / (surface * 1e4))
    assert found.inputs["body surface (m2)"] == pytest.approx(surface) == body.surface(70, 1.75)


@pytest.mark.parametrize(
    "changes",
    [
        {"weight_kg": 0},
        {"weight_kg": float("nan")},
        {"dose_bq": -1},
        {"half_life_s": 0},
        {"injected": None},
        {"reference": None},
        {"correction": "SOMETIMES"},
        {"injected": datetime(1900, 1, 1)},
    ],
    ids=str,
)
def test_corrected_inputs_that_cannot_be_are_refused_by_their_name(changes):
    with pytest.raises(BadValue, match=f"^{next(iter(changes))} is "):
        suv.corrected(**EXAMPLE | changes)


def test_other_modalities_have_no_suv(tmp_path):
    assert read(saved(tmp_path, "a.dcm", slice_of(voxels(1)))).suv is None
