"""Files that lie, end early or hold something else are refused in words; no code runs, no memory goes."""

import gzip
import pickle
import random
import struct
import tracemalloc
import zipfile
from pathlib import Path

import nibabel
import numpy as np
import pytest

from workers.jobs.volume import read
from workers.jobs.volume.dicom.errors import NoSeries
from workers.jobs.volume.errors import (
    DamagedFile,
    NotThreeDimensional,
    TooLarge,
    UnsupportedDtype,
    VolumeError,
)
from workers.jobs.volume.raw import Recipe
from workers.jobs.volume.source import Source


def source(folder: Path, name: str, data: bytes) -> Source:
    (folder / name).write_bytes(data)
    return Source(folder / name, name)


def refused(source: Source, error: type[VolumeError], recipe: Recipe | None = None) -> str:
    """The sentence of the refusal, which has taken no memory to speak of."""
    tracemalloc.start()
    with pytest.raises(error) as caught:
        read.volume(source, recipe or Recipe((2, 2, 2)))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 5e6
    return str(caught.value)


def npy(folder: Path, array: np.ndarray, **options) -> Source:
    np.save(folder / "a.npy", array, **options)
    return Source(folder / "a.npy", "a.npy")


def nifti(shape=(4, 4, 4), dtype="<i2", name="a.nii", **fields) -> bytes:
    """A single-file NIfTI-1 whose header may say anything, with voxels for 4 x 4 x 4 of int16."""
    header = nibabel.Nifti1Header()
    header.set_data_dtype(np.dtype(dtype))
    header["dim"][: len(shape) + 1] = [len(shape), *shape]
    header["magic"], header["vox_offset"] = b"n+1", 352
    for name, value in fields.items():
        header[name] = value
    return header.binaryblock + bytes(4) + bytes(128)


def test_an_empty_file_is_said_to_be_empty(tmp_path):
    assert refused(source(tmp_path, "file.mpv", b""), DamagedFile) == "file.mpv cannot be read: it is empty."


def test_objects_in_npy_are_refused_and_never_unpickled(tmp_path):
    class Trap:
        def __reduce__(self):
            return (Path.touch, (tmp_path / "sprung",))

    pickle.loads(pickle.dumps(Trap()))
    assert (tmp_path / "sprung").exists(), "the trap works"
    (tmp_path / "sprung").unlink()
    trap = npy(tmp_path, np.full((2, 2, 2), Trap(), object), allow_pickle=True)
    assert "voxels of object" in refused(trap, UnsupportedDtype)
    assert not (tmp_path / "sprung").exists()


@pytest.mark.parametrize("kept", [1, 6, 8, 10, 60, 127, 128, 129, 1127])
def test_npy_that_ends_early_is_refused(tmp_path, kept):
    np.save(tmp_path / "a.npy", np.zeros((10, 10, 10), np.uint8))
    data = (tmp_path / "a.npy").read_bytes()[:kept]
    assert "a.npy cannot be read" in refused(source(tmp_path, "a.npy", data), DamagedFile)


def test_npy_that_claims_terabytes_is_refused(tmp_path):
    header = b"{'descr': '<f8', 'fortran_order': False, 'shape': (30000, 30000, 30000), }\n"
    data = b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header + bytes(100)
    assert "needs 216,000,000,000,085 bytes" in refused(source(tmp_path, "a.npy", data), DamagedFile)


@pytest.mark.parametrize(
    "header",
    [
        b"",
        b"{",
        b"[" * 5000,
        b"\xff" * 50,
        b"{'shape': 7}",
        b"__import__('os').abort()",
        b"{'descr': '<f8', 'fortran_order': 1, 'shape': (-1,)}",
        b"{'descr': '<f8', 'fortran_order': False, 'shape': (-2, -2, 2)}",
        b"{'descr': 'O', 'fortran_order': False, 'shape': (1, 1, 1)}",
    ],
)
def test_npy_headers_that_make_no_sense_are_refused(tmp_path, header):
    data = b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header + bytes(100)
    refused(source(tmp_path, "a.npy", data), VolumeError)


@pytest.mark.parametrize(
    "dtype", ["complex64", "complex128", "U3", "S4", "V8", "M8[s]", "longdouble", "u1,u1,u1"]
)
def test_voxels_that_are_no_real_numbers_are_refused(tmp_path, dtype):
    assert "only real numbers" in refused(npy(tmp_path, np.zeros((2, 2, 2), dtype)), UnsupportedDtype)


@pytest.mark.parametrize(
    "dtype", [nibabel.nifti1.data_type_codes.dtype[code] for code in (128, 32, 1792)], ids=str
)
def test_nifti_colours_and_complex_voxels_are_refused(tmp_path, dtype):
    assert "only real numbers" in refused(source(tmp_path, "a.nii", nifti(dtype=dtype)), UnsupportedDtype)


@pytest.mark.parametrize("shape", [(), (8,), (4, 4), (20, 4, 4, 4), (1, 2, 1, 2, 2)], ids=str)
def test_arrays_of_other_than_three_axes_are_refused(tmp_path, shape):
    said = refused(npy(tmp_path, np.zeros(shape)), NotThreeDimensional)
    assert f"{len(shape)} axes" in said if shape != (1, 2, 1, 2, 2) else "axes" in said


def test_a_series_of_volumes_in_nifti_is_refused_with_its_lengths(tmp_path):
    said = refused(source(tmp_path, "a.nii", nifti((4, 4, 2, 2))), NotThreeDimensional)
    assert (
        said
        == "a.nii holds an array of 4 axes (4 x 4 x 2 x 2); a volume has three. Save one volume by itself."
    )


@pytest.mark.parametrize("name", ["a.nii", "a.nii.gz"])
def test_nifti_that_claims_108_terabytes_is_refused(tmp_path, name):
    data = nifti((30000, 30000, 30000), "<f4")
    data = gzip.compress(data) if name.endswith("gz") else data
    assert "needs 108,000,000,000,352 bytes" in refused(source(tmp_path, name, data), DamagedFile)


def test_a_gzip_file_that_could_hold_what_it_claims_is_refused_beyond_the_limit(tmp_path):
    padded = source(tmp_path, "a.nii.gz", gzip.compress(nifti((3000, 3000, 600))))
    with padded.path.open("ab") as file:
        file.truncate(20 * 2**20)
    assert "at most 8,589,934,592 are allowed" in refused(padded, TooLarge)


def test_a_gzip_file_that_could_hold_what_it_claims_but_does_not_is_refused(tmp_path):
    short = gzip.compress(nifti((64, 64, 64)) + random.Random(0).randbytes(1000))
    assert "its data ends after 1,128" in refused(source(tmp_path, "a.nii.gz", short), DamagedFile)


@pytest.mark.parametrize("kept", [10, 20, -8, -1])
def test_gzip_that_ends_early_is_refused(tmp_path, kept):
    packed = gzip.compress(nifti()[:352] + random.Random(0).randbytes(128))
    refused(source(tmp_path, "a.nii.gz", packed[:kept]), DamagedFile)


def test_gzip_with_a_flipped_byte_is_refused(tmp_path):
    packed = bytearray(gzip.compress(nifti()[:352] + random.Random(0).randbytes(128)))
    packed[100] ^= 255
    refused(source(tmp_path, "a.nii.gz", bytes(packed)), DamagedFile)


@pytest.mark.parametrize(
    "fields",
    [
        {"vox_offset": float("inf")},
        {"vox_offset": float("nan")},
        {"vox_offset": 1e30},
        {"vox_offset": -400},
        {"datatype": 9999},
        {"bitpix": 7, "datatype": 0},
        {"xyzt_units": 255},
        {"scl_slope": 2, "scl_inter": float("nan")},
        {"qform_code": 1, "quatern_b": 7},
    ],
    ids=str,
)
def test_nifti_headers_that_make_no_sense_are_refused(tmp_path, fields):
    refused(source(tmp_path, "a.nii", nifti(**fields)), VolumeError)


@pytest.mark.parametrize("shape", [(4, 0, 4), (4, -4, 4), (-1, 1, 1)], ids=str)
def test_nifti_axes_of_no_length_are_refused(tmp_path, shape):
    refused(source(tmp_path, "a.nii", nifti(shape)), DamagedFile)


@pytest.mark.parametrize("fields", [{"srow_x": float("nan")}, {"srow_x": 0}], ids=str)
def test_an_orientation_that_makes_no_sense_is_left_alone(tmp_path, fields):
    fields |= {"sform_code": 1, "pixdim": [1, -3, float("nan"), 1e30, 0, 0, 0, 0]}
    volume = read.volume(source(tmp_path, "a.nii", nifti(**fields)), Recipe())
    assert volume.orientation is volume.spacing is None


def test_nifti_with_random_bytes_in_its_header_is_read_or_refused(tmp_path):
    chance, whole = random.Random(0), nifti()
    for _ in range(500):
        data = bytearray(whole)
        for _ in range(chance.choice([1, 4, 40])):
            data[chance.randrange(344)] = chance.randrange(256)
        try:
            read.volume(source(tmp_path, "a.nii", bytes(data)), Recipe((2, 2, 2)))
        except VolumeError as error:
            assert str(error)


@pytest.mark.parametrize("kept", [8, 348, 539, 540, 600])
def test_nifti_2_that_ends_early_is_refused(tmp_path, kept):
    whole = nibabel.Nifti2Image(np.zeros((4, 4, 4), np.int16), np.eye(4)).to_bytes()
    refused(source(tmp_path, "a.nii", whole[:kept]), DamagedFile)


def test_half_of_a_nifti_pair_is_named(tmp_path):
    assert "one half of a NIfTI pair" in refused(source(tmp_path, "a.hdr", nifti(magic=b"ni1")), DamagedFile)


@pytest.mark.parametrize(
    "name, data, reason",
    [
        ("a.npy", b"not numpy", "does not begin like a numpy file"),
        ("a.NII", bytes(500), "does not begin like it"),
        ("a.nii.gz", gzip.compress(b"no header", mtime=0), "neither NIfTI nor numpy"),
        ("file.mpv.gz", gzip.compress(bytes(8), mtime=0), "unpack it first"),
    ],
)
def test_what_is_something_else_is_never_taken_for_raw_voxels(tmp_path, name, data, reason):
    assert reason in refused(source(tmp_path, name, data), DamagedFile, Recipe((1, 1, len(data))))


@pytest.mark.parametrize("name", ["a.dcm", "a.raw"])
def test_what_has_the_mark_of_dicom_is_never_taken_for_raw_voxels(tmp_path, name):
    marked = source(tmp_path, name, bytes(128) + b"DICM" + bytes(9))
    assert "1 DICOM file without a picture" in refused(marked, NoSeries, Recipe((1, 1, 141)))


def test_a_zip_archive_is_never_taken_for_raw_voxels(tmp_path):
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr("a", "a")
    assert "1 file that is not DICOM" in refused(Source(tmp_path / "a.zip", "a.zip"), NoSeries)
