"""Raw and .npy files become the arrays that numpy wrote, in whatever byte order, dtype and layout."""

from pathlib import Path
from typing import get_args

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from workers.jobs.volume import payload, read
from workers.jobs.volume.errors import BadShape, BadValue
from workers.jobs.volume.fits import Dtype
from workers.jobs.volume.raw import Recipe, shape_of
from workers.jobs.volume.shape import in_name, parsed, spoken, written
from workers.jobs.volume.source import Source

SHAPE = (5, 4, 3)


def voxels(dtype: str, shape: tuple[int, ...] = SHAPE) -> np.ndarray:
    """Every byte pattern is a voxel, NaN included."""
    count = np.prod(shape) * np.dtype(dtype).itemsize
    return np.random.default_rng(0).integers(0, 256, count, np.uint8).view(dtype).reshape(shape)


def written_to(folder: Path, name: str, data: bytes) -> Source:
    (folder / name).write_bytes(data)
    return Source(folder / name, name)


def saved(folder: Path, array: np.ndarray, name: str = "a.npy") -> Source:
    np.save(folder / name, array)
    return Source(folder / name, name)


@pytest.mark.parametrize("byte_order", ["little", "big"])
@pytest.mark.parametrize("dtype", get_args(Dtype))
def test_raw_voxels_of_every_dtype_and_byte_order_are_read_unchanged(tmp_path, dtype, byte_order):
    array = voxels(dtype)
    stored = array.astype(array.dtype.newbyteorder(byte_order))
    volume = read.volume(written_to(tmp_path, "a.raw", stored.tobytes()), Recipe(SHAPE, dtype, byte_order))
    assert volume.array.dtype == np.dtype(dtype) and volume.array.dtype.isnative
    assert volume.array.tobytes() == array.tobytes()


def test_the_first_number_of_a_shape_varies_fastest_in_the_file(tmp_path):
    source = written_to(tmp_path, "file.mpv", bytes(range(24)))
    volume = read.volume(source, Recipe(shape_of("2x3x4")))
    assert volume.array.shape == (4, 3, 2)
    assert volume.array[0, 0].tolist() == [0, 1] and volume.array[0, 1, 0] == 2 and volume.array[1, 0, 0] == 6


def test_a_header_of_a_raw_file_is_skipped(tmp_path):
    array = voxels("int16")
    source = written_to(tmp_path, "a.raw", b"h" * 351 + array.tobytes())
    volume = read.volume(source, Recipe(SHAPE, "int16", header_offset=351))
    assert np.array_equal(volume.array, array)


def test_a_shape_in_the_file_name_is_taken_if_it_fits_exactly(tmp_path):
    source = written_to(tmp_path, "brain_3x4x5_int16.raw", voxels("int16").tobytes())
    assert read.volume(source, Recipe(dtype="int16")).array.shape == SHAPE


@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize("dtype", ["<i2", ">i2", "<f4", ">f8", "|u1", "<f2", ">u8"])
def test_npy_is_read_as_numpy_reads_it(tmp_path, dtype, order):
    array = np.asarray(voxels(np.dtype(dtype).newbyteorder("=").name).astype(dtype), order=order)
    source = saved(tmp_path, array)
    volume = read.volume(source, Recipe())
    assert np.array_equal(volume.array, np.load(source.path), equal_nan=volume.array.dtype.kind == "f")
    assert volume.array.dtype.isnative


def test_npy_of_bool_becomes_zeros_and_ones(tmp_path):
    mask = voxels("uint8") > 100
    volume = read.volume(saved(tmp_path, mask), Recipe())
    assert volume.array.dtype == np.uint8 and np.array_equal(volume.array, mask)


def test_npy_in_version_2_is_read(tmp_path):
    with (tmp_path / "a.npy").open("wb") as file:
        np.lib.format.write_array(file, voxels("int16"), version=(2, 0))
    volume = read.volume(Source(tmp_path / "a.npy", "a.npy"), Recipe())
    assert np.array_equal(volume.array, voxels("int16"))


def test_axes_of_one_before_a_volume_are_left_out(tmp_path):
    volume = read.volume(saved(tmp_path, voxels("uint8")[None, None]), Recipe())
    assert np.array_equal(volume.array, voxels("uint8"))


def test_the_format_is_told_by_the_first_bytes_whatever_the_name(tmp_path):
    source = saved(tmp_path, voxels("uint8"))
    assert read.volume(Source(source.path, "upload.bin"), Recipe()).source == "numpy uint8, C order"


def test_reading_reports_every_piece_and_ends_at_all_bytes(tmp_path, monkeypatch):
    monkeypatch.setattr(payload, "PIECE", 1000)
    source = written_to(tmp_path, "a.raw", bytes(2500))
    reports = []
    read.volume(source, Recipe((25, 10, 10)), lambda done, total: reports.append((done, total)))
    assert reports == [(1000, 2500), (2000, 2500), (2500, 2500)]


def test_reading_ends_when_the_progress_function_raises(tmp_path):
    def canceled(done: int, total: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        read.volume(written_to(tmp_path, "a.raw", bytes(60)), Recipe(SHAPE), canceled)


@given(
    st.tuples(*[st.integers(1, 999_999)] * 3), st.sampled_from(["x", " x ", "X", "×", ",", ", ", "*", "  "])
)
def test_a_shape_is_read_back_however_it_is_written(shape, separator):
    assert parsed(separator.join(map(str, reversed(shape)))) == shape
    assert (
        parsed(written(shape)) == parsed(spoken(shape)) == in_name(f"scan_{written(shape)}_i2.raw") == shape
    )


@pytest.mark.parametrize(
    "text", ["", "7", "1x2", "1x2x3x4", "0x1x2", "-1x2x3", "1.5x2x3", "axbxc", "9999999x1x1"]
)
def test_a_text_that_is_no_shape_is_refused_with_an_example(text):
    with pytest.raises(BadShape, match="like 110x110x187"):
        shape_of(text)


@pytest.mark.parametrize(
    "parameters", [{"dtype": "complex64"}, {"byte_order": "middle"}, {"header_offset": -1}], ids=str
)
def test_a_recipe_that_cannot_be_is_refused_by_the_parameter_name(parameters):
    with pytest.raises(BadValue, match=f"^{next(iter(parameters))} is "):
        Recipe(SHAPE, **parameters)
