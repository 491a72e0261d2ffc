"""Archives and files that lie, end early or unpack without end are refused in words, and memory stays small."""

import random
import struct
import tracemalloc
import zipfile
import zlib

import numpy as np
import pytest
from pydicom.uid import DeflatedExplicitVRLittleEndian, ImplicitVRLittleEndian

from tests.dicoms import header, offer, read, saved, shipped, slice_of, stack_of, voxels, written, zipped
from workers.jobs.volume.dicom import archive
from workers.jobs.volume.dicom.archive import Limits
from workers.jobs.volume.dicom.errors import Encrypted, NoSeries, TooDense, TooMany, TooMuch
from workers.jobs.volume.errors import DamagedFile, NoSuchFile, OutsideFolder, VolumeError
from workers.jobs.volume.source import Source


def refused(error: type[VolumeError], *sources: Source, memory: float = 5e6) -> str:
    tracemalloc.start()
    try:
        with pytest.raises(error) as caught:
            read(*sources)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < memory
    return str(caught.value)


def test_names_that_climb_out_of_the_archive_are_only_names(tmp_path):
    files = {f"../../../etc/{name}": data for name, data in stack_of(voxels(3)).items()}
    files["C:\\windows\\..\\a\x1b[31m.dcm"] = b"x"
    before = sorted(tmp_path.rglob("*"))
    source = zipped(tmp_path, files)
    assert read(source).array.shape == (3, 5, 6)
    assert sorted(tmp_path.rglob("*")) == [*before, source.path]
    assert {each.name for each in archive.members([source])} == {
        "etc/0.dcm",
        "etc/1.dcm",
        "etc/2.dcm",
        "C:/windows/a_[31m.dcm",
    }


def test_a_zip_bomb_is_refused_before_it_is_unpacked(tmp_path):
    source = zipped(tmp_path, {"a.dcm": bytes(2**20)})
    claiming = bytearray(source.path.read_bytes())
    struct.pack_into("<L", claiming, claiming.rfind(b"PK\x01\x02") + 24, 300 * 2**20)
    source.path.write_bytes(claiming)
    assert "(314,572,800 bytes): that is no archive of pictures" in refused(TooDense, source)


def test_an_entry_that_holds_more_than_its_index_says_is_refused_where_that_ends(tmp_path):
    data = slice_of(np.zeros((1, 1000, 1000), np.int16))
    source = zipped(tmp_path, {"a.dcm": data})
    lying = bytearray(source.path.read_bytes())
    at = lying.rfind(b"PK\x01\x02")
    struct.pack_into("<L", lying, at + 24, 5000)
    source.path.write_bytes(lying)
    assert refused(DamagedFile, source).startswith("a.dcm cannot be read: ")


def test_an_entry_that_holds_less_than_its_index_says_is_refused(tmp_path):
    source = zipped(tmp_path, {"a.dcm": slice_of(voxels(1))})
    lying = bytearray(source.path.read_bytes())
    struct.pack_into("<L", lying, lying.rfind(b"PK\x01\x02") + 24, 5000)
    source.path.write_bytes(lying)
    refused(DamagedFile, source)


@pytest.mark.parametrize(
    "limits, error",
    [
        (Limits(files=2), TooMany),
        (Limits(one=100), TooMuch),
        (Limits(all=1000), TooMuch),
        (Limits(dense_allowed=100, ratio=1), TooDense),
    ],
    ids=str,
)
def test_limits_hold_for_count_size_and_ratio(tmp_path, limits, error):
    with pytest.raises(error):
        archive.members([zipped(tmp_path, stack_of(voxels(3)))], limits)


def test_limits_hold_for_many_files_too(tmp_path):
    sources = [saved(tmp_path, name, data) for name, data in stack_of(voxels(3)).items()]
    with pytest.raises(TooMany, match="The upload holds 3 files or slices; at most 2"):
        archive.members(sources, Limits(files=2))
    with pytest.raises(TooMuch):
        archive.members(sources, Limits(all=1000))


def test_an_index_that_claims_millions_of_entries_is_not_read(tmp_path):
    source = zipped(tmp_path, {"a": b"a"})
    lying = bytearray(source.path.read_bytes())
    struct.pack_into("<HH", lying, lying.rfind(b"PK\x05\x06") + 8, 60000, 60000)
    source.path.write_bytes(lying)
    assert "holds 60,000 files or slices" in refused(TooMany, source)


def test_an_encrypted_entry_is_refused_by_name(tmp_path):
    source = zipped(tmp_path, {"a.dcm": slice_of(voxels(1))})
    data = bytearray(source.path.read_bytes())
    data[6] |= 1
    data[data.rfind(b"PK\x01\x02") + 8] |= 1
    source.path.write_bytes(data)
    assert refused(Encrypted, source) == "a.dcm in scan.zip is encrypted. Make an archive without a password."


def test_entries_that_overlap_are_refused(tmp_path):
    source = zipped(tmp_path, {"a": random.Random(0).randbytes(1000), "b": b""}, packed=zipfile.ZIP_STORED)
    data = bytearray(source.path.read_bytes())
    struct.pack_into("<LL", data, data.rfind(b"PK\x01\x02") + 20, 1000, 1000)
    source.path.write_bytes(data)
    refused(DamagedFile, source)


def test_another_way_of_packing_is_named(tmp_path):
    assert "packed by method 14; use deflate" in refused(
        DamagedFile, zipped(tmp_path, stack_of(voxels(2)), packed=zipfile.ZIP_LZMA)
    )


@pytest.mark.parametrize("kept", [0.1, 0.5, 0.9, 0.99])
def test_an_archive_that_is_cut_off_is_refused(tmp_path, kept):
    source = zipped(tmp_path, stack_of(voxels(5)))
    data = source.path.read_bytes()
    source.path.write_bytes(data[: int(len(data) * kept)])
    refused(DamagedFile, source)


@pytest.mark.parametrize("padding", [None, bytes(100)], ids=["picture last", "padding last"])
def test_a_wrong_checksum_is_noticed_when_the_picture_is_read(tmp_path, padding):
    picture = slice_of(voxels(1), DataSetTrailingPadding=padding)
    source = zipped(tmp_path, {"a.dcm": picture}, packed=zipfile.ZIP_STORED)
    data = bytearray(source.path.read_bytes())
    data[data.index(voxels(1).tobytes()) + 5] ^= 1
    source.path.write_bytes(data)
    assert refused(DamagedFile, source) == "a.dcm cannot be read: its checksum is wrong."


def test_archives_with_random_bytes_are_read_or_refused(tmp_path):
    chance, whole = random.Random(0), zipped(tmp_path, stack_of(voxels(2)))
    data = whole.path.read_bytes()
    for _ in range(100):
        broken = bytearray(data)
        for _ in range(chance.choice([1, 4, 40])):
            broken[chance.randrange(len(broken))] = chance.randrange(256)
        whole.path.write_bytes(broken)
        try:
            read(whole)
        except VolumeError as error:
            assert str(error)


def deflated(dataset: bytes) -> bytes:
    """A file whose data set is deflated, by the header of one that is."""
    plain = slice_of(voxels(1), syntax=DeflatedExplicitVRLittleEndian)
    length = struct.unpack_from("<L", plain, 140)[0]
    packer = zlib.compressobj(9, wbits=-15)
    return plain[: 144 + length] + packer.compress(dataset) + packer.flush()


def explicit(dataset: bytes) -> bytes:
    """The data set of a file, without the preamble and the meta header."""
    return dataset[144 + struct.unpack_from("<L", dataset, 140)[0] :]


def test_a_deflated_file_that_unpacks_to_hundreds_of_megabytes_before_its_picture_is_refused(tmp_path):
    filler = b"\x09\0\x01\x10OB\0\0" + struct.pack("<L", 80 * 2**20) + bytes(80 * 2**20)
    source = saved(tmp_path, "bomb.dcm", deflated(filler + explicit(slice_of(voxels(1)))))
    assert source.size < 100_000
    assert "its header goes on for more than 33,554,432 bytes" in refused(DamagedFile, source, memory=120e6)


def test_a_deflated_file_that_goes_on_after_its_picture_is_unpacked_as_far_as_the_picture_goes(tmp_path):
    source = saved(tmp_path, "bomb.dcm", deflated(explicit(slice_of(voxels(1))) + bytes(40 * 2**20)))
    tracemalloc.start()
    assert np.array_equal(read(source).array, voxels(1))
    assert tracemalloc.get_traced_memory()[1] < 5e6
    tracemalloc.stop()


def test_a_deflated_file_that_ends_early_is_refused(tmp_path):
    data = deflated(
        explicit(slice_of(np.random.default_rng(0).integers(0, 9999, (1, 64, 64)).astype(np.int16)))
    )
    refused(DamagedFile, saved(tmp_path, "a.dcm", data[:-500]))


@pytest.mark.parametrize("size", [(65535, 65535), (0, 5), (5, 70000)], ids=str)
def test_a_header_that_claims_too_many_pixels_is_refused(tmp_path, size):
    dataset = header(voxels(1))
    dataset.Rows, dataset.Columns = (min(each, 65535) for each in size)
    refused(DamagedFile, saved(tmp_path, "a.dcm", written(dataset)))


def test_a_header_that_claims_millions_of_frames_is_refused(tmp_path):
    dataset = header(voxels(1), NumberOfFrames=10**9)
    assert "in 1,000,000,000 frames" in refused(DamagedFile, saved(tmp_path, "a.dcm", written(dataset)))


def test_packed_frames_that_would_take_more_than_is_allowed_are_refused_before_memory_is(tmp_path):
    source = shipped("MR_small_RLE.dcm")
    data = source.path.read_bytes().replace(b"\x28\0\x10\0US\x02\0\x40\0", b"\x28\0\x10\0US\x02\0\xff\xff")
    data = data.replace(b"\x28\0\x11\0US\x02\0\x40\0", b"\x28\0\x11\0US\x02\0\xff\xff")
    refused(DamagedFile, saved(tmp_path, "a.dcm", data))


@pytest.mark.parametrize(
    "name", ["MR_truncated.dcm", "rtplan_truncated.dcm", "liver_1frame.dcm", "nested_priv_SQ.dcm"]
)
def test_shipped_files_that_are_no_good_are_refused(name):
    refused(VolumeError, shipped(name))


@pytest.mark.parametrize(
    "name", ["priv_SQ.dcm", "test-SR.dcm", "dicomdirtests/DICOMDIR-nooffset", "crayons.icc"]
)
def test_shipped_files_without_pictures_are_refused_with_what_they_are(name):
    assert "Left aside: 1 " in refused(NoSeries, shipped(name))


@pytest.mark.parametrize("name", ["a.dcm", "a.zip", "a"])
def test_an_empty_file_is_said_to_be_empty(tmp_path, name):
    assert "1 empty file" in refused(NoSeries, saved(tmp_path, name, b""))


@pytest.mark.parametrize("kept", [4, 127, 132, 200, 400, 600, -50, -1])
def test_a_file_that_is_cut_off_anywhere_is_refused(tmp_path, kept):
    refused(VolumeError, saved(tmp_path, "a.dcm", slice_of(voxels(1))[:kept]))


def test_a_renamed_file_is_told_by_its_bytes(tmp_path):
    with pytest.raises(NoSeries):
        read(saved(tmp_path, "a.dcm", b"GIF89a" + bytes(500)))
    assert offer(saved(tmp_path, "a.jpg", slice_of(voxels(1)))).series


@pytest.mark.parametrize("syntax", [None, ImplicitVRLittleEndian, DeflatedExplicitVRLittleEndian])
def test_files_with_random_bytes_are_read_or_refused(tmp_path, syntax):
    chance = random.Random(0)
    whole = slice_of(voxels(1), **{"syntax": syntax} if syntax else {})
    for _ in range(60):
        data = bytearray(whole)
        for _ in range(chance.choice([1, 4, 40])):
            data[chance.randrange(len(data))] = chance.randrange(256)
        try:
            read(saved(tmp_path, "a.dcm", bytes(data)))
        except VolumeError as error:
            assert str(error)


def test_an_element_of_no_known_kind_does_not_cost_the_picture(tmp_path):
    data = slice_of(voxels(1), AcquisitionTime="")
    assert data.count(b"\x08\0\x32\0TM\0\0") == 1
    data = data.replace(b"\x08\0\x32\0TM\0\0", b"\x08\0\x32\0T\0\0\0")
    assert np.array_equal(read(saved(tmp_path, "a.dcm", data)).array, voxels(1))


def test_items_without_end_inside_each_other_are_refused(tmp_path):
    nested = b"\x08\0\x40\x11SQ\0\0\xff\xff\xff\xff\xfe\xff\0\xe0\xff\xff\xff\xff" * 2_000
    data = slice_of(voxels(1))
    at = data.index(b"\x08\0\x60\0CS")
    refused(VolumeError, saved(tmp_path, "a.dcm", data[:at] + nested + data[at:]), memory=30e6)


def test_a_folder_is_read_without_following_links(tmp_path):
    root = tmp_path / "files"
    for name, data in stack_of(voxels(3)).items():
        saved(root, f"scan/deep/{name}", data)
    saved(tmp_path, "secret.dcm", slice_of(voxels(1), (0, 0, 77)))
    (root / "scan/link.dcm").symlink_to(tmp_path / "secret.dcm")
    (root / "scan/loop").symlink_to(root)
    saved(root, "scan/.hidden.dcm", b"x")
    sources = archive.below(root, "scan")
    assert [each.name for each in sources] == ["deep/0.dcm", "deep/1.dcm", "deep/2.dcm"]
    assert np.array_equal(read(*sources).array, voxels(3))


@pytest.mark.parametrize(
    "path, error", [("../x", OutsideFolder), ("/etc", OutsideFolder), ("none", NoSuchFile)]
)
def test_a_folder_outside_is_refused(tmp_path, path, error):
    with pytest.raises(error):
        archive.below(tmp_path, path)


def test_a_link_out_of_the_folder_is_refused(tmp_path):
    (tmp_path / "files").mkdir()
    (tmp_path / "files/out").symlink_to(tmp_path)
    with pytest.raises(OutsideFolder):
        archive.below(tmp_path / "files", "out")
    with pytest.raises(TooMany):
        saved(tmp_path / "files", "many/a", b"a")
        saved(tmp_path / "files", "many/b", b"a")
        archive.below(tmp_path / "files", "many", Limits(files=1))
