"""Files of one upload: single ones, those of a server-side folder, and those inside zip archives.

Nothing is unpacked to disk, and no name inside an archive is ever used as a path. What an archive's index
claims is checked against the limits before anything is unpacked, and then nothing is unpacked beyond it.
"""

import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from workers.jobs.volume.dicom import zipped
from workers.jobs.volume.dicom.errors import TooDense, TooMany, TooMuch
from workers.jobs.volume.dicom.streams import Inflating, Promised, Stream, Window
from workers.jobs.volume.dicom.zipped import Entry
from workers.jobs.volume.errors import NoSuchFile, OutsideFolder
from workers.jobs.volume.source import Source


@dataclass(frozen=True)
class Limits:
    """How much is read. ``ratio`` holds above ``dense_allowed`` bytes: small phantoms pack very well."""

    files: int = 20_000
    one: int = 2 * 2**30
    all: int = 8 * 2**30
    ratio: int = 100
    dense_allowed: int = 256 * 2**20


@dataclass(frozen=True, slots=True)
class Member:
    """A file, or an entry of a zip archive (``entry``). ``name`` is for people only."""

    path: Path
    name: str
    size: int
    entry: Entry | None = None

    @contextmanager
    def opened(self) -> Iterator[Stream]:
        """Its bytes, unpacked on the way. Raises DamagedFile while they are read."""
        stream = self._stream()
        try:
            yield stream
        finally:
            stream.close()

    def _stream(self) -> Stream:
        if self.entry is None:
            return Window(open(self.path, "rb", buffering=0), 0, self.size)  # the window closes it
        window = zipped.opened(self.path, self.entry)
        stream = Inflating(window, self.name) if self.entry.deflated else window
        return Promised(stream, self.name, self.size, self.entry.checksum)


def members(sources: Iterable[Source], limits: Limits = Limits()) -> tuple[Member, ...]:
    """Every file in ``sources``, those in zip archives one by one; archives in archives stay closed.

    Raises TooMany, TooMuch, TooDense, Encrypted or DamagedFile.
    """
    found: list[Member] = []
    for source in sources:
        found += _members(source, limits)
        if len(found) > limits.files:
            raise TooMany("The upload", len(found), limits.files)
    _refuse_too_much("The upload", found, limits)
    return tuple(found)


def _members(source: Source, limits: Limits) -> list[Member]:
    if not zipped.is_zip(source.path):
        return [Member(source.path, source.name, source.size)]
    entries = zipped.entries(source, limits.files)
    found = [Member(source.path, spoken(each.name), each.size, each) for each in entries]
    _refuse_too_much(source.name, found, limits)
    size = sum(each.size for each in found)
    if size > max(limits.dense_allowed, limits.ratio * source.size):
        raise TooDense(source.name, size, source.size)
    return found


def _refuse_too_much(name: str, found: list[Member], limits: Limits) -> None:
    for member in found:
        if member.size > limits.one:
            raise TooMuch(member.name, member.size, limits.one)
    size = sum(member.size for member in found)
    if size > limits.all:
        raise TooMuch(name, size, limits.all)


def spoken(name: str) -> str:
    """A name as it may be shown: the last three parts, no control characters, not endless."""
    parts = [part for part in PurePosixPath(name.replace("\\", "/")).parts if part not in ("/", "..", ".")]
    plain = "".join(each if each.isprintable() else "_" for each in "/".join(parts[-3:]))
    return plain if len(plain) <= 120 else f"…{plain[-119:]}"


def below(folder: Path, path: str, limits: Limits = Limits()) -> tuple[Source, ...]:
    """Every regular file below ``path`` in the files folder, in order of names; links are not followed.

    Raises OutsideFolder, NoSuchFile or TooMany.
    """
    written = PurePosixPath(path.strip())
    if written.is_absolute() or ".." in written.parts:
        raise OutsideFolder(path)
    root, target = folder.resolve(), (folder / written).resolve()
    if not target.is_relative_to(root):
        raise OutsideFolder(path)
    if not target.is_dir():
        raise NoSuchFile(path)
    return _walked(target, limits)


def _walked(target: Path, limits: Limits) -> tuple[Source, ...]:
    found: list[Source] = []
    for here, folders, names in os.walk(target):
        folders[:] = sorted(each for each in folders if not each.startswith("."))
        paths = [Path(here, name) for name in sorted(names) if not name.startswith(".")]
        found += [Source(each, _below(target, each)) for each in paths if each.is_file() and not each.is_symlink()]
        if len(found) > limits.files:
            raise TooMany(target.name, len(found), limits.files)
    return tuple(found)


def _below(target: Path, path: Path) -> str:
    return spoken(path.relative_to(target).as_posix())
