"""NIfTI is read as nibabel reads it: values, byte order, scaling, orientation and spacing."""

import itertools
from pathlib import Path

import nibabel
import numpy as np
import pytest
from nibabel.orientations import apply_orientation, axcodes2ornt, inv_ornt_aff, io_orientation, ornt_transform

from workers.jobs.volume import read
from workers.jobs.volume.raw import Recipe
from workers.jobs.volume.source import Source
from workers.jobs.volume.volume import Volume

LPS = np.diag([-0.5, -0.75, 1.5, 1.0])


def voxels(dtype: str = "int16") -> np.ndarray:
    """In the order of the file: x, y, z."""
    return np.random.default_rng(0).integers(0, 100, (4, 5, 6)).astype(dtype)


def saved(folder: Path, image: nibabel.Nifti1Image, name: str = "a.nii.gz") -> Volume:
    nibabel.save(image, folder / name)
    return read.volume(Source(folder / name, name), Recipe())


def scaled(stored: np.ndarray, slope: float, intercept: float, endianness: str = "<") -> nibabel.Nifti1Image:
    """An image that holds just these stored values; nibabel would choose a slope of its own."""
    header = nibabel.Nifti1Header(endianness=endianness)
    header.set_data_dtype(stored.dtype.newbyteorder(endianness))
    image = nibabel.Nifti1Image(stored, LPS, header)
    image.header.set_slope_inter(slope, intercept)
    return image


def as_nibabel(path: Path) -> np.ndarray:
    """nibabel's own values, turned to LPS, as (z, y, x)."""
    image = nibabel.load(path)
    moves = ornt_transform(io_orientation(image.affine), axcodes2ornt("LPS"))
    return apply_orientation(np.asarray(image.dataobj), moves).transpose()


@pytest.mark.parametrize("name", ["a.nii", "a.nii.gz"])
@pytest.mark.parametrize("endianness", ["<", ">"])
@pytest.mark.parametrize("dtype", ["uint8", "int16", "int32", "float32", "float64", "int64"])
def test_unscaled_voxels_keep_their_dtype_and_values(tmp_path, dtype, endianness, name):
    volume = saved(tmp_path, scaled(voxels(dtype), 1, 0, endianness), name)
    assert nibabel.load(tmp_path / name).header.endianness == endianness
    assert volume.array.dtype == np.dtype(dtype) and volume.array.dtype.isnative
    assert np.array_equal(volume.array, as_nibabel(tmp_path / name))


@pytest.mark.parametrize("endianness", ["<", ">"])
@pytest.mark.parametrize("dtype", ["uint8", "int16", "float32"])
def test_scaled_voxels_are_nibabels_rounded_once_to_float32(tmp_path, dtype, endianness):
    volume = saved(tmp_path, scaled(voxels(dtype), 0.1, -1024, endianness))
    assert volume.array.dtype == np.float32
    assert np.array_equal(volume.array, as_nibabel(tmp_path / "a.nii.gz").astype(np.float32))


@pytest.mark.parametrize("dtype", ["int32", "uint32", "float64"])
def test_scaled_wide_voxels_are_nibabels_in_float64(tmp_path, dtype):
    volume = saved(tmp_path, scaled(voxels(dtype), 3.25e-3, 7))
    assert volume.array.dtype == np.float64
    assert np.array_equal(volume.array, as_nibabel(tmp_path / "a.nii.gz"))


@pytest.mark.parametrize("slope", [0, float("nan"), float("inf")])
def test_a_slope_that_means_nothing_scales_nothing(tmp_path, slope):
    nibabel.save(scaled(voxels(), 1, 0), tmp_path / "a.nii")
    data = bytearray((tmp_path / "a.nii").read_bytes())
    data[112:120] = np.array([slope, 5], "<f4").tobytes()
    (tmp_path / "a.nii").write_bytes(data)
    volume = read.volume(Source(tmp_path / "a.nii", "a.nii"), Recipe())
    assert np.array_equal(volume.array, as_nibabel(tmp_path / "a.nii"))


@pytest.mark.parametrize("order", [*itertools.permutations("xyz")], ids="".join)
@pytest.mark.parametrize("signs", [*itertools.product([1, -1], repeat=3)], ids=str)
def test_every_orientation_is_turned_to_left_posterior_superior(tmp_path, order, signs):
    moves = np.array([["xyz".index(axis), sign] for axis, sign in zip(order, signs, strict=True)])
    turned = apply_orientation(voxels(), moves)
    affine = LPS @ inv_ornt_aff(moves, voxels().shape)
    volume = saved(tmp_path, nibabel.Nifti1Image(turned, affine), "a.nii")
    assert volume.orientation == "LPS" and volume.spacing == (1.5, 0.75, 0.5)
    assert np.array_equal(volume.array, voxels().transpose())
    assert np.allclose(volume.affine, np.diag([0.5, 0.75, 1.5, 1]))


def test_a_voxel_has_its_place_in_lps_millimetres_where_nifti_has_it_in_ras(tmp_path):
    oblique = np.array([[0, -2, 0.3, 11], [1.5, 0.2, 0, -7], [0.1, 0, 3, 40], [0, 0, 0, 1]])
    image = nibabel.Nifti1Image(voxels(), oblique)
    volume = saved(tmp_path, image)
    for index in ((0, 0, 0), (3, 4, 5), (1, 2, 3)):
        x, y, z = oblique[:3] @ [*index, 1] * [-1, -1, 1]
        found = np.rint(np.linalg.inv(volume.affine) @ [x, y, z, 1])[:3].astype(int)
        assert volume.array[tuple(found[::-1])] == voxels()[index]


def test_a_place_is_in_millimetres_whatever_the_unit(tmp_path):
    image = nibabel.Nifti1Image(voxels(), np.diag([-1000, -1000, 1000, 1.0]))
    image.header.set_xyzt_units("micron")
    assert np.allclose(saved(tmp_path, image).affine, np.eye(4))


def test_what_its_writer_says_of_a_file_is_its_label(tmp_path):
    image = nibabel.Nifti1Image(voxels(), LPS)
    image.header["descrip"] = b"brain \x07 T1"
    assert saved(tmp_path, image).about.label == "brain T1"


def test_without_an_orientation_the_order_of_the_file_stays(tmp_path):
    image = nibabel.Nifti1Image(voxels(), None)
    image.header.set_zooms((2, 3, 4))
    volume = saved(tmp_path, image)
    assert volume.orientation is volume.affine is None and volume.spacing == (4, 3, 2)
    assert np.array_equal(volume.array, voxels().transpose())


@pytest.mark.parametrize("unit, spacing", [("micron", 0.001), ("meter", 1000), ("unknown", 1), ("mm", 1)])
def test_spacing_is_in_millimetres_whatever_the_unit(tmp_path, unit, spacing):
    image = nibabel.Nifti1Image(voxels(), np.diag([1, 1, 1, 1.0]))
    image.header.set_xyzt_units(unit)
    assert saved(tmp_path, image).spacing == pytest.approx((spacing,) * 3)


def test_a_last_axis_of_one_is_left_out(tmp_path):
    assert saved(tmp_path, nibabel.Nifti1Image(voxels()[..., None], LPS)).array.shape == (6, 5, 4)


def test_extensions_before_the_voxels_are_skipped(tmp_path):
    image = nibabel.Nifti1Image(voxels(), LPS)
    image.header.extensions.append(nibabel.nifti1.Nifti1Extension("comment", b"c" * 5000))
    assert np.array_equal(saved(tmp_path, image).array, voxels().transpose())


@pytest.mark.parametrize("name", ["a.nii", "a.nii.gz"])
def test_nifti_2_is_read(tmp_path, name):
    volume = saved(tmp_path, nibabel.Nifti2Image(voxels(), LPS), name)
    assert np.array_equal(volume.array, voxels().transpose()) and volume.orientation == "LPS"
