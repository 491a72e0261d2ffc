"""What an uploaded file is called between the form that takes it and the worker that opens it.

The site saves it as ``<uuid7>/<name>`` below the uploads folder; a run's arguments carry the reference
``upload:<uuid7>/<name>``. A reference comes from outside and is never trusted to stay inside that folder.
"""

from pathlib import Path

from ledger.ids import is_id

PREFIX = "upload:"
NAME_LIMIT = 200


class NotAnUpload(ValueError):
    """The reference is not of the form ``upload:<uuid>/<name>``, or it points outside the uploads folder."""

    def __init__(self, reference: str):
        self.reference = reference
        super().__init__(f"{reference[:300]!r} does not name an uploaded file")


class UploadGone(ValueError):
    """The reference is well formed, but no such file is there: it was pruned, or lies on another machine."""

    def __init__(self, reference: str):
        self.reference = reference
        super().__init__(f"the uploaded file {name_of(reference)!r} is not there any more")


def reference_to(upload_id: str, name: str) -> str:
    return f"{PREFIX}{upload_id}/{name}"


def name_of(reference: str) -> str:
    """The file's name, for people."""
    return reference.removeprefix(PREFIX).partition("/")[2]


def path_of(reference: str, folder: Path) -> Path:
    """Where the file lies below ``folder``. Raises NotAnUpload or UploadGone."""
    upload_id, _, name = reference.removeprefix(PREFIX).partition("/")
    if not (reference.startswith(PREFIX) and is_id(upload_id) and is_plain(name)):
        raise NotAnUpload(reference)
    path = folder / upload_id / name
    if path.resolve().parent != folder.resolve() / upload_id:  # a link that somebody laid there
        raise NotAnUpload(reference)
    if not path.is_file():
        raise UploadGone(reference)
    return path


def is_plain(name: str) -> bool:
    """Whether ``name`` can be a file's name, and nothing more than that."""
    return (
        0 < len(name) <= NAME_LIMIT and name not in {".", ".."} and name.isprintable() and not set(name) & {"/", "\\"}
    )
