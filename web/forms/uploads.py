"""Files that came with a form: saved at once, so that a second try needs no second upload."""

import hashlib
import os
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from flask_babel import gettext as _
from werkzeug.datastructures import FileStorage

from ledger import uploads
from ledger.ids import new_id
from web.forms.errors import Refused, quoted
from web.forms.field import Kept

CHUNK = 1024 * 1024
NAME_BYTES = 200  # file systems allow 255


@dataclass(frozen=True)
class Saved:
    reference: str
    digest: str  # of its content


def save(file: FileStorage, folder: Path) -> Saved:
    """Keeps the file below ``folder``; on disk when this returns. Raises Refused when there is no room."""
    upload_id, name = new_id(), plain_name(file.filename or "")
    place = folder / upload_id
    try:
        place.mkdir(parents=True)
        with (place / name).open("xb") as target:
            digest = _copy(file.stream, target)
    except OSError as error:
        why = error.strerror or error
        raise Refused(_("%(name)s could not be saved: %(why)s.", name=quoted(name), why=why)) from error
    return Saved(uploads.reference_to(upload_id, name), digest)


def _copy(source: BinaryIO, target: BinaryIO) -> str:
    digest = hashlib.blake2b(digest_size=16)
    while chunk := source.read(CHUNK):
        digest.update(chunk)
        target.write(chunk)
    target.flush()
    os.fsync(target.fileno())
    return digest.hexdigest()


def plain_name(filename: str) -> str:
    """The name without folders and what file systems dislike; letters of any script stay."""
    name = filename.replace("\\", "/").rpartition("/")[2]
    name = "".join(char for char in name if char.isprintable()).strip(". ")
    stem, dot, suffix = name.rpartition(".")
    short = (
        _cut(stem, NAME_BYTES - len(f".{suffix}".encode())) + dot + suffix if dot else _cut(name, NAME_BYTES)
    )
    return short if uploads.is_plain(short) and len(short.encode()) <= NAME_BYTES else "file"


def _cut(text: str, most: int) -> str:
    return text.encode("utf-8", "ignore")[: max(most, 0)].decode("utf-8", "ignore")


def kept(reference: str, folder: Path) -> Kept:
    """A file that was saved before. Raises Refused for what is no such reference, or is gone."""
    try:
        path = uploads.path_of(reference, folder)
    except uploads.UploadGone:
        raise Refused(
            _("%(name)s is not on the server any more. Choose it again.", name=quoted(uploads.name_of(reference)))
        ) from None
    except uploads.NotAnUpload:
        raise Refused(_("This is not a file that was uploaded here. Choose it again.")) from None
    return Kept(reference, path.name, path.stat().st_size)
