"""A kept volume: numpy reads the same voxels back from its chunks, and the sidecar says the truth about them."""

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from isal import igzip
from PIL import Image

from ledger.volume_files import PREVIEW, SIDECAR, THUMBNAIL, chunk_count, is_part
from tests import stored_volumes
from tests.processes import ROOT
from workers.jobs.volume import store
from workers.jobs.volume.volume import About, NotSuv, Suv, Volume


@pytest.fixture(scope="module")
def pair(tmp_path_factory) -> tuple[Path, dict, dict]:
    volumes = tmp_path_factory.mktemp("volumes")
    return volumes, *stored_volumes.keep_both(volumes)


def keep(folder: Path, array: np.ndarray, **known) -> dict:
    return store.write(Volume(array, "made up", **known), folder / "kept", "kept", "a volume")


def read_back(folder: Path, known: dict) -> np.ndarray:
    chunks = sorted((folder / "full").iterdir())
    data = b"".join(igzip.decompress(chunk.read_bytes()) for chunk in chunks)
    dtype = np.dtype(known["dtype"]).newbyteorder("<")
    return np.frombuffer(data, dtype).reshape(known["shape_xyz"][::-1])


@pytest.mark.parametrize(("made", "which"), [(stored_volumes.ct, 1), (stored_volumes.pet, 2)], ids=["ct", "pet"])
def test_the_chunks_hold_every_voxel_as_it_was(pair, made, which):
    known = pair[which]
    assert read_back(pair[0] / known["id"], known).tobytes() == made().array.tobytes()


def test_all_files_are_named_as_agreed_and_counted(pair):
    volumes, known, _ = pair
    folder = volumes / known["id"]
    files = {file.relative_to(folder).as_posix(): file.stat().st_size for file in folder.rglob("*") if file.is_file()}
    depth = known["shape_xyz"][2]
    assert all(is_part(name, depth) for name in files)
    assert known["bytes"] == sum(size for name, size in files.items() if name != SIDECAR)
    assert known["chunks"]["count"] == chunk_count(depth) == len(known["chunks"]["bytes"])
    assert known["chunks"]["bytes"] == [files[f"full/{index:04}.gz"] for index in range(chunk_count(depth))]
    assert json.loads((folder / SIDECAR).read_text()) == known


@pytest.mark.parametrize(
    ("dtype", "kept"),
    [("uint8", "int16"), ("int8", "int16"), ("int16", "int16"), ("uint16", "int16"), ("int64", "int16")]
    + [("float16", "float32"), ("float32", "float32"), ("float64", "float32")],
)
def test_integers_that_fit_are_kept_as_int16_and_the_rest_as_float32(tmp_path, dtype, kept):
    array = np.arange(5 * 4 * 3).reshape(5, 4, 3).astype(dtype)
    known = keep(tmp_path, array)
    assert known["dtype"] == kept
    assert np.array_equal(read_back(tmp_path / "kept", known), array)


def test_integers_too_large_for_int16_become_float32_and_rounding_is_said(tmp_path):
    array = np.arange(5 * 4 * 3).reshape(5, 4, 3) + 2**30
    known = keep(tmp_path, array)
    assert known["dtype"] == "float32" and known["warnings"] == [
        "Kept as float32, which rounds whole numbers beyond ±16,777,216; they go from 1,073,741,824 to 1,073,741,883."
    ]
    assert np.array_equal(read_back(tmp_path / "kept", known), array.astype(np.float32))


def test_a_volume_that_is_a_turned_view_is_kept_in_the_order_that_it_shows(tmp_path):
    array = np.arange(20 * 4 * 3, dtype=np.int16).reshape(3, 4, 20).transpose()[::-1, :, ::-1]
    assert np.array_equal(read_back(tmp_path / "kept", keep(tmp_path, array)), array)


@pytest.mark.parametrize("kind", ["int16", "float32"])
def test_range_and_histogram_are_numpys_and_percentiles_within_the_step(tmp_path, kind):
    array = np.random.default_rng(0).normal(200, 300, (33, 40, 50)).astype(kind)
    known = keep(tmp_path, array)
    assert known["range"] == [array.min(), array.max()] and known["nonfinite"] == 0
    assert sum(known["histogram"]["counts"]) == array.size
    exact = np.percentile(array, [1, 50, 99, 99.5, 99.9], method="inverted_cdf")
    assert list(known["percentiles"]) == ["1", "50", "99", "99.5", "99.9"]
    near = 0 if kind == "int16" else 1 / 256
    assert list(known["percentiles"].values()) == pytest.approx(exact, rel=near, abs=0)
    if kind == "int16":
        assert np.array_equal(known["histogram"]["counts"], np.histogram(array, 256)[0])


def test_what_is_no_number_is_counted_and_left_out(tmp_path):
    array = np.ones((17, 3, 3), np.float32)
    array[0, 0] = np.nan, np.inf, -np.inf
    array[16, 2, 2] = 3
    known = keep(tmp_path, array)
    assert (known["range"], known["nonfinite"]) == ([1, 3], 3)
    assert np.array_equal(read_back(tmp_path / "kept", known), array, equal_nan=True)


@pytest.mark.parametrize("value", [np.nan, 0.0, 7.0])
def test_a_volume_of_one_value_has_windows_of_some_width(tmp_path, value):
    known = keep(tmp_path, np.full((3, 3, 3), value, np.float32))
    assert known["range"] == ([None, None] if np.isnan(value) else [value, value])
    assert all(window["low"] < window["high"] for window in known["windows"])


@pytest.mark.parametrize("shape", [(20, 10, 12), (70, 130, 257)])
@pytest.mark.parametrize("kind", ["int16", "float32"])
def test_the_preview_is_the_mean_of_each_block(tmp_path, shape, kind):
    array = np.random.default_rng(0).normal(0, 1000, shape).astype(kind)
    known = keep(tmp_path, array)
    z, y, x = known["preview"]["factor_xyz"][::-1]
    data = igzip.decompress((tmp_path / "kept" / PREVIEW).read_bytes())
    small = np.frombuffer(data, f"<{array.dtype.str[1:]}").reshape(known["preview"]["shape_xyz"][::-1])
    assert max(small.shape) <= 128 and small.shape == tuple(-(-n // f) for n, f in zip(shape, (z, y, x), strict=True))
    for place in [(0, 0, 0), (3, 5, 7), tuple(n - 1 for n in small.shape)]:
        block = array[tuple(slice(i * f, (i + 1) * f) for i, f in zip(place, (z, y, x), strict=True))]
        near = {"abs": 0.5001} if kind == "int16" else {"rel": 1 / 512}
        assert small[place] == pytest.approx(block.mean(dtype=np.float64), **near)


def test_the_thumbnail_shows_three_slices_side_by_side(pair):
    for known in pair[1:]:
        image = Image.open(pair[0] / known["id"] / THUMBNAIL)
        assert (image.mode, image.size) == ("L", (488, 160))
    assert np.asarray(image)[0, 0] == 255  # PET is shown in black on white


def test_ct_is_offered_in_the_windows_of_radiologists(pair):
    first = pair[1]["windows"][0]
    assert first == {"name": "Soft tissue", "low": -160, "high": 240, "suv": False}
    assert [each["name"] for each in pair[1]["windows"]] == ["Soft tissue", "Lung", "Bone", "Brain", "Whole range"]
    assert pair[1]["colour_map"] == "grey"


def test_pet_with_suv_is_offered_from_nought_to_five_and_ten_in_inverted_grey(pair):
    known = pair[2]
    assert known["windows"][:2] == [
        {"name": "SUV 0–5", "low": 0, "high": 5, "suv": True},
        {"name": "SUV 0–10", "low": 0, "high": 10, "suv": True},
    ]
    assert known["colour_map"] == "grey-inverted"
    assert known["mip"]["high"] * known["suv"]["factor"] == pytest.approx(10)


def test_what_is_not_suv_is_offered_in_no_suv_and_says_why(tmp_path):
    array = np.random.default_rng(0).normal(500, 100, (9, 9, 9)).astype(np.float32)
    why = NotSuv("The file has no weight.", ("PatientWeight",))
    known = keep(tmp_path, array, unit="Bq/ml", suv=why, about=About(modality="PT"))
    assert known["suv"] == {"not_suv": "The file has no weight.", "missing": ["PatientWeight"]}
    assert not any(window["suv"] for window in known["windows"])
    assert known["windows"][0]["low"] == 0 and known["colour_map"] == "grey-inverted"


def test_a_volume_without_place_lies_at_the_middle_of_the_world_and_says_so(tmp_path):
    known = keep(tmp_path, np.zeros((3, 4, 5), np.int16), spacing=(3.0, 2.0, 1.0))
    assert known["affine"] == np.diag([1.0, 2.0, 3.0, 1.0]).tolist()
    assert (known["affine_known"], known["spacing_known"], known["orientation"]) == (False, True, None)
    assert known["spacing_xyz"] == [1, 2, 3] and known["unit"] == ""


@pytest.mark.parametrize("keep_names", [False, True])
def test_a_patients_name_is_kept_only_where_it_is_wanted(tmp_path, keep_names):
    volume = replace(stored_volumes.ct((4, 6, 6)), about=About("subject-1", patient_name="Doe^Jane"))
    store.write(volume, tmp_path / "a", "a", "a", keep_names=keep_names)
    files = b"".join(file.read_bytes() for file in (tmp_path / "a").rglob("*") if file.is_file())
    assert (b"Doe^Jane" in files) is keep_names and b"subject-1" in files


def test_nothing_is_left_of_what_was_not_finished(tmp_path):
    def stop(done: int, total: int) -> None:
        raise InterruptedError

    with pytest.raises(InterruptedError):
        store.write(stored_volumes.ct(), tmp_path / "a", "a", "a", progress=stop)
    assert list(tmp_path.iterdir()) == []


def test_progress_is_told_in_slices_up_to_the_last(tmp_path):
    told = []
    store.write(stored_volumes.ct((40, 9, 9)), tmp_path / "a", "a", "a", progress=lambda *done: told.append(done))
    assert told == [(16, 40), (32, 40), (40, 40)]


def test_what_is_kept_is_never_written_over(tmp_path):
    known = keep(tmp_path, np.zeros((3, 3, 3), np.int16))
    with pytest.raises(FileExistsError):
        keep(tmp_path, np.ones((3, 3, 3), np.int16))
    assert not read_back(tmp_path / "kept", known).any() and len(list(tmp_path.iterdir())) == 1


def test_the_same_volume_makes_the_same_bytes(tmp_path):
    for name in "ab":
        store.write(stored_volumes.pet(), tmp_path / name, "same", "same")
    files = [file for file in (tmp_path / "a").rglob("*") if file.is_file()]
    assert all(file.read_bytes() == (tmp_path / "b" / file.relative_to(tmp_path / "a")).read_bytes() for file in files)


def test_keeping_takes_little_more_memory_than_the_volume():
    grown = subprocess.run([sys.executable, "-c", GROWTH], cwd=ROOT, capture_output=True, text=True, check=True)
    volume, more = map(float, grown.stdout.split())
    assert more < 0.4 * volume + 120, f"{volume} MB took {more} MB more"


GROWTH = """
import tempfile
from pathlib import Path
import numpy as np
from bench.volumes.memory import peak_mb as peak
from workers.jobs.volume import store
from workers.jobs.volume.volume import Volume

array = np.ones((100, 512, 512), np.int16) * np.arange(512, dtype=np.int16)
before = peak()
with tempfile.TemporaryDirectory() as folder:
    store.write(Volume(array, "made up", unit="HU"), Path(folder) / "a", "a", "a")
print(array.nbytes / 2**20, peak() - before)
"""


def test_the_pair_overlaps_in_the_world_on_grids_of_its_own():
    ct, pet = stored_volumes.ct(), stored_volumes.pet()
    boxes = [[volume.affine @ (*corner, 1) for corner in ((0, 0, 0), volume.array.shape[::-1])] for volume in (ct, pet)]
    (low, high), (other_low, other_high) = np.array(boxes)[..., :3]
    assert (np.minimum(high, other_high) - np.maximum(low, other_low) > 500).all()
    assert ct.spacing != pet.spacing and isinstance(pet.suv, Suv)
    assert pet.array.max() * pet.suv.factor == pytest.approx(10, abs=2)
    assert ct.about.frame_of_reference_uid == pet.about.frame_of_reference_uid
