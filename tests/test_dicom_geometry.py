"""Slices become a volume in LPS, whatever way they lie; what is no volume is refused with names and values."""

import itertools
import pickle
import subprocess

import dcm2niix
import nibabel
import numpy as np
import pytest
import SimpleITK

from tests.dicoms import offer, read, saved, shipped, slice_of, stack_of, voxels, zipped
from workers.jobs.volume.dicom.errors import (
    BadPlace,
    BadScale,
    Gap,
    Mixed,
    NoneStacks,
    NoPlace,
    SamePlace,
    Shifted,
    Tilted,
)
from workers.jobs.volume.errors import DamagedFile
from workers.jobs.volume.source import Source
from workers.jobs.volume.volume import Volume

DIRECTIONS = [
    (rows, columns, across)
    for rows, columns, across in itertools.permutations(np.eye(3, dtype=int))
    for rows, columns in itertools.product((rows, -rows), (columns, -columns))
]


def placed(
    array: np.ndarray, row, column, step: float = 2.0, begin=(10, 20, 30), tilt: float = 0
) -> dict[str, bytes]:
    """Files of a stack whose rows and columns run in these directions."""
    across = np.cross(row, column) * step
    orientation = [float(each) for each in (*row, *column)]
    positions = [
        (np.array(begin) + at * across + at * tilt * np.array(row)).round(6).tolist()
        for at in range(len(array))
    ]
    return {
        f"{at}.dcm": slice_of(pixels, position, ImageOrientationPatient=orientation)
        for at, (pixels, position) in enumerate(zip(array, positions, strict=True))
    }


def value_at(volume: Volume, point: np.ndarray) -> float:
    """Of the voxel whose centre lies at a point in LPS."""
    x, y, z = (np.linalg.inv(volume.affine) @ [*point, 1])[:3]
    assert np.allclose([x, y, z], np.round([x, y, z]), atol=1e-4)
    return volume.array[round(z), round(y), round(x)]


def oblique() -> tuple[np.ndarray, np.ndarray]:
    row, column = np.array([0.9, 0.3, 0.1]), np.array([-0.2, 0.8, 0.4])
    row = row / np.linalg.norm(row)
    column = column - (column @ row) * row
    return row, column / np.linalg.norm(column)


@pytest.mark.parametrize("row, column, across", DIRECTIONS, ids=str)
def test_slices_in_any_direction_end_up_left_posterior_superior(tmp_path, row, column, across):
    array = voxels(3)
    volume = read(zipped(tmp_path, placed(array, row, column)))
    assert volume.orientation == "LPS" and (np.diag(volume.affine)[:3] > 0).all()
    assert np.count_nonzero(volume.affine[:3, :3]) == 3
    for at, y, x in ((0, 0, 0), (2, 4, 5), (1, 3, 2)):
        point = np.array([10, 20, 30]) + at * 2 * np.cross(row, column) + y * 0.75 * column + x * 0.5 * row
        assert value_at(volume, point) == array[at, y, x]
    assert volume.spacing == tuple(np.diag(volume.affine)[2::-1])


def test_an_oblique_stack_keeps_its_own_grid(tmp_path):
    row, column = oblique()
    array = voxels(3)
    volume = read(zipped(tmp_path, placed(array, row, column)))
    assert volume.spacing == pytest.approx((2, 0.75, 0.5)) and np.count_nonzero(volume.affine[:3, :3]) == 9
    point = np.array([10, 20, 30]) + 2 * 2 * np.cross(row, column) + 4 * 0.75 * column + 5 * 0.5 * row
    assert value_at(volume, point) == array[2, 4, 5]


@pytest.mark.parametrize(
    "row, column",
    [((1, 0, 0), (0, 1, 0)), ((0, 1, 0), (0, 0, -1)), oblique()],
    ids=["axial", "sagittal", "oblique"],
)
def test_simpleitk_finds_the_same_values_at_the_same_places(tmp_path, row, column):
    volume = read(zipped(tmp_path, placed(voxels(4), row, column)))
    folder = tmp_path / "files"
    for name, data in placed(voxels(4), row, column).items():
        saved(folder, name, data)
    names = SimpleITK.ImageSeriesReader.GetGDCMSeriesFileNames(str(folder))
    image = SimpleITK.ReadImage(names)
    for index in itertools.product((0, 5), (0, 4), (0, 3)):
        point = np.array(image.TransformIndexToPhysicalPoint(index))
        assert value_at(volume, point) == image[index]


def test_dcm2niix_finds_the_same_volume(tmp_path):
    files = placed(voxels(4) * 10, (1, 0, 0), (0, 1, 0))
    for name, data in files.items():
        saved(tmp_path / "files", name, data)
    command = [dcm2niix.bin, "-b", "n", "-f", "out", "-o", str(tmp_path), str(tmp_path / "files")]
    subprocess.run(command, check=True, capture_output=True, timeout=60)
    image = nibabel.load(tmp_path / "out.nii")
    volume = read(zipped(tmp_path, files))
    to_ras = np.diag([-1, -1, 1, 1]) @ volume.affine
    index = np.linalg.inv(image.affine) @ to_ras
    assert np.allclose(np.abs(index[:3, :3]), np.eye(3), atol=1e-4)
    moved = [np.rint(index @ [x, y, z, 1])[:3].astype(int) for z, y, x in np.ndindex(volume.array.shape)]
    assert [np.asarray(image.dataobj)[tuple(at)] for at in moved] == volume.array.ravel().tolist()


def test_the_order_and_the_names_of_files_do_not_matter(tmp_path):
    files = list(stack_of(voxels(5)).values())
    shuffled = {f"{name}": files[at] for name, at in zip("edcba", (3, 0, 4, 1, 2), strict=True)}
    assert np.array_equal(read(zipped(tmp_path, shuffled)).array, voxels(5))


def refused(folder, files: dict[str, bytes], error: type[Exception]) -> str:
    with pytest.raises(error) as caught:
        read(zipped(folder, files))
    assert str(pickle.loads(pickle.dumps(caught.value))) == str(caught.value)
    return str(caught.value)


def test_a_missing_slice_is_a_gap(tmp_path):
    files = stack_of(voxels(6))
    del files["3.dcm"]
    said = refused(tmp_path, files, Gap)
    assert said == (
        "2.dcm and 4.dcm are 4 mm apart, but the slices of this series 2 mm. Perhaps 1 slice is missing."
    )


@pytest.mark.parametrize("off, fits", [(0.039, True), (0.045, False)])
def test_distances_may_differ_by_two_percent(tmp_path, off, fits):
    files = stack_of(voxels(5)) | {"4.dcm": slice_of(voxels(5)[4], (0, 0, 8 + off))}
    if fits:
        assert read(zipped(tmp_path, files)).array.shape == (5, 5, 6)
    else:
        assert "3.dcm and 4.dcm are 2.045 mm apart" in refused(tmp_path, files, Gap)


def test_two_slices_at_one_position_are_named(tmp_path):
    files = stack_of(voxels(3)) | {"copy.dcm": slice_of(voxels(3)[2], (0, 0, 2))}
    assert refused(tmp_path, files, SamePlace).startswith(
        "1.dcm and copy.dcm lie at the same position (0, 0, 2)"
    )


@pytest.mark.parametrize("degrees, fits", [(0.04, True), (0.5, False), (-14, False)])
def test_a_tilt_of_more_than_a_twentieth_degree_is_refused(tmp_path, degrees, fits):
    array = voxels(30)
    files = placed(array, (1, 0, 0), (0, 1, 0), tilt=2 * np.tan(np.radians(degrees)))
    if fits:
        assert np.array_equal(read(zipped(tmp_path, files)).array, array)
    else:
        assert f"lean by {abs(degrees):.2f} degrees" in refused(tmp_path, files, Tilted)


def test_a_slice_beside_the_line_is_refused(tmp_path):
    files = stack_of(voxels(5)) | {"2.dcm": slice_of(voxels(5)[2], (0.5, 0, 4))}
    assert refused(tmp_path, files, Shifted).startswith("2.dcm lies 0.5 mm beside the line")


@pytest.mark.parametrize(
    "elements, what",
    [
        ({"RescaleSlope": -1}, "signs of the slope"),
        ({"RescaleType": "US"}, "units"),
        ({"Modality": "PT"}, "modalities"),
    ],
)
def test_what_must_be_the_same_in_a_volume_is_compared(tmp_path, elements, what):
    files = stack_of(voxels(3)) | {"2.dcm": slice_of(voxels(3)[2], (0, 0, 4), **elements)}
    said = refused(tmp_path, files, Mixed)
    assert said.startswith(f"The {what} differ: ") and "0.dcm" in said and "2.dcm" in said


@pytest.mark.parametrize("keyword", ["ImagePositionPatient", "ImageOrientationPatient", "PixelSpacing"])
def test_slices_that_do_not_say_where_they_lie_are_refused(tmp_path, keyword):
    assert keyword in refused(tmp_path, stack_of(voxels(3), **{keyword: None}), NoPlace)


@pytest.mark.parametrize("orientation", [[1, 0, 0, 1, 0, 0], [0] * 6, [2, 0, 0, 0, 1, 0]], ids=str)
def test_an_orientation_that_cannot_be_is_refused(tmp_path, orientation):
    assert "cannot be placed" in refused(
        tmp_path, stack_of(voxels(3), ImageOrientationPatient=orientation), BadPlace
    )


@pytest.mark.parametrize("spacing", [[0, 0.5], [-1, 1]], ids=str)
def test_a_spacing_that_cannot_be_is_refused(tmp_path, spacing):
    refused(tmp_path, stack_of(voxels(3), PixelSpacing=spacing), BadPlace)


@pytest.mark.parametrize(
    "elements", [{"ImagePositionPatient": [0, 0, "1e300"]}, {"PixelSpacing": ["1e200", 1]}], ids=str
)
def test_a_place_beyond_all_scanners_is_refused(tmp_path, elements):
    refused(tmp_path, stack_of(voxels(3), **elements), BadPlace)


def test_a_slope_of_zero_is_refused(tmp_path):
    assert "RescaleSlope" in refused(tmp_path, stack_of(voxels(3), RescaleSlope=0), BadScale)


def test_a_slice_that_is_cut_off_is_named(tmp_path):
    files = stack_of(voxels(3))
    files["1.dcm"] = files["1.dcm"][:-7]
    assert refused(tmp_path, files, DamagedFile) == (
        "1.dcm cannot be read: 6 x 5 pixels need 60 bytes, but 53 are there."
    )


def test_a_single_slice_is_a_volume_and_says_so():
    volume = read(shipped("CT_small.dcm"))
    assert volume.array.shape == (1, 128, 128) and volume.spacing == (5, 0.661468, 0.661468)
    assert "A single slice; its thickness is taken as 5 mm, as the file says." in volume.warnings


def test_a_single_picture_without_a_place_is_shown_as_it_is():
    volume = read(shipped("JPEG2000.dcm"))
    assert volume.orientation is volume.affine is None and volume.array.shape == (1, 1024, 256)


def from_dicomdirtests(folder: str) -> list[Source]:
    root = shipped("dicomdirtests/DICOMDIR").path.parent / folder
    return [Source(each, each.name) for each in sorted(root.iterdir())]


def test_a_shipped_series_with_a_gap_of_202_mm_is_refused():
    with pytest.raises((Gap, NoneStacks), match="202"):
        read(*from_dicomdirtests("77654033/CT2"))


def test_a_shipped_series_of_seven_orientations_is_offered_in_seven_parts():
    parts = offer(*from_dicomdirtests("98892003/MR700")).series
    assert (
        len(parts) == 7 and len({each.key for each in parts}) == 7 and len({each.part for each in parts}) == 7
    )
    assert all(each.part.startswith("rows towards") for each in parts)
