"""The rotating MIP shows what a slow and plain rotation shows, in each frame."""

from math import cos, floor, hypot, pi, sin
from pathlib import Path

import numpy as np
import pytest
from isal import igzip

from ledger.volume_files import MIP, MIP_FRAMES
from tests import stored_volumes
from workers.jobs.volume import mip
from workers.jobs.volume.kept import kept
from workers.jobs.volume.pictures import Window

BYTES = Window(0.0, 255.0)


def turned_slowly(array: np.ndarray, spacing: tuple[float, float, float], frame: int) -> np.ndarray:
    """Voxel by voxel: where its centre goes when the camera has walked around so far, seen from the front."""
    (depth, rows, columns), (_, sy, sx) = array.shape, spacing
    pixel, angle = max(sx, sy), 2 * pi * frame / MIP_FRAMES
    half = int(np.ceil(hypot((columns - 1) / 2 * sx, (rows - 1) / 2 * sy) / pixel))
    picture = np.zeros((depth, 2 * half + 1), array.dtype)
    for z, y, x in np.ndindex(array.shape):
        across = (x - (columns - 1) / 2) * sx * cos(angle) + (y - (rows - 1) / 2) * sy * sin(angle)
        place = floor(across / pixel + 0.5 + 1e-6) + half
        picture[depth - 1 - z, place] = max(picture[depth - 1 - z, place], array[z, y, x])
    return picture


@pytest.mark.parametrize(("shape", "spacing"), [((5, 8, 9), (3.0, 2.0, 2.0)), ((4, 7, 6), (1.0, 1.5, 2.5))])
def test_each_frame_is_that_of_a_slow_rotation_and_the_other_half_is_mirrored(shape, spacing):
    array = np.random.default_rng(0).integers(0, 256, shape).astype(np.int16)
    frames = mip.rotating(kept(array), spacing, BYTES).frames
    for frame in range(18):
        assert np.array_equal(frames[frame], turned_slowly(array, spacing, frame)), frame
        assert np.array_equal(frames[frame + 18], frames[frame][:, ::-1])


@pytest.mark.parametrize("size", [(20, 20), (20, 21), (31, 17)])
@pytest.mark.parametrize("spacing", [(1.0, 1.0, 1.0), (1.0, 0.7, 1.3), (2.0, 4.0726, 4.0726)])
def test_no_frame_has_a_hole(size, spacing):
    frames = mip.rotating(kept(np.full((2, *size), 9, np.int16)), spacing, Window(0.0, 9.0)).frames
    for frame in frames:
        lit = np.flatnonzero(frame[0])
        assert np.array_equal(lit, np.arange(lit[0], lit[-1] + 1))


def test_every_voxel_is_seen_in_every_frame():
    array = np.zeros((3, 9, 9), np.int16)
    array[1, 2, 7] = 200
    assert (mip.rotating(kept(array), (1.0, 1.0, 1.0), BYTES).frames.max(axis=(1, 2)) == 200).all()


def test_it_is_seen_from_the_front_the_left_the_back_and_the_right_with_the_head_up():
    array = np.zeros((4, 5, 5), np.int16)
    array[3, 1, 4], array[0, 1, 2] = 200, 100  # above, in front and on the patient's left; below, in front
    frames = mip.rotating(kept(array), (1.0, 1.0, 1.0), BYTES).frames
    places = [tuple(np.argwhere(frames[frame] == 200)[0] - (0, frames.shape[2] // 2)) for frame in (0, 9, 18, 27)]
    assert places == [(0, 2), (0, -1), (0, -2), (0, 1)]
    assert np.argwhere(frames[0] == 100)[0][0] == 3


def test_a_large_volume_is_made_smaller_by_maxima():
    array = np.zeros((20, 300, 10), np.int16)
    array[11, 201, 3] = 99
    found = mip.rotating(kept(array), (2.0, 1.0, 1.0), BYTES)
    assert found.pixel_mm == (2.0, 2.0) and found.frames.shape[1] == 20
    assert (found.frames.max(axis=(1, 2)) == 99).all()


def test_the_axis_stays_in_the_middle_of_the_volume_where_blocks_do_not_fill_it():
    array = np.zeros((1, 3, 257), np.int16)
    array[0, 1, 128] = 99
    for frame in mip.rotating(kept(array), (1.0, 1.0, 1.0), BYTES).frames:
        ((column,),) = [np.flatnonzero(frame[0])]
        assert abs(column - frame.shape[1] // 2) <= 1


def test_values_outside_the_window_and_nan_are_its_ends():
    array = np.array([np.nan, -np.inf, -5, 0, 5, 10, 11, np.inf], np.float32).reshape(8, 1, 1)
    frames = mip.rotating(kept(array), (1.0, 1.0, 1.0), Window(0.0, 10.0)).frames
    assert frames[0, ::-1, 0].tolist() == [0, 0, 0, 0, 128, 255, 255, 255]


def test_the_kept_file_holds_the_frames_that_the_sidecar_tells(tmp_path: Path):
    _, pet = stored_volumes.keep_both(tmp_path)
    told = pet["mip"]
    frames = np.frombuffer(igzip.decompress((tmp_path / pet["id"] / MIP).read_bytes()), np.uint8)
    frames = frames.reshape(told["frames"], told["height"], told["width"])
    assert told["pixel_mm"] == [15.1, 18.7] and frames.max() == 255
    array = stored_volumes.pet().array
    grey = np.rint(np.clip(array / told["high"], 0, 1) * 255).astype(np.uint8)
    # Columns are narrower than pixels here, so a pixel of the first frame covers one column or two.
    assert np.array_equal(frames[0].max(axis=1), grey.max(axis=(1, 2))[::-1])
