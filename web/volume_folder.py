"""Where kept volumes are found for pages: the only place that knows it. What each is, its sidecar tells."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from flask import abort
from flask_babel import gettext as _

from ledger.ids import is_id
from ledger.volume_files import SIDECAR, is_part
from web.console import console

OTHERS = 50  # volumes that are offered to be laid over one


@dataclass(frozen=True, slots=True)
class Kept:
    """A volume on disk. ``sidecar`` is as docs/volumes.md says."""

    id: str
    folder: Path
    sidecar: dict[str, Any]

    @property
    def name(self) -> str:
        return self.sidecar.get("name") or self.id

    @property
    def shape(self) -> tuple[int, int, int]:
        """Voxels along x, y, z."""
        return tuple(self.sidecar["shape_xyz"])

    @property
    def spacing(self) -> tuple[float, float, float]:
        """In mm along x, y, z; ones where nobody knows."""
        return tuple(self.sidecar["spacing_xyz"])

    @property
    def run_id(self) -> str:
        return self.sidecar.get("run_id") or ""

    def file(self, part: str) -> Path | None:
        """None for what is no part of a volume, and for a part that is not there."""
        path = self.folder / part
        return path if is_part(part, self.shape[2]) and path.is_file() else None


def volume_folder(volume_id: str) -> Path | None:
    folder = console().settings.var / "volumes" / volume_id
    return folder if is_id(volume_id) and (folder / SIDECAR).is_file() else None


def kept(volume_id: str) -> Kept:
    """The volume of that id; a page that says so if there is none."""
    folder = volume_folder(volume_id)
    if folder is None:
        abort(404, _("There is no such volume: it was never kept, or deleted."))
    return Kept(volume_id, folder, json.loads((folder / SIDECAR).read_text()))


def others(than: Kept) -> list[Kept]:
    """Volumes that may be laid over ``than``, the newest first; those of the same person before all others."""
    folders = sorted((console().settings.var / "volumes").iterdir(), reverse=True)
    ids = [each.name for each in folders if each.name != than.id and volume_folder(each.name)]
    return sorted(map(kept, ids[:OTHERS]), key=lambda each: not _same_person(each, than))


def _same_person(one: Kept, other: Kept) -> bool:
    mine, theirs = (each.sidecar.get("subject") for each in (one, other))
    return bool(mine) and mine == theirs
