"""Jobs that measure kept volumes. What they do is in ``workers.jobs.volume.measuring``; here are form and report."""

import logging
from pathlib import Path

import dramatiq
import numpy as np
from isal import igzip

from ledger.volume_address import Address
from ledger.volume_files import LABELS, MASK, MEASUREMENTS
from workers import context
from workers.context import UploadFile
from workers.jobs.volume import arrival, stored
from workers.jobs.volume.errors import BadValue, VolumeError
from workers.jobs.volume.measuring import figures, masks
from workers.jobs.volume.measuring.grid import Grid, Point, Sphere
from workers.jobs.volume.measuring.rules import Kind, Region, Rule, region
from workers.jobs.volume.raw import Recipe
from workers.jobs.volume.source import Source
from workers.jobs.volumes import isolated

logger = logging.getLogger(__name__)


@dramatiq.actor(actor_name="volumes.measure", queue_name="volumes", max_retries=0, throws=VolumeError, **isolated)
def measure(
    volume: str,
    rule: Kind = "percent",
    threshold: float | None = 41.0,
    hottest: bool = True,
    centre: str = "",
    radius_mm: float | None = None,
    reference: str = "",
    reference_radius_mm: float = 15.0,
    mask: UploadFile | None = None,
    smallest_ml: float = 0.0,
) -> dict:
    """Measure a region of a kept volume: SUVmax, mean and peak, MTV, TLG, of the whole and of each connected part.

    Everything is computed on the volume's own grid, in SUV where it has one and in its own unit where not.

    Args:
        volume: The id of a kept volume.
        rule: What counts as inside. percent: at least so many percent of the maximum. absolute: at least this value.
            percist: at least 1.5 times the mean and two standard deviations of the liver. sphere: all of a sphere.
            mask: all of a mask.
        threshold: The percentage, or the value.
        hottest: Only what is connected to the hottest voxel.
        centre: Look only in a sphere around this point: x, y, z in mm, as the volume's page shows them.
        radius_mm: The radius of that sphere.
        reference: For percist, a point in the liver: x, y, z in mm.
        reference_radius_mm: The radius of the reference.
        mask: A NIfTI file on the grid of this volume; look only where it is not 0.
        smallest_ml: Leave out connected parts that are smaller.
    """
    asked = Rule(
        kind=rule,
        threshold=threshold if rule in ("percent", "absolute") else None,
        within=_sphere("centre", centre, radius_mm),
        hottest=hottest and rule in ("percent", "absolute", "percist"),
        reference=_sphere("reference", reference, reference_radius_mm) if rule == "percist" else None,
    )
    said = context.sidecar_of(volume)
    if said is None:
        raise stored.VolumeGone(volume)
    return _measured(volume, said, asked, mask, smallest_ml)


def _measured(volume_id: str, said: dict, rule: Rule, mask: UploadFile | None, smallest_ml: float) -> dict:
    context.progress(0, 100, "reading")
    values, unit = _values(volume_id, said)
    grid = Grid(values.shape, np.array(said["affine"]))
    given = _drawn(mask, grid) if mask else None
    context.progress(40, 100, "looking for the region")
    found = region(rule, values, grid, given)
    context.progress(60, 100, "measuring")
    told, labels = figures.measure(values, found.mask, grid, max(1, round(smallest_ml / grid.voxel_ml)))
    _write(volume_id, labels, grid)
    told |= {"unit": unit, "suv": said["suv"] if unit.startswith("SUV") else None}
    asked = _in_words(rule, found, unit, mask, smallest_ml)
    if not context.measurement(volume_id, asked, told):
        arrival.clear(_place(volume_id))  # an address takes files of what is deleted
        raise stored.VolumeGone(volume_id)
    logger.info("measured %s parts in %s", told["number"], said["name"])
    return {"volume": volume_id, "rule": asked, "unit": unit, "parts": told["number"]} | (told["whole"] or {})


def _drawn(mask: UploadFile, grid: Grid) -> np.ndarray:
    from workers.jobs.volume import read  # as in ``loading``

    return masks.on_grid(read.volume(Source(mask.path, mask.name), Recipe()), mask.name, grid)


def _values(volume_id: str, said: dict) -> tuple[np.ndarray, str]:
    """In SUV where the volume has one, else as they are kept; and the unit."""
    voxels = stored.voxels_in(context.volumes_dir() / volume_id, said)
    suv = said["suv"] or {}
    if "factor" not in suv:
        return voxels.astype(np.float32, copy=False), said["unit"]
    return voxels * np.float32(suv["factor"]), f"SUV{suv['kind'].lower()}"


def _write(volume_id: str, labels: np.ndarray, grid: Grid) -> None:
    """Raises VolumeGone: the folder of a volume that was deleted meanwhile is not made again."""
    try:
        with arrival.of(_place(volume_id), MASK) as folder:
            folder.parent.mkdir(exist_ok=True)
            folder.mkdir(exist_ok=True)
            _save(folder / LABELS, igzip.compress(labels.astype("<u2", copy=False), 1, mtime=0))
            masks.write(labels, grid, folder / MASK)
    except FileNotFoundError as error:
        raise stored.VolumeGone(volume_id) from error


def _place(volume_id: str) -> Path | Address:
    return context.volumes_dir() / volume_id / MEASUREMENTS / (context.run_id() or "unnamed")


def _save(path: Path, data: bytes) -> None:
    path.with_suffix(".part").write_bytes(data)
    path.with_suffix(".part").replace(path)


def _in_words(rule: Rule, found: Region, unit: str, mask: UploadFile | None, smallest_ml: float) -> dict:
    """All that decided which voxels are inside, to be shown beside the figures."""
    decided = {"cut": found.cut, "unit": unit, "smallest_ml": smallest_ml, "notes": list(found.notes)}
    return rule.plain() | decided | ({"mask": mask.name} if mask else {})


def _sphere(name: str, text: str, radius: float | None) -> Sphere | None:
    """Raises BadValue for a point that is none, or a radius that cannot be."""
    if not text.strip():
        return None
    if radius is None or not 0 < radius < 10_000:
        raise BadValue(f"the radius of the {name}", radius, "a length in mm, above 0")
    return Sphere(_point(name, text), radius)


def _point(name: str, text: str) -> Point:
    parts = text.replace(",", " ").split()
    try:
        x, y, z = map(float, parts)
    except ValueError:
        raise BadValue(name, text, "x, y and z in mm, like -80.1, 33.2, 724.2") from None
    return x, y, z
