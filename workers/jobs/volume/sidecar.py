"""The sidecar of a kept volume: everything that is known beside the voxels, as docs/volumes.md describes it."""

from dataclasses import asdict

import numpy as np

from ledger.volume_files import CHUNK_SLICES, VERSION
from workers.jobs.volume import windows
from workers.jobs.volume.kept import Kept
from workers.jobs.volume.tally import Tally
from workers.jobs.volume.volume import NotSuv, Suv, Volume


def described(volume: Volume, volume_id: str, name: str, keep_names: bool) -> dict:
    """Whose it is, where it lies and what its values mean. A patient's name only where that is wanted."""
    about = asdict(volume.about) | ({} if keep_names else {"patient_name": ""})
    origin = {"source": volume.source, "orientation": volume.orientation}
    return {"version": VERSION, "id": volume_id, "name": name} | about | origin | _place(volume) | _meaning(volume)


def _place(volume: Volume) -> dict:
    return {
        "shape_xyz": list(reversed(volume.array.shape)),
        "spacing_xyz": list(map(float, reversed(volume.proportions))),
        "spacing_known": volume.spacing is not None,
        "affine": _affine(volume).tolist(),
        "affine_known": volume.affine is not None,
    }


def _affine(volume: Volume) -> np.ndarray:
    """Where the file does not tell, the first voxel is the middle of the world."""
    if volume.affine is None:
        return np.diag([*reversed(volume.proportions), 1.0])
    return np.asarray(volume.affine, np.float64)


def _meaning(volume: Volume) -> dict:
    return {"unit": volume.unit or "", "suv": suv_plain(volume.suv), "colour_map": windows.colour_map(volume)}


def suv_plain(suv: Suv | NotSuv | None) -> dict | None:
    """As the sidecar has it."""
    if isinstance(suv, Suv):
        return {"factor": suv.factor, "kind": suv.kind, "inputs": dict(suv.inputs), "notes": list(suv.notes)}
    return {"not_suv": suv.reason, "missing": list(suv.missing)} if suv else None


def measured(volume: Volume, kept: Kept, tally: Tally, offered: tuple[windows.Preset, ...]) -> dict:
    """What the voxels told: their dtype, range and windows; and all that is to be said about them."""
    return {
        "dtype": kept.dtype.name,
        "range": [tally.low, tally.high],
        "nonfinite": tally.nonfinite,
        "percentiles": tally.percentiles(),
        "histogram": tally.histogram(),
        "windows": [preset.plain() for preset in offered],
        "warnings": [*volume.warnings, *kept.warnings],
    }


def filed(chunk_bytes: list[int], preview: np.ndarray, factors: tuple[int, int, int], preview_bytes: int) -> dict:
    """What the files hold."""
    return {
        "chunks": {"slices": CHUNK_SLICES, "count": len(chunk_bytes), "bytes": chunk_bytes},
        "preview": {
            "shape_xyz": list(reversed(preview.shape)),
            "factor_xyz": list(reversed(factors)),
            "bytes": preview_bytes,
        },
    }
