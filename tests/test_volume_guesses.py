"""A headerless file without any hint: the first guess is what it is, and says why."""

import gzip
import os
from functools import cache
from io import BytesIO
from itertools import permutations
from pathlib import Path

import nibabel
import numpy as np
import pytest
from PIL import Image

from tests.processes import ROOT
from workers.jobs.volume import guesses, phantom, raw
from workers.jobs.volume.errors import BadValue, DamagedFile, NotRaw
from workers.jobs.volume.guesses import Guess
from workers.jobs.volume.raw import Recipe
from workers.jobs.volume.source import Source

FAMOUS = (187, 110, 110)
HEADER = bytes(range(88)) * 4


@cache
def patient(dtype: str, shape: tuple[int, int, int] = FAMOUS) -> np.ndarray:
    return np.stack([*phantom.slabs(shape, dtype, 0.03, 0)])


def source(folder: Path, stored: np.ndarray, name: str = "file.mpv", header: bytes = b"") -> Source:
    (folder / name).write_bytes(header + stored.tobytes())
    return Source(folder / name, name)


def first(found: Source) -> Guess:
    return guesses.ranked(found)[0]


def loaded(found: Source, recipe: Recipe) -> np.ndarray:
    return raw.read(found, recipe, lambda done, total: None).array


@pytest.mark.parametrize(
    "dtype, order, header",
    [(dtype, "zyx", b"") for dtype in ("uint8", "<i2", ">i2", "<f4", ">f4")]
    + [("uint8", "xyz", HEADER), ("<i2", "yzx", b""), (">i2", "xyz", HEADER), ("<f4", "zyx", HEADER)]
    + [(">f4", "yzx", HEADER)],
)
def test_the_first_guess_at_the_famous_file_is_right(tmp_path, dtype, order, header):
    array = patient(np.dtype(dtype).name).astype(dtype)
    stored = array.transpose(["zyx".index(axis) for axis in order])
    found = source(tmp_path, np.ascontiguousarray(stored), header=header)
    recipe = first(found).recipe
    assert (recipe.shape, recipe.numbers, recipe.axes) == (FAMOUS, np.dtype(dtype), order)
    assert recipe.header_offset == len(header)
    assert np.array_equal(loaded(found, recipe), array)


@pytest.mark.parametrize("dtype", ["uint8", "int16", "int32", "float32", "float64"])
def test_slices_that_are_not_square_are_found_by_what_repeats(tmp_path, dtype):
    array = (patient("float32") * 12).astype(dtype)[:100, 5:100, 7:]
    recipe = first(source(tmp_path, array, header=bytes(512))).recipe
    assert (recipe.shape, recipe.dtype, recipe.header_offset) == ((100, 95, 103), dtype, 512)


TEXT = b"\1\0\0\0scanner = made up, patient = nobody, matrix = 64, offset = none\r\n" * 80


@pytest.mark.parametrize("dtype", ["uint8", "int16", "float32"])
@pytest.mark.parametrize(
    "header", [TEXT.ljust(20_000, b"\0"), np.random.default_rng(1).bytes(33_000), TEXT * 5, TEXT.ljust(50_000, b"\0")]
)
def test_a_header_that_is_longer_than_a_slice_is_found(tmp_path, dtype, header):
    array = patient(dtype, (90, 64, 60))
    recipe = first(source(tmp_path, array, header=header)).recipe
    assert (recipe.shape, recipe.dtype, recipe.header_offset) == (array.shape, dtype, len(header))


def real(name: str) -> np.ndarray:
    """Voxels (z, y, x) of the real test data; where those are absent, the test is left out."""
    path = Path(os.environ.get("WAYBILL_TEST_DATA", ROOT.parent / "shared/data/petct")) / name
    if not path.exists():
        pytest.skip(f"no {name} in {path.parent}; set WAYBILL_TEST_DATA")
    return np.asarray(nibabel.load(path).dataobj).transpose()


def test_real_patients_are_found(tmp_path):
    ct = real("sts_004_ct.nii.gz")
    for dtype in ("int16", ">i2", "float32", "int32"):
        recipe = first(source(tmp_path, ct.astype(dtype))).recipe
        assert (recipe.shape, recipe.numbers) == (ct.shape, np.dtype(dtype))
    pet = real("sts_004_pet.nii.gz")
    recipe = first(source(tmp_path, pet.astype(">f4"), header=bytes(100))).recipe
    assert (recipe.shape, recipe.numbers, recipe.header_offset) == (pet.shape, np.dtype(">f4"), 100)


def test_guesses_are_few_exact_and_ordered_and_each_is_made_once(tmp_path):
    found = source(tmp_path, patient("int16"), header=HEADER)
    ranked = guesses.ranked(found)
    assert 4 <= len(ranked) <= guesses.MOST and len({guess.recipe for guess in ranked}) == len(ranked)
    assert [guess.score for guess in ranked] == sorted(guess.score for guess in ranked)
    assert all(loaded(found, guess.recipe).shape == guess.recipe.shape for guess in ranked)


def test_a_guess_says_what_it_is_why_and_what_is_the_same(tmp_path):
    guess = first(source(tmp_path, patient("int16"), header=HEADER))
    assert guess.words == "110 x 110 x 187, raw int16 little-endian after 352 bytes"
    assert guess.why.startswith("That is exactly as long as the file, and neighbours differ by 1.")
    assert guess.why.endswith("% of the range. Read as uint16 it is the same.")


def test_whole_numbers_that_are_floats_in_truth_are_taken_for_floats(tmp_path):
    assert first(source(tmp_path, np.rint(patient("float32") * 100))).recipe.dtype == "float32"


def test_small_numbers_in_wide_voxels_are_not_taken_for_swapped_ones(tmp_path):
    small = patient("uint8")[:60].astype("<i2")
    assert [first(source(tmp_path, small.astype(each))).recipe.byte_order for each in ("<i2", ">i2")] == [
        "little",
        "big",
    ]


def test_unsigned_numbers_are_told_from_signed_ones_by_their_jumps(tmp_path):
    bright = patient("float32")[60:120]
    assert first(source(tmp_path, (bright * 6000).clip(0, 65535).astype("<u2"))).recipe.dtype == "uint16"
    assert first(source(tmp_path, (bright * 200 - 1000).astype("<i2"))).recipe.dtype == "int16"


@pytest.mark.parametrize(
    "name, shape, dtype, order",
    [
        ("brain_20x30x40_int16_be.raw", (40, 30, 20), "int16", "big"),
        ("brain_20x30x40_u2.raw", (40, 30, 20), "uint16", "little"),
        ("brain_20x30x40_f2.raw", (40, 30, 20), "float16", "little"),
    ],
)
def test_a_name_decides_where_voxels_do_not(tmp_path, name, shape, dtype, order):
    noise = np.random.default_rng(0).random(shape) * 1000
    guess = first(source(tmp_path, noise.astype(np.dtype(dtype).newbyteorder(order)), name))
    assert (guess.recipe.shape, guess.recipe.dtype, guess.recipe.byte_order) == (shape, dtype, order)
    assert "Its name tells the shape and the type of voxel." in guess.why


def test_a_name_that_lies_is_not_believed(tmp_path):
    recipe = first(source(tmp_path, patient("int16"), "pet_100x110x120_float32.raw")).recipe
    assert (recipe.shape, recipe.dtype, recipe.axes) == (FAMOUS, "int16", "zyx")


@pytest.mark.parametrize(
    "note", ["Dimensions: 20 30 40\nshort, big endian", "size = 20, 30, 40; type >i2", "20x30x40 int16 MSB"]
)
def test_a_short_text_beside_the_file_decides_too(tmp_path, note):
    found = source(tmp_path, (np.random.default_rng(0).random((40, 30, 20)) * 1000).astype(">i2"), "scan.raw")
    (tmp_path / "scan.txt").write_text(note)
    guess = first(found)
    assert (guess.recipe.shape, guess.recipe.numbers) == ((40, 30, 20), np.dtype(">i2"))
    assert "“scan.txt” tells the shape" in guess.why


def test_a_text_that_is_a_link_or_long_or_no_text_is_not_read(tmp_path):
    found = source(tmp_path, np.zeros((20, 20, 20), np.uint8), "scan.raw")
    (tmp_path / "secret").write_text("20x20x20")
    (tmp_path / "scan.txt").symlink_to(tmp_path / "secret")
    (tmp_path / "scan.hdr").write_bytes(b"20x20x20 \xff")
    (tmp_path / "scan.log").write_text("20x20x20 " * 65536)
    assert not any("tells" in guess.why for guess in guesses.ranked(found))


@pytest.mark.parametrize("content", [b"\0", b"1234567", bytes(8), bytes(1000), bytes(range(256)) * 40])
def test_files_of_nothing_much_are_no_accident(tmp_path, content):
    found = source(tmp_path, np.frombuffer(content, np.uint8))
    for guess in guesses.ranked(found):
        assert loaded(found, guess.recipe).size


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_voxels_that_are_no_numbers_are_no_accident(tmp_path, dtype):
    array = patient("float32").astype(dtype)
    array[::3] = np.nan
    array[1] = np.inf
    assert guesses.ranked(source(tmp_path, array))


def test_what_tells_its_own_format_is_not_guessed_at(tmp_path):
    np.save(tmp_path / "a.npy", patient("uint8"))
    with pytest.raises(NotRaw, match="nothing to guess"):
        guesses.ranked(Source(tmp_path / "a.npy", "a.mpv"))
    with pytest.raises(DamagedFile, match="it is gzip"):
        guesses.ranked(source(tmp_path, np.frombuffer(gzip.compress(bytes(999)), np.uint8)))


def test_the_picture_of_a_guess_shows_three_slices_and_is_named_by_its_recipe(tmp_path):
    found = source(tmp_path, patient("int16"))
    good, bad = guesses.ranked(found)[:2]
    picture = guesses.thumbnails(found, good)
    assert picture.name == "110x110x187-int16-little-0-zyx.png" and picture.title == good.words
    image = Image.open(BytesIO(picture.data))
    assert image.size == (488, 160) and len(set(np.asarray(image).ravel().tolist())) > 100
    assert guesses.thumbnails(found, bad).data != picture.data


@pytest.mark.parametrize("axes", [*map("".join, permutations("zyx"))])
def test_a_recipe_turns_any_order_of_axes_to_z_y_x(tmp_path, axes):
    array = np.arange(4 * 3 * 2, dtype="<i2").reshape(4, 3, 2)
    found = source(tmp_path, np.ascontiguousarray(array.transpose(["zyx".index(axis) for axis in axes])))
    assert np.array_equal(loaded(found, Recipe((4, 3, 2), "int16", axes=axes)), array)


def test_spacing_and_unit_of_a_recipe_are_the_volumes_and_their_absence_is_said(tmp_path):
    found = source(tmp_path, np.zeros((2, 2, 2), np.uint8))
    told = raw.read(found, Recipe((2, 2, 2), spacing=(3.0, 2.0, 1.0), unit="HU"), lambda done, total: None)
    assert (told.spacing, told.unit, told.warnings) == ((3.0, 2.0, 1.0), "HU", ())
    untold = raw.read(found, Recipe((2, 2, 2)), lambda done, total: None)
    assert untold.warnings == ("The file tells no distance between voxels; they are taken for cubes of 1 mm.",)


@pytest.mark.parametrize(
    "wrong",
    [{"axes": "zzz"}, {"spacing": (1.0, 0.0, 1.0)}, {"spacing": (1.0, float("nan"), 1.0)}, {"unit": "m" * 17}],
)
def test_a_recipe_refuses_what_cannot_be(wrong):
    with pytest.raises(BadValue):
        Recipe(**wrong)
