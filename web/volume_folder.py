"""Kept volumes for pages: the ledger says which there are and what each is, its files lie in its folder."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ledger.errors import VolumeNotFound
from ledger.ids import is_id
from ledger.queries import volumes as queries
from ledger.queries.volumes import Volume, Wanted
from ledger.volume_address import Address
from ledger.volume_files import is_part
from web.console import console


@dataclass(frozen=True, slots=True)
class Kept:
    """A volume in its folder. ``sidecar`` is as docs/volumes.md says."""

    id: str
    folder: Path | Address
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
        """A volume has the id of the run that made it."""
        return self.id

    def file(self, part: str) -> Path | Address | None:
        """None for what is no part of a volume, and for a part that is not on disk."""
        if not is_part(part, self.shape[2]):
            return None
        place = self.folder / part
        return place if isinstance(place, Address) or place.is_file() else None


def kept(volume_id: str) -> Kept:
    """The volume of that id. Raises VolumeNotFound."""
    if not is_id(volume_id):
        raise VolumeNotFound(volume_id)
    return _kept(queries.volume(console().engine, volume_id))


def _kept(volume: Volume) -> Kept:
    return Kept(volume.id, console().settings.volume_place / volume.id, volume.sidecar)


def others(than: Kept) -> list[Kept]:
    """Volumes that may be laid over ``than``, the newest first; those of the same person before all others."""
    same_person = than.sidecar.get("subject")
    asked = ([Wanted(subject=same_person)] if same_person else []) + [Wanted()]
    found = {each.id: each for wanted in asked for each in queries.page(console().engine, wanted).rows}
    return [_kept(each) for each in found.values() if each.id != than.id]


def time_points(of: Kept) -> list[Kept]:
    """Volumes that may stand beside ``of``: those of the same person first, among them those of the same modality."""
    return sorted(others(of), key=lambda each: (not _same(each, of, "subject"), not _same(each, of, "modality")))


def _same(one: Kept, other: Kept, name: str) -> bool:
    mine, theirs = (each.sidecar.get(name) for each in (one, other))
    return bool(mine) and mine == theirs
