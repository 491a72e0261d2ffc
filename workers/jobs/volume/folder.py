"""The files folder: the only place where a person's path is followed, and a file of theirs written."""

import filecmp
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import BinaryIO
from uuid import uuid4

from workers.jobs.volume.errors import BadName, NameTaken, NoSuchFile, OutsideFolder
from workers.jobs.volume.source import Source

# No leading dot or space, no separators of any system, no control characters or lone surrogates.
_PLAIN_NAME = re.compile(r"[\w(][^/\\:\x00-\x1f\x7f\ud800-\udfff]*")


def existing(folder: Path, path: str) -> Source:
    """The regular file at ``path`` below ``folder``. Raises OutsideFolder or NoSuchFile."""
    written = PurePosixPath(path.strip())
    if written.is_absolute() or ".." in written.parts:
        raise OutsideFolder(path)
    try:
        return _resolved(folder.resolve(), written)
    # Too long a name, a loop of links, a NUL, no permission: there is nothing to read, whatever the reason.
    except (OSError, RuntimeError, ValueError) as error:
        raise NoSuchFile(path) from error


def _resolved(root: Path, written: PurePosixPath) -> Source:
    target = (root / written).resolve()
    if not target.is_relative_to(root):
        raise OutsideFolder(str(written))
    if not (target.is_file() and os.access(target, os.R_OK)):
        raise NoSuchFile(str(written))
    return Source(target, written.name)


@contextmanager
def new_file(folder: Path, name: str, replace: bool = False) -> Iterator[BinaryIO]:
    """A file to write that appears under ``name`` when it is complete, or not at all.

    Raises BadName, or NameTaken if another file has the name and ``replace`` is not set. One with the same
    content is no obstacle: a run that was rescued may write its file a second time.
    """
    target = _named(folder, name)
    folder.mkdir(parents=True, exist_ok=True)
    part = folder / f".{uuid4().hex}.part"
    try:
        with part.open("xb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        _publish(part, target, replace)
    finally:
        part.unlink(missing_ok=True)


def _named(folder: Path, name: str) -> Path:
    if not _PLAIN_NAME.fullmatch(name) or len(name.encode()) > 255 or (folder / name).is_dir():
        raise BadName(name)
    return folder / name


def _publish(part: Path, target: Path, replace: bool) -> None:
    taken = target.exists() or target.is_symlink()
    if taken and not replace and not filecmp.cmp(part, target, shallow=False):
        raise NameTaken(target.name)
    os.replace(part, target)
