"""Kept volumes for tests: a made-up patient's CT and PET, on grids of their own that share the world."""

import json
from pathlib import Path

import numpy as np
from sqlalchemy import Engine, delete, insert

from ledger import clock
from ledger.engine import writing
from ledger.tables import volumes
from ledger.volume_files import SIDECAR
from workers.jobs.volume import phantom, store
from workers.jobs.volume.volume import About, Suv, Volume

CT_ID, PET_ID = "01900000-0000-7000-8000-0000000000c7", "01900000-0000-7000-8000-0000000000e7"
#: Bq/ml to SUV.
FACTOR = 2.777781e-4


def ct(shape: tuple[int, int, int] = (74, 60, 64)) -> Volume:
    """Air, lung, soft tissue and bone in HU; 604 x 604 x 935 mm as the phantom is made for."""
    uptake = np.stack([*phantom.slabs(shape, "float32", 0.0, 0)]) / 10
    hu = np.interp(uptake, [0.01, 0.035, 0.08, 0.17, 0.26, 1.0], [-1000, -750, 20, 700, 60, 40])
    noise = np.random.default_rng(1).normal(0, 8, shape)
    return _placed(np.rint(hu + noise).astype(np.int16), "CT", unit="HU", middle=(0.0, 0.0, 0.0))


def pet(shape: tuple[int, int, int] = (50, 40, 44)) -> Volume:
    """Activity in Bq/ml with SUV up to 10, on a coarser grid that begins elsewhere."""
    uptake = np.stack([*phantom.slabs(shape, "float32", 0.03, 2)])
    inputs = {"weight_kg": 70.0, "dose_bq": 368_080_000.0, "half_life_s": 6586.2}
    suv = Suv(FACTOR, "BW", inputs, ("The scan began an hour after the injection.",))
    return _placed(uptake / np.float32(FACTOR), "PT", unit="Bq/ml", middle=(6.0, -3.0, 12.0), suv=suv)


def _placed(array: np.ndarray, modality: str, middle: tuple[float, float, float], **known) -> Volume:
    """In LPS, with the middle of the grid at ``middle`` mm."""
    lengths = np.array(array.shape[::-1])
    spacing = np.array([604.0, 604.0, 935.0]) / lengths
    affine = np.diag([*spacing, 1.0])
    affine[:3, 3] = middle - spacing * (lengths - 1) / 2
    about = About("phantom-1", f"phantom {modality}", modality, "2010-01-02T11:00:00", frame_of_reference_uid="1.2.3")
    spacing_zyx = tuple(map(float, spacing[::-1]))
    return Volume(array, f"phantom {modality}", spacing_zyx, orientation="LPS", affine=affine, about=about, **known)


def keep_both(folder: Path) -> tuple[dict, dict]:
    """A CT and a PET in folders named by their ids below ``folder``; their sidecars."""
    made = ((ct(), CT_ID, "phantom_ct"), (pet(), PET_ID, "phantom_pet"))
    return tuple(store.write(volume, folder / id, id, name) for volume, id, name in made)


def note(engine: Engine, folder: Path) -> None:
    """The volume that lies in ``folder`` is in the ledger, too."""
    said = json.loads((folder / SIDECAR).read_text()) | {"id": folder.name}
    row = {name: said[name] for name in ("id", "name", "subject", "label", "modality", "acquired", "unit")}
    row |= {"size": said["bytes"], "sidecar": json.dumps(said), "created_by": "ana", "created_at": clock.now()}
    with writing(engine) as connection:
        connection.execute(insert(volumes), [row])


def note_all(engine: Engine, folder: Path) -> None:
    for each in sorted(folder.iterdir()):
        note(engine, each)


def forget(engine: Engine, volume_id: str) -> None:
    with writing(engine) as connection:
        connection.execute(delete(volumes).where(volumes.c.id == volume_id))
