"""A .npz is read if exactly one array in it can be a volume; else it is said what it holds."""

import zipfile
from pathlib import Path

import numpy as np
import pytest

from workers.jobs.volume import read
from workers.jobs.volume.dicom.errors import NoSeries
from workers.jobs.volume.errors import DamagedFile, NotOneArray, NotRaw, UnsupportedDtype, VolumeError
from workers.jobs.volume.raw import Recipe
from workers.jobs.volume.source import Source
from workers.jobs.volume.volume import Volume

VOXELS = np.random.default_rng(0).integers(0, 100, (6, 5, 4)).astype(np.int16)


def loaded(folder: Path) -> Volume:
    return read.volume(Source(folder / "a.npz", "a.npz"), Recipe())


@pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
@pytest.mark.parametrize("dtype", ["uint8", "<i2", ">i2", "float32", "bool"])
@pytest.mark.parametrize("order", ["C", "F"])
def test_the_one_array_is_read(tmp_path, save, dtype, order):
    save(tmp_path / "a.npz", volume=np.asarray(VOXELS.astype(dtype), order=order), spacing=np.ones(3))
    assert np.array_equal(loaded(tmp_path).array, VOXELS.astype(dtype))


def test_progress_is_told_in_bytes_of_the_voxels(tmp_path):
    np.savez_compressed(tmp_path / "a.npz", VOXELS)
    told = []
    read.volume(Source(tmp_path / "a.npz", "a.npz"), Recipe(), lambda *done: told.append(done))
    assert told[-1] == (VOXELS.nbytes, VOXELS.nbytes)


@pytest.mark.parametrize(
    "held, said",
    [
        ({"a": VOXELS, "b": VOXELS[1:]}, "holds “a” (6 x 5 x 4), “b” (5 x 5 x 4). Save one by itself."),
        ({"affine": np.eye(4), "n": np.float64(3)}, "holds “affine” (4 x 4), “n” (a single value)."),
    ],
)
def test_several_arrays_or_none_are_named(tmp_path, held, said):
    np.savez(tmp_path / "a.npz", **held)
    with pytest.raises(NotOneArray) as caught:
        loaded(tmp_path)
    assert said in str(caught.value)


def test_pickled_objects_are_refused_unread(tmp_path):
    np.savez(tmp_path / "a.npz", np.full((2, 2, 2), None))
    with pytest.raises(UnsupportedDtype):
        loaded(tmp_path)


def test_a_zip_of_other_things_is_no_npz(tmp_path):
    with zipfile.ZipFile(tmp_path / "a.npz", "w") as archive:
        archive.writestr("a.npy", b"")
        archive.writestr("readme.txt", b"")
    with pytest.raises(NoSeries):
        loaded(tmp_path)


def test_a_damaged_array_is_refused(tmp_path):
    np.savez(tmp_path / "a.npz", VOXELS)
    data = bytearray((tmp_path / "a.npz").read_bytes())
    data[data.index(VOXELS.tobytes()) + 7] ^= 1
    (tmp_path / "a.npz").write_bytes(data)
    with pytest.raises(DamagedFile, match="checksum"):
        loaded(tmp_path)
    (tmp_path / "a.npz").write_bytes(data[:300])
    with pytest.raises(DamagedFile):
        loaded(tmp_path)


@pytest.mark.parametrize("claimed", ["(30000, 30000, 30000)", "(2000, 2000, 2000)", "(-1, 2, 2)"])
def test_a_header_that_claims_too_much_takes_no_memory(tmp_path, claimed):
    np.savez(tmp_path / "a.npz", VOXELS)
    with zipfile.ZipFile(tmp_path / "a.npz") as archive:
        header = archive.read("arr_0.npy")
    padded = header[:128].replace(b"(6, 5, 4), }" + b" " * (len(claimed) - 9), f"{claimed}, }}".encode())
    assert len(padded) == 128
    with zipfile.ZipFile(tmp_path / "a.npz", "w") as archive:
        archive.writestr("arr_0.npy", padded + header[128:])
    with pytest.raises(VolumeError):
        loaded(tmp_path)


def test_a_bomb_is_refused_by_what_its_index_says(tmp_path):
    with zipfile.ZipFile(tmp_path / "a.npz", "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        with archive.open("a.npy", "w", force_zip64=True) as file:
            for _ in range(300):
                file.write(bytes(2**20))
    with pytest.raises(VolumeError, match="packed|times|dense"):
        loaded(tmp_path)


def test_it_needs_no_guess(tmp_path):
    np.savez(tmp_path / "a.npz", VOXELS)
    with pytest.raises(NotRaw):
        read.refuse_unless_raw(Source(tmp_path / "a.npz", "a.npz"))
