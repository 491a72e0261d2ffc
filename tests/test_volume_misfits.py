"""A raw file that does not fit is never cut or padded; the error says what would fit."""

import pickle
from pathlib import Path

import pytest

from workers.jobs.volume import fits, read
from workers.jobs.volume.errors import ShapeMissing, SizeMismatch
from workers.jobs.volume.raw import Recipe
from workers.jobs.volume.source import Source

FAMOUS = 110 * 110 * 187


def sparse(folder: Path, size: int, name: str = "file.mpv") -> Source:
    with (folder / name).open("wb") as file:
        file.truncate(size)
    return Source(folder / name, name)


def complaint(source: Source, shape: tuple[int, int, int] | None = (187, 110, 110), **recipe) -> str:
    with pytest.raises((SizeMismatch, ShapeMissing)) as caught:
        read.volume(source, Recipe(shape, **recipe))
    return str(caught.value)


def test_a_wrong_dtype_is_answered_by_the_right_ones(tmp_path):
    assert complaint(sparse(tmp_path, FAMOUS), dtype="int16") == (
        "file.mpv holds 2,262,700 bytes, but 110 x 110 x 187 of int16 needs 4,525,400. "
        "It would fit as uint8 or int8."
    )


@pytest.mark.parametrize("itemsize, dtypes", fits.ITEMS.items())
def test_the_size_tells_the_item_size(itemsize, dtypes):
    (fit,) = fits.of_shape(FAMOUS * itemsize, (187, 110, 110))
    assert (fit.itemsize, fit.header) == (itemsize, 0)
    assert all(dtype in str(fit) for dtype in dtypes)


def test_a_forgotten_header_is_found(tmp_path):
    said = complaint(sparse(tmp_path, 352 + 2 * FAMOUS), dtype="int16")
    assert said.endswith(
        "It would fit as int16, uint16 or float16 after a header of 352 bytes (header_offset=352)."
    )


def test_a_header_that_is_not_there_is_told(tmp_path):
    said = complaint(sparse(tmp_path, FAMOUS), header_offset=352)
    assert "after a header of 352 bytes needs 2,263,052." in said
    assert said.endswith("It would fit as uint8 or int8, without a header.")


def test_a_header_of_more_than_64_kib_is_not_believed(tmp_path):
    assert "No dtype fits that shape" in complaint(sparse(tmp_path, FAMOUS + 65537))
    assert "header_offset=65536" in complaint(sparse(tmp_path, FAMOUS + 65536))


def test_a_wrong_number_of_slices_is_answered_by_the_right_one(tmp_path):
    said = complaint(sparse(tmp_path, FAMOUS), (180, 110, 110))
    assert said.endswith("As uint8 it would fit 110 x 110 x 187.")


def test_a_shape_in_the_name_is_offered_when_another_was_given(tmp_path):
    said = complaint(sparse(tmp_path, 2 * FAMOUS, "pet_110x110x187.raw"), (10, 10, 10), dtype="int16")
    assert "Its name says 110 x 110 x 187, which would fit as int16, uint16 or float16." in said
    assert "The size cannot tell the order of the axes." in said


def test_a_missing_shape_is_guessed_from_the_size(tmp_path):
    assert complaint(sparse(tmp_path, FAMOUS), None) == (
        "file.mpv is a raw file of 2,262,700 bytes: give its shape, as X x Y x Z. "
        "As uint8 it could be 110x110x187."
    )


def test_a_missing_shape_is_not_taken_from_a_name_that_does_not_fit(tmp_path):
    said = complaint(sparse(tmp_path, 2 * FAMOUS, "pet_110x110x187.raw"), None)
    assert "Its name says 110 x 110 x 187, which would fit as int16, uint16 or float16." in said


@pytest.mark.parametrize("off", [-1, 1])
def test_one_byte_more_or_less_is_refused(tmp_path, off):
    assert "but 110 x 110 x 187 of uint8 needs 2,262,700" in complaint(sparse(tmp_path, FAMOUS + off))


def test_errors_keep_their_facts_through_a_pickle(tmp_path):
    with pytest.raises(SizeMismatch) as caught:
        read.volume(sparse(tmp_path, 7), Recipe((1, 2, 3), "int16"))
    again = pickle.loads(pickle.dumps(caught.value))
    assert (again.size, again.shape, str(again)) == (7, (1, 2, 3), str(caught.value))
