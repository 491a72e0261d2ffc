"""The phantom: the same bytes for the same seed, within its dtype, and shaped like a patient."""

from typing import get_args

import numpy as np
import pytest

from workers.jobs.volume.errors import BadValue, TooLarge
from workers.jobs.volume.fits import Dtype
from workers.jobs.volume.phantom import slabs

SHAPE = (94, 55, 55)


def phantom(shape=SHAPE, dtype="uint8", noise=0.03, seed=0) -> np.ndarray:
    return np.stack(list(slabs(shape, dtype, noise, seed)))


def test_the_same_seed_makes_the_same_bytes_and_another_seed_others():
    assert phantom(seed=1).tobytes() == phantom(seed=1).tobytes() != phantom(seed=2).tobytes()


@pytest.mark.parametrize("dtype", get_args(Dtype))
def test_every_dtype_has_a_dark_background_and_a_hot_spot_within_its_range(dtype):
    array = phantom(dtype=dtype)
    highest = 10 if array.dtype.kind == "f" else min(np.iinfo(array.dtype).max, 32767)
    assert array.shape == SHAPE and array.dtype == np.dtype(dtype) and array.min() >= 0
    assert array.max() > 0.9 * highest and np.median(array) < 0.05 * highest


def test_the_brain_is_up_the_bladder_is_down_and_the_liver_is_on_the_right():
    array = phantom(noise=0).astype(float)
    assert array[-9, 20, 27] > 100 and array[17, 24, 27] > 200
    right, left = array[36:44, :, :27].sum(), array[36:44, :, 28:].sum()
    assert right > left


def test_noise_is_the_only_difference_between_left_alone_and_noisy():
    noise = phantom(dtype="float32", noise=0.05) - phantom(dtype="float32", noise=0)
    assert abs(noise.mean()) < 0.02 and 0.02 < noise.std() < 0.5


def test_slices_are_made_one_at_a_time():
    first = next(slabs((1000, 4, 5), "int16", 0.0, 0))
    assert first.shape == (4, 5)


@pytest.mark.parametrize(
    "wrong", [{"noise": -0.1}, {"noise": float("nan")}, {"noise": 2}, {"seed": -1}], ids=str
)
def test_parameters_out_of_range_are_refused_before_the_first_slice(wrong):
    with pytest.raises(BadValue, match=next(iter(wrong))):
        slabs(**({"shape": SHAPE, "dtype": "uint8", "noise": 0.0, "seed": 0} | wrong))


def test_a_phantom_of_more_than_a_gibibyte_is_refused():
    with pytest.raises(TooLarge, match="1,073,741,824"):
        slabs((1024, 1024, 1025), "uint8", 0.0, 0)
