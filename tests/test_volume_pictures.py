"""Pictures show the right slice, the right way up, in the right proportions and greys."""

from io import BytesIO

import numpy as np
import pytest
from PIL import Image

from workers.jobs.volume.pictures import Picture, projections, slices
from workers.jobs.volume.volume import Volume


def volume(array: np.ndarray, spacing: tuple[float, float, float] | None = None) -> Volume:
    return Volume(array, "test", spacing)


def by_name(pictures) -> dict[str, Picture]:
    return {picture.name: picture for picture in pictures}


def pixels(picture: Picture) -> np.ndarray:
    image = Image.open(BytesIO(picture.data))
    assert (image.format, image.mode) == ("PNG", "L")
    return np.asarray(image)


def with_a_cube_at(z: slice, y: slice, x: slice) -> Volume:
    array = np.zeros((32, 24, 16), np.int16)
    array[z, y, x] = 1000
    return volume(array)


def brightest_part(picture: Picture) -> tuple[str, str]:
    """Where the light is: upper or lower half, left or right half."""
    shown = pixels(picture).astype(float)
    height, width = shown.shape
    rows, columns = np.average(np.indices(shown.shape).reshape(2, -1), axis=1, weights=shown.ravel())
    return ("upper" if rows < height / 2 else "lower"), ("left" if columns < width / 2 else "right")


def test_there_are_three_slices_and_three_projections_with_titles_that_say_which():
    shown = [*slices(volume(np.zeros((187, 110, 100)))), *projections(volume(np.zeros((187, 110, 100))))]
    assert [picture.name for picture in shown] == [
        "axial.png", "coronal.png", "sagittal.png", "mip-axial.png", "mip-coronal.png", "mip-sagittal.png"
    ]  # fmt: skip
    assert shown[0].title == "Axial slice 94 of 187 (black 0, white 0)"
    assert shown[2].title.startswith("Sagittal slice 51 of 100")
    assert shown[4].title == "Coronal maximum intensity projection (black 0, white 0)"


@pytest.mark.parametrize("dtype", ["uint8", "int16", "float32", "uint64"])
def test_the_middle_slices_are_the_middle_of_the_array(dtype):
    array = np.zeros((9, 9, 9), dtype)
    array[4, :, :5] = array[:, 4, 5:] = 100
    shown = by_name(slices(volume(array)))
    assert brightest_part(shown["axial.png"])[1] == "left"
    assert brightest_part(shown["coronal.png"])[1] == "right"


def test_the_head_is_up_the_front_is_up_or_left_and_the_right_is_left():
    head_front_right = with_a_cube_at(np.s_[24:], np.s_[:8], np.s_[:5])
    shown = by_name(projections(head_front_right))
    assert brightest_part(shown["mip-axial.png"]) == ("upper", "left")
    assert brightest_part(shown["mip-coronal.png"]) == ("upper", "left")
    assert brightest_part(shown["mip-sagittal.png"]) == ("upper", "left")


def test_projections_are_numpys_maximum():
    array = np.random.default_rng(0).integers(0, 256, (512, 512, 512), np.uint8)
    array[0, 0, 0], array[:, :8, 0] = 0, 0
    shown = by_name(projections(volume(array)))
    low, high = array.max(axis=0).min(), array.max(axis=0).max()
    expected = np.rint((array.max(axis=0).astype(float) - low) / (high - low) * 255)
    assert np.array_equal(pixels(shown["mip-axial.png"]), expected)


@pytest.mark.parametrize(
    "spacing, sizes",
    [
        (None, [(256, 384), (256, 512), (384, 512)]),
        ((2.0, 1.0, 1.0), [(128, 192), (128, 512), (192, 512)]),
        ((1.0, 2.0, 4.0), [(512, 384), (512, 256), (384, 256)]),
    ],
)
def test_a_millimetre_is_as_long_in_every_plane(spacing, sizes):
    cube = volume(np.zeros((32, 24, 16), np.uint8), spacing)
    assert [pixels(picture).shape[::-1] for picture in slices(cube)] == sizes
    assert [pixels(picture).shape[::-1] for picture in projections(cube)] == sizes


def test_large_volumes_are_shown_pixel_by_pixel_up_to_a_limit():
    assert [pixels(p).shape for p in slices(volume(np.zeros((2, 700, 600), np.uint8)))][0] == (700, 600)
    assert [pixels(p).shape for p in slices(volume(np.zeros((2, 2048, 16), np.uint8)))][0] == (1024, 8)


def test_a_few_hot_voxels_do_not_darken_the_slices():
    array = np.random.default_rng(0).normal(50, 5, (60, 60, 60)).astype(np.float32)
    array[30, 30, :2] = 1e9
    assert pixels(by_name(slices(volume(array)))["axial.png"]).mean() > 80


@pytest.mark.parametrize("value", [0, np.nan, np.inf, -np.inf, 1e308])
def test_a_volume_without_contrast_is_drawn_without_a_warning(value, recwarn):
    for picture in [
        *slices(volume(np.full((3, 4, 5), value))),
        *projections(volume(np.full((3, 4, 5), value))),
    ]:
        assert pixels(picture).size
    assert not recwarn.list


def test_nan_is_black_and_no_maximum():
    array = np.ones((8, 8, 8), np.float32)
    array[:, :4, :4], array[0, 4:] = np.nan, 5
    shown = pixels(by_name(projections(volume(array)))["mip-axial.png"])
    assert shown[100, 100] == 0 and shown[400, 400] == 255


def test_a_volume_of_one_voxel_has_pictures():
    assert len([*slices(volume(np.ones((1, 1, 1)))), *projections(volume(np.ones((1, 1, 1))))]) == 6
