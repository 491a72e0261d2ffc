"""NRRD is read as SimpleITK reads it: values, place, spacing; what it cannot be is said."""

import gzip
from pathlib import Path

import numpy as np
import pytest
import SimpleITK

from workers.jobs.volume import read
from workers.jobs.volume.errors import DamagedFile, NotRaw, NotThreeDimensional, VolumeError
from workers.jobs.volume.raw import Recipe
from workers.jobs.volume.source import Source
from workers.jobs.volume.volume import Volume

VOXELS = np.random.default_rng(0).integers(0, 100, (6, 5, 4))
HEADER = {"type": "short", "dimension": "3", "sizes": "4 5 6", "endian": "little", "encoding": "raw"}
TURNED = np.array([[0.0, -0.8, 0.6], [1.0, 0.0, 0.0], [0.0, 0.6, 0.8]])


def loaded(folder: Path, data: bytes, name: str = "a.nrrd") -> Volume:
    (folder / name).write_bytes(data)
    return read.volume(Source(folder / name, name), Recipe())


def nrrd(voxels: bytes = VOXELS.astype("<i2").tobytes(), **fields: str) -> bytes:
    told = HEADER | {name.replace("_", " "): value for name, value in fields.items()}
    lines = [f"{name}: {value}" for name, value in told.items() if value]
    return "\n".join(["NRRD0004", "# made by hand", *lines, "", ""]).encode() + voxels


def by_simpleitk(path: Path) -> tuple[np.ndarray, np.ndarray]:
    """Voxels (z, y, x) and the affine to LPS, as they lie in the file."""
    image = SimpleITK.ReadImage(str(path))
    affine = np.eye(4)
    affine[:3, :3] = np.reshape(image.GetDirection(), (3, 3)) * image.GetSpacing()
    affine[:3, 3] = image.GetOrigin()
    return SimpleITK.GetArrayFromImage(image), affine


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize("direction", [np.eye(3), np.diag([-1.0, -1.0, 1.0]), TURNED], ids=["lps", "ras", "oblique"])
@pytest.mark.parametrize("dtype", ["uint8", "int16", "uint16", "int32", "float32", "float64"])
def test_what_simpleitk_wrote_is_read_with_its_values_and_its_place(tmp_path, dtype, direction, packed):
    image = SimpleITK.GetImageFromArray(VOXELS.astype(dtype))
    image.SetSpacing((0.5, 0.75, 1.5))
    image.SetOrigin((10.0, -20.0, 30.0))
    image.SetDirection(direction.ravel().tolist())
    SimpleITK.WriteImage(image, str(tmp_path / "a.nrrd"), packed)
    volume = loaded(tmp_path, (tmp_path / "a.nrrd").read_bytes())
    voxels, affine = by_simpleitk(tmp_path / "a.nrrd")
    assert (volume.array.dtype, volume.orientation) == (np.dtype(dtype), "LPS")
    for place in [(0, 0, 0), (3, 1, 2), tuple(np.array(volume.array.shape[::-1]) - 1)]:
        index = np.linalg.inv(affine) @ volume.affine @ (*place, 1)
        x, y, z = np.rint(index[:3]).astype(int)
        assert np.allclose(index[:3], (x, y, z)) and volume.array[place[::-1]] == voxels[z, y, x]
    assert np.allclose(sorted(volume.spacing), (0.5, 0.75, 1.5))
    assert (np.abs(volume.affine[:3, :3]).argmax(axis=0) == (0, 1, 2)).all()


@pytest.mark.parametrize("space", ["left-posterior-superior", "RAS", "left-anterior-superior", "LPS"])
def test_each_space_is_turned_as_simpleitk_turns_it(tmp_path, space):
    directions = {"space_directions": "(2,0,0) (0,3,0) (0,0,4)", "space_origin": "(1,2,3)"}
    volume = loaded(tmp_path, nrrd(space=space, **directions))
    voxels, affine = by_simpleitk(tmp_path / "a.nrrd")
    x, y, z = np.rint(np.linalg.inv(affine) @ volume.affine @ (1, 1, 1, 1)).astype(int)[:3]
    assert volume.array[1, 1, 1] == voxels[z, y, x] and volume.spacing == (4, 3, 2)


@pytest.mark.parametrize("word", ["short", "signed short int", "int16", "int16_t", "unsigned short", "ushort"])
@pytest.mark.parametrize("endian", ["little", "big"])
def test_all_words_for_a_type_and_both_byte_orders_are_known(tmp_path, word, endian):
    stored = VOXELS.astype("<u2" if endian == "little" else ">u2").tobytes()
    array = loaded(tmp_path, nrrd(stored, type=word, endian=endian)).array
    assert np.array_equal(array, VOXELS) and array.dtype.kind == ("u" if "u" in word else "i")


def test_without_a_space_only_the_spacing_is_known(tmp_path):
    volume = loaded(tmp_path, nrrd(spacings="2 3 4"))
    assert (volume.spacing, volume.orientation, volume.affine) == ((4, 3, 2), None, None)
    assert loaded(tmp_path, nrrd()).spacing is None
    assert loaded(tmp_path, nrrd(spacings="nan nan nan")).spacing is None


def test_unit_content_and_units_of_length_are_told(tmp_path):
    where = {"space": "LPS", "space_directions": "(0.2,0,0) (0,0.3,0) (0,0,0.4)", "space_units": '"cm" "cm" "cm"'}
    volume = loaded(tmp_path, nrrd(sample_units="HU", content="a head\x07", **where))
    assert (volume.unit, volume.about.label) == ("HU", "a head")
    assert volume.spacing == pytest.approx((4, 3, 2))


@pytest.mark.parametrize("skip", ["0", "7", "-1"])
def test_bytes_before_the_voxels_are_skipped_as_the_header_says(tmp_path, skip):
    before = b"" if skip == "0" else b"1234567"
    assert np.array_equal(loaded(tmp_path, nrrd(before + VOXELS.astype("<i2").tobytes(), byte_skip=skip)).array, VOXELS)


@pytest.mark.parametrize(
    "fields, said",
    [
        ({"encoding": "bzip2"}, "its voxels are encoded as bzip2; save them raw or gzip"),
        ({"encoding": "gzip"}, "its header says that its voxels are gzip, but they are not"),
        ({"data_file": "/etc/passwd"}, "its voxels are in “/etc/passwd”; save both as one .nrrd"),
        ({"type": "block"}, "its NRRD header makes no sense"),
        ({"type": ""}, "its NRRD header makes no sense"),
        ({"endian": ""}, "its NRRD header makes no sense"),
        ({"sizes": "4 five 6"}, "its NRRD header makes no sense"),
        ({"space": "LPS", "space_directions": "(1,0,0) (0,1"}, "its NRRD header makes no sense"),
        ({"byte_skip": "-2"}, "its header skips bytes that are not there"),
        ({"line_skip": "3"}, "its header skips lines"),
        ({"sizes": "4 5 7"}, "by its header it needs"),
        ({"sizes": "4 5 0"}, "it claims an axis of 0 voxels"),
        ({"sizes": "400000 400000 400000"}, "by its header it needs"),
    ],
)
def test_what_makes_no_sense_is_refused_in_words(tmp_path, fields, said):
    with pytest.raises(DamagedFile, match=said):
        loaded(tmp_path, nrrd(**fields))


def test_more_axes_than_three_are_refused(tmp_path):
    with pytest.raises(NotThreeDimensional):
        loaded(tmp_path, nrrd(dimension="4", sizes="2 2 5 6"))


def test_gzip_that_is_cut_off_or_claims_too_much_is_refused(tmp_path):
    packed = gzip.compress(VOXELS.astype("<i2").tobytes())
    assert np.array_equal(loaded(tmp_path, nrrd(packed, encoding="gzip")).array, VOXELS)
    with pytest.raises(DamagedFile):
        loaded(tmp_path, nrrd(packed[:-30], encoding="gzip"))
    with pytest.raises(VolumeError):
        loaded(tmp_path, nrrd(packed, encoding="gzip", sizes="90000 90000 90000"))


def test_a_header_without_an_end_is_refused(tmp_path):
    with pytest.raises(DamagedFile, match="has no end"):
        loaded(tmp_path, b"NRRD0004\ntype: short\n")
    with pytest.raises(DamagedFile, match="named like NRRD"):
        loaded(tmp_path, b"NRRX0004\n")


def test_metaimage_is_named_and_not_taken_for_raw_voxels(tmp_path):
    SimpleITK.WriteImage(SimpleITK.GetImageFromArray(VOXELS), str(tmp_path / "a.mha"))
    with pytest.raises(DamagedFile, match="it is MetaImage, which is not read; save it as NIfTI or NRRD"):
        loaded(tmp_path, (tmp_path / "a.mha").read_bytes(), "a.raw")


def test_it_needs_no_guess(tmp_path):
    (tmp_path / "a").write_bytes(nrrd())
    with pytest.raises(NotRaw):
        read.refuse_unless_raw(Source(tmp_path / "a", "a"))
