"""Each series of an upload is offered by itself; what differs is never merged, and nothing is left unsaid."""

import pickle
import tracemalloc

import numpy as np
import pytest

from tests.dicoms import offer, read, saved, shipped, slice_of, stack_of, voxels, zipped
from workers.jobs.volume import read as any_file
from workers.jobs.volume.dicom import load
from workers.jobs.volume.dicom.errors import NoneStacks, NoSeries, SeveralSeries, UnknownSeries
from workers.jobs.volume.errors import DamagedFile
from workers.jobs.volume.raw import Recipe


def renamed(files: dict[str, bytes], prefix: str) -> dict[str, bytes]:
    return {f"{prefix}/{name}": data for name, data in files.items()}


def two_series() -> dict[str, bytes]:
    told = {
        "SeriesInstanceUID": "1.2.9",
        "SeriesDescription": "PET",
        "Modality": "PT",
        "CorrectedImage": ["ATTN"],
    }
    pet = stack_of(voxels(3) + 1, **told)
    return renamed(stack_of(voxels(4), SeriesDescription="CT"), "ct") | renamed(pet, "pet")


def test_every_series_is_offered_with_what_a_form_shows(tmp_path):
    first, second = offer(zipped(tmp_path, two_series())).series
    assert (first.key, first.description, first.modality, first.slices) == ("1.2.3", "CT", "CT", 4)
    assert (first.columns, first.rows, first.fault, first.reason) == (6, 5, None, "")
    assert (second.key, second.slices) == ("1.2.9", 3)
    assert str(second) == "“PET” (PT, 3 slices of 6 x 5)"


def test_a_pet_that_is_not_corrected_for_attenuation_is_offered_as_such(tmp_path):
    (found,) = offer(
        zipped(tmp_path, stack_of(voxels(2), Modality="PT", CorrectedImage=["DECY", "SCAT"]))
    ).series
    assert str(found) == "“without a name” (PT, 2 slices of 6 x 5, not attenuation corrected)"


def test_of_several_series_one_has_to_be_chosen(tmp_path):
    source = zipped(tmp_path, two_series())
    with pytest.raises(SeveralSeries) as caught:
        read(source)
    said = str(pickle.loads(pickle.dumps(caught.value)))
    assert said == (
        "scan.zip holds 2 series. Choose one: “CT” (CT, 4 slices of 6 x 5) [1.2.3];"
        " “PET” (PT, 3 slices of 6 x 5) [1.2.9]."
    )
    assert read(source, key="1.2.9").array.shape == (3, 5, 6)
    with pytest.raises(UnknownSeries, match=r"holds no series “7”, but 1\.2\.3, 1\.2\.9"):
        read(source, key="7")


def test_files_and_archives_are_read_together(tmp_path):
    files = stack_of(voxels(4))
    archive = zipped(tmp_path, {name: files[name] for name in ("0.dcm", "2.dcm")})
    volume = read(archive, saved(tmp_path, "1", files["1.dcm"]), saved(tmp_path, "3", files["3.dcm"]))
    assert np.array_equal(volume.array, voxels(4))


def test_a_single_slice_beside_a_stack_is_not_asked_about_but_said(tmp_path):
    scout = slice_of(voxels(1, 9, 9), SeriesInstanceUID="1.2.8", SeriesDescription="scout")
    volume = read(zipped(tmp_path, stack_of(voxels(4)) | {"scout": scout}))
    assert volume.array.shape == (4, 5, 6)
    assert volume.warnings == ("Not taken from the same files: “scout” (CT, 1 slice of 9 x 9).",)


@pytest.mark.parametrize(
    "elements",
    [
        {"ImageOrientationPatient": [0, 1, 0, 0, 0, -1]},
        {"PixelSpacing": [0.8, 0.5]},
    ],
    ids=str,
)
def test_pictures_that_lie_otherwise_are_parts_of_their_own(tmp_path, elements):
    files = stack_of(voxels(3)) | renamed(stack_of(voxels(3), **elements), "other")
    for at in range(3):  # along the normal of theirs
        files[f"other/{at}.dcm"] = slice_of(
            voxels(3)[at], (at * 2, 0, at * 2 if "PixelSpacing" in elements else 0), **elements
        )
    if "PixelSpacing" in elements:
        files |= {f"other/{at}.dcm": slice_of(voxels(3)[at], (0, 0, at * 2), **elements) for at in range(3)}
    parts = offer(zipped(tmp_path, files)).series
    assert [each.key for each in parts] == ["1.2.3", "1.2.3#2"] and [each.slices for each in parts] == [3, 3]
    assert all(each.fault is None and each.part for each in parts)


def test_another_matrix_is_a_part_of_its_own(tmp_path):
    files = stack_of(voxels(3)) | renamed(stack_of(voxels(3, 7, 7)), "other")
    assert [(each.columns, each.rows) for each in offer(zipped(tmp_path, files)).series] == [(6, 5), (7, 7)]


@pytest.mark.parametrize(
    "elements, part",
    [
        ({"EchoTime": 4.6}, "echo time 4.6 ms"),
        ({"TemporalPositionIdentifier": 2}, "time point 2"),
        ({"FrameReferenceTime": 30000}, "at 30000.0 ms"),
        ({"ImageType": ["DERIVED", "PRIMARY", "M"]}, "ImageType DERIVED\\PRIMARY\\M"),
        ({"DiffusionBValue": 800.0}, "b-value 800.0"),
        ({"AcquisitionTime": "110500"}, "acquired at 110500"),
    ],
    ids=str,
)
def test_several_volumes_in_one_series_are_told_apart(tmp_path, elements, part):
    files = renamed(stack_of(voxels(3)), "a") | renamed(stack_of(voxels(3) + 50, **elements), "b")
    parts = offer(zipped(tmp_path, files)).series
    assert [each.slices for each in parts] == [3, 3] and parts[1].part == part
    assert np.array_equal(load.read(parts[1]).array, voxels(3) + 50)


def test_times_that_differ_from_slice_to_slice_split_nothing(tmp_path):
    files = {
        f"{at}": slice_of(pixels, (0, 0, at), AcquisitionTime=f"11000{at}")
        for at, pixels in enumerate(voxels(4))
    }
    assert read(zipped(tmp_path, files)).array.shape == (4, 5, 6)


def test_when_none_is_a_volume_each_reason_is_given(tmp_path):
    files = stack_of(voxels(5)) | renamed(
        stack_of(voxels(5), SeriesInstanceUID="1.9", SeriesDescription="B"), "b"
    )
    del files["2.dcm"], files["b/1.dcm"]
    with pytest.raises(NoneStacks) as caught:
        read(zipped(tmp_path, files))
    assert "1.dcm and 3.dcm are 4 mm apart" in str(caught.value)
    assert "b/0.dcm and b/2.dcm are 4 mm apart" in str(caught.value)


def test_what_is_no_slice_is_left_aside_and_counted(tmp_path):
    files = stack_of(voxels(2)) | {
        "DICOMDIR": shipped("dicomdirtests/DICOMDIR").path.read_bytes(),
        "report": shipped("test-SR.dcm").path.read_bytes(),
        "plan": shipped("rtplan.dcm").path.read_bytes(),
        "colour": shipped("SC_rgb.dcm").path.read_bytes(),
        "inner.zip": zipped(tmp_path, {"a": b"a"}, "inner.zip").path.read_bytes(),
        "notes.txt": b"hello",
        "empty": b"",
    }
    volume = read(zipped(tmp_path, files))
    assert volume.array.shape == (2, 5, 6)
    assert volume.warnings == (
        "Left aside: 1 DICOMDIR, 1 picture in colour, 2 DICOM files without a picture, 1 archive inside, not opened,"
        " 1 file that is not DICOM, 1 empty file.",
    )


def test_exact_copies_are_taken_once(tmp_path):
    files = stack_of(voxels(3))
    volume = read(zipped(tmp_path, files), *(saved(tmp_path, name, data) for name, data in files.items()))
    assert np.array_equal(volume.array, voxels(3))
    assert volume.warnings == ("Left aside: 3 exact copies of other files.",)


def test_an_archive_without_pictures_says_what_it_holds(tmp_path):
    with pytest.raises(
        NoSeries, match="scan.zip holds no DICOM pictures .* Left aside: 1 file that is not DICOM."
    ):
        read(zipped(tmp_path, {"a.txt": b"a"}))


def test_slices_that_the_scanner_counted_and_that_are_not_here_are_said(tmp_path):
    volume = read(zipped(tmp_path, stack_of(voxels(3), NumberOfSlices=5)))
    assert volume.warnings == ("The scanner says 5 slices, but 3 are here: the volume may end too early.",)


def test_a_file_with_a_broken_header_is_said_beside_the_series(tmp_path):
    broken = slice_of(voxels(1), (0, 0, 99))
    volume = read(
        zipped(tmp_path, stack_of(voxels(3)) | {"cut.dcm": broken[: broken.index(b"\xe0\x7f\x10\0")]})
    )
    assert volume.warnings == ("cut.dcm cannot be read: it ends before its picture begins.",)


def test_reading_reports_every_slice_and_ends_when_progress_raises(tmp_path):
    (series,) = offer(zipped(tmp_path, stack_of(voxels(4)))).series
    reports = []
    load.read(series, lambda done, total: reports.append((done, total)))
    assert reports == [(1, 4), (2, 4), (3, 4), (4, 4)]

    def canceled(done: int, total: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        load.read(series, canceled)


def test_any_file_is_read_by_its_first_bytes_and_progress_speaks_of_bytes(tmp_path):
    source, reports = zipped(tmp_path, two_series()), []
    volume = any_file.volume(source, Recipe(), lambda done, total: reports.append((done, total)), "1.2.9")
    assert np.array_equal(volume.array, voxels(3) + 1)
    assert reports[0] == (0, source.size) and reports[-1] == (source.size, source.size)
    assert any_file.volume(saved(tmp_path, "a", slice_of(voxels(1))), Recipe()).array.shape == (1, 5, 6)


def test_reading_takes_little_more_memory_than_the_volume(tmp_path):
    (series,) = offer(zipped(tmp_path, stack_of(voxels(20, 512, 512)))).series
    tracemalloc.start()
    load.read(series)
    assert tracemalloc.get_traced_memory()[1] < 1.2 * 20 * 512 * 512 * 2
    tracemalloc.stop()


def test_a_file_that_changes_between_offer_and_reading_is_refused(tmp_path):
    source = saved(tmp_path, "a.dcm", slice_of(voxels(1)))
    (series,) = offer(source).series
    source.path.write_bytes(source.path.read_bytes()[:-20])
    with pytest.raises(DamagedFile):
        load.read(series)
