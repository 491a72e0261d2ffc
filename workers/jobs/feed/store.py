"""Writing a photo: its folder is complete, or not there at all."""

import os
import shutil
from pathlib import Path

from ledger.photo_files import PICTURES, THUMBNAIL
from workers.jobs.feed.picture import Picture


def write(made: Picture, folder: Path, photo_id: str) -> None:
    """Makes ``folder / photo_id``; what is half written lies in a hidden folder beside it, and goes on any error."""
    partial = folder / f".{photo_id}"
    try:
        partial.mkdir(parents=True)
        _write(partial / PICTURES[made.media_type], made.picture.data)
        _write(partial / THUMBNAIL, made.thumbnail.data)
        _sync(partial)
        partial.rename(folder / photo_id)
        _sync(folder)
    except BaseException:
        shutil.rmtree(partial, ignore_errors=True)
        raise


def _write(path: Path, data: bytes) -> None:
    with path.open("xb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
