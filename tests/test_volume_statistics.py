"""Statistics are numpy's own on the same voxels, to the last bit, and survive what is not finite."""

import json
import tracemalloc
import warnings
import xml.etree.ElementTree as ElementTree

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from workers.jobs.volume import chart
from workers.jobs.volume.statistics import Statistics, in_memory_order, measure

DTYPES = ["u1", "i1", "u2", "i2", "u4", "i4", "u8", "i8", "f2", "f4", "f8"]


def assert_as_numpy(measured: Statistics, array: np.ndarray) -> None:
    assert (measured.min, measured.max) == (array.min().item(), array.max().item())
    assert measured.mean == array.mean(dtype=np.float64).item()
    assert measured.std == array.std(dtype=np.float64).item()
    counts, edges = np.histogram(array, 64)
    assert measured.histogram.counts == tuple(counts.tolist())
    assert measured.histogram.edges == tuple(edges.tolist())


def noise(dtype: str, shape: tuple[int, ...] = (61, 53, 71)) -> np.ndarray:
    values = np.random.default_rng(1).gamma(2.0, 20.0, shape)
    if dtype.startswith("i"):
        values -= 40
    return np.clip(values, -120, 250 if dtype != "i1" else 120).astype(dtype)


@pytest.mark.parametrize("dtype", DTYPES)
def test_statistics_of_every_dtype_are_numpys(dtype):
    assert_as_numpy(measure(noise(dtype)), noise(dtype))


@pytest.mark.parametrize("dtype", ["u2", "i2", "f4"])
def test_statistics_over_the_whole_range_of_values_are_numpys(dtype):
    array = np.random.default_rng(2).integers(0, 2**16, (40, 50, 60), np.uint16).view(np.int16)
    array = array.astype(np.float32) / 3 if dtype == "f4" else array.view(dtype)
    assert_as_numpy(measure(array), array)


@pytest.mark.parametrize("size", [1, 7, 8, 127, 128, 65536, 65537, 262_143, 1_000_003])
def test_sums_round_as_numpys_whatever_the_size(size):
    array = np.random.default_rng(size).normal(1e3, 7, size)
    assert measure(array).std == array.std()


@settings(max_examples=200, deadline=None)
@given(
    arrays.arrays(
        st.sampled_from(["u1", "i2", "u2"]), arrays.array_shapes(min_dims=3, max_dims=3, max_side=6)
    )
)
def test_integers_of_any_kind_are_counted_as_numpy_counts_them(array):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert_as_numpy(measure(array), array)


@settings(max_examples=200, deadline=None)
@given(
    arrays.arrays(
        st.sampled_from(["f2", "f4", "f8"]), arrays.array_shapes(min_dims=3, max_dims=3, max_side=5)
    )
)
def test_any_floats_give_statistics_that_are_json(array):
    measured = measure(array)
    plain = json.loads(json.dumps(measured.plain(), allow_nan=False))
    assert plain["nonfinite"] == np.count_nonzero(~np.isfinite(array))
    assert sum(plain["histogram"]["counts"]) == array.size - plain["nonfinite"]
    ElementTree.fromstring(chart.histogram(measured).data)


def test_what_is_not_finite_is_counted_and_left_out():
    array = noise("f4")
    array[3, :, 5], array[4, 4, 4], array[5, 5, 5] = np.nan, np.inf, -np.inf
    measured = measure(array)
    assert measured.nonfinite == 55 and measured.voxels == array.size
    assert_as_numpy(measured, array[np.isfinite(array)])


def test_a_volume_without_a_finite_voxel_has_no_numbers():
    plain = measure(np.full((2, 2, 2), np.nan)).plain()
    assert plain["min"] is plain["mean"] is plain["std"] is None
    assert plain["nonfinite"] == 8 and plain["histogram"] == {"counts": [], "edges": []}


def test_a_constant_volume_has_one_full_bin():
    measured = measure(np.full((3, 3, 3), 7, np.int16))
    assert_as_numpy(measured, np.full((3, 3, 3), 7, np.int16))
    assert measured.std == 0 and max(measured.histogram.counts) == 27


def test_a_range_too_narrow_for_64_bins_has_one():
    measured = measure(np.array([[[1.0, np.nextafter(1.0, 2)]]]))
    assert measured.histogram.counts == (2,)


@pytest.mark.parametrize("turned", [np.s_[::-1, :, ::-1], np.s_[:, ::-1], np.s_[:]], ids=str)
@pytest.mark.parametrize("axes", [(0, 1, 2), (2, 1, 0), (1, 2, 0)], ids=str)
def test_turned_and_flipped_views_are_walked_without_a_copy(axes, turned):
    array = noise("i2").transpose(axes)[turned]
    assert np.shares_memory(in_memory_order(array), array)
    assert_as_numpy(measure(array), noise("i2"))


@pytest.mark.parametrize("dtype", ["u1", "i2", "f4"])
def test_statistics_need_little_memory_beside_the_volume(dtype):
    array = noise(dtype, (100, 400, 400))
    tracemalloc.start()
    measure(array)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 20e6


def test_the_histogram_picture_holds_a_bar_for_each_bin_and_no_script_or_style():
    picture = chart.histogram(measure(noise("u1")))
    root = ElementTree.fromstring(picture.data)
    assert len(root.findall("{*}rect")) == 64 and picture.media_type == "image/svg+xml"
    assert not root.findall(".//{*}script") + root.findall(".//{*}style") and b"style=" not in picture.data
    assert "229,543 voxels" in root.find("{*}title").text
