"""A person's path never leaves the files folder, and a file appears there whole or not at all."""

import os
from pathlib import Path

import pytest

from workers.jobs.volume.errors import BadName, NameTaken, NoSuchFile, OutsideFolder
from workers.jobs.volume.folder import existing, new_file


@pytest.fixture
def folder(tmp_path) -> Path:
    (tmp_path / "secret").write_text("secret")
    (tmp_path / "files" / "sub").mkdir(parents=True)
    (tmp_path / "files" / "a.raw").write_bytes(b"abc")
    (tmp_path / "files" / "sub" / "b.raw").write_bytes(b"b")
    return tmp_path / "files"


@pytest.mark.parametrize(
    "path, name", [("a.raw", "a.raw"), (" ./sub/b.raw ", "b.raw"), ("sub//b.raw", "b.raw")]
)
def test_a_path_below_the_folder_is_found(folder, path, name):
    found = existing(folder, path)
    assert found.name == name and found.path.parent.is_relative_to(folder)


@pytest.mark.parametrize(
    "path", ["/etc/passwd", "../secret", "sub/../../secret", "sub/../a.raw", "..", "//etc/passwd"]
)
def test_a_path_out_of_the_folder_is_refused(folder, path):
    with pytest.raises(OutsideFolder, match="lies outside the files folder"):
        existing(folder, path)


def test_a_link_out_of_the_folder_is_refused(folder):
    (folder / "file").symlink_to(folder.parent / "secret")
    (folder / "folder").symlink_to(folder.parent)
    (folder / "nowhere").symlink_to("/no/such/place")
    for path in ["file", "folder/secret", "nowhere"]:
        with pytest.raises(OutsideFolder):
            existing(folder, path)


def test_a_link_inside_the_folder_is_followed(folder):
    (folder / "link.raw").symlink_to("sub/b.raw")
    assert existing(folder, "link.raw").path.read_bytes() == b"b"


def test_a_folder_that_is_itself_a_link_works(folder, tmp_path):
    (tmp_path / "linked").symlink_to(folder)
    assert existing(tmp_path / "linked", "a.raw").size == 3


@pytest.mark.parametrize(
    "path", ["", ".", "sub", "c.raw", "a.raw/x", "a\0b", "x" * 5000, "\udc80", "~/a.raw"]
)
def test_what_is_no_file_is_not_found(folder, path):
    with pytest.raises(NoSuchFile, match="There is no readable file"):
        existing(folder, path)


def test_a_loop_of_links_and_a_pipe_are_not_found(folder):
    (folder / "loop").symlink_to("loop")
    os.mkfifo(folder / "pipe")
    for path in ["loop", "pipe"]:
        with pytest.raises(NoSuchFile):
            existing(folder, path)


def write(folder: Path, name: str, data: bytes, **options) -> None:
    with new_file(folder, name, **options) as file:
        file.write(data)


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


def test_a_new_file_appears_when_it_is_complete(folder):
    with new_file(folder, "new file (1).mpv") as file:
        file.write(b"abc")
        assert "new file (1).mpv" not in names(folder)
    assert (folder / "new file (1).mpv").read_bytes() == b"abc" and len(names(folder)) == 3


def test_a_file_that_was_not_finished_leaves_nothing(folder):
    with pytest.raises(KeyboardInterrupt), new_file(folder, "new.mpv"):
        raise KeyboardInterrupt
    assert names(folder) == {"a.raw", "sub"}


def test_other_content_is_replaced_only_when_asked(folder):
    with pytest.raises(NameTaken, match="tick “replace”"):
        write(folder, "a.raw", b"other")
    assert (folder / "a.raw").read_bytes() == b"abc"
    write(folder, "a.raw", b"other", replace=True)
    assert (folder / "a.raw").read_bytes() == b"other" and names(folder) == {"a.raw", "sub"}


def test_the_same_content_may_be_written_again(folder):
    write(folder, "a.raw", b"abc")
    assert (folder / "a.raw").read_bytes() == b"abc"


def test_a_link_is_replaced_and_not_written_through(folder):
    (folder / "link").symlink_to(folder.parent / "secret")
    write(folder, "link", b"abc", replace=True)
    assert (folder.parent / "secret").read_text() == "secret" and not (folder / "link").is_symlink()


@pytest.mark.parametrize(
    "name",
    [
        "",
        " ",
        ".",
        "..",
        ".hidden",
        "a/b",
        "../a",
        "/a",
        "a\\b",
        "C:a",
        "a\0",
        "a\n",
        "é" * 200,
        "\udc80",
        "sub",
    ],
)
def test_names_that_are_not_plain_are_refused(folder, name):
    with pytest.raises(BadName):
        write(folder, name, b"")
    assert names(folder) == {"a.raw", "sub"}
