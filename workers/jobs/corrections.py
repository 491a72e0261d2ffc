"""The job that corrects by hand what a scanner wrote down wrongly, or not at all."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

import dramatiq

from workers import context
from workers.jobs.volume import stored
from workers.jobs.volume.errors import BadValue, VolumeError
from workers.jobs.volume.sidecar import suv_plain

#: Half-lives in seconds (DDEP/BIPM Monographie 5).
HALF_LIVES = {"F-18": 6586.2, "Ga-68": 4069.8, "C-11": 1221.84, "Cu-64": 45721.4, "Zr-89": 282240.0, "Rb-82": 76.38}
Nuclide = Literal["F-18", "Ga-68", "C-11", "Cu-64", "Zr-89", "Rb-82"]
MEGABECQUEREL = 1e6


@dataclass(eq=False)
class NoActivity(VolumeError):
    """Raised when the values of a volume are no activity per volume, so that no dose makes an SUV of them."""

    name: str
    unit: str

    def __str__(self) -> str:
        return f"The values of {self.name} are in {self.unit or 'no unit'}, not in Bq/ml: no dose makes an SUV of them."


@dramatiq.actor(actor_name="volumes.correct_suv", queue_name="volumes", max_retries=0, throws=VolumeError)
def correct_suv(
    volume: str,
    weight_kg: float,
    dose_mbq: float,
    injected: str = "",
    corrected_to: str = "",
    nuclide: Nuclide = "F-18",
    decay_correction: Literal["START", "ADMIN", "NONE"] = "START",
    frame_s: float = 0.0,
    are_bq_ml: bool = False,
    reason: str = "",
) -> dict:
    """Tell the weight, dose and times of a PET by hand: from then on its SUV is computed from them.

    What the file said stays on record, and what is corrected once more replaces this. Measurements keep the SUV with
    which they were made.

    Args:
        volume: The id of a kept volume.
        weight_kg: The patient's weight in kg.
        dose_mbq: The injected dose in MBq, at the time of injection.
        injected: When it was injected, in the scanner's time, like 2010-01-02 10:00:00. Not needed with ADMIN.
        corrected_to: The moment to which the values are corrected for decay, mostly the beginning of the series; with
            NONE, when the frame began. Not needed with ADMIN.
        nuclide: What was injected: it tells the half-life.
        decay_correction: As DICOM says it. START: to the beginning of the scan; ADMIN: to the injection; NONE: none.
        frame_s: With NONE, how long the frame took, in seconds.
        are_bq_ml: The file tells no unit, and its values are Bq/ml.
        reason: Why the file is wrong, for others.
    """
    from workers.jobs.volume.dicom import suv  # as in ``loading``

    said = context.sidecar_of(volume)
    if said is None:
        raise stored.VolumeGone(volume)
    if said["unit"] != "Bq/ml" and not (are_bq_ml and not said["unit"]):
        raise NoActivity(said["name"], said["unit"])
    times = (_moment("injected", injected), _moment("corrected_to", corrected_to))
    found = suv.corrected(
        weight_kg, dose_mbq * MEGABECQUEREL, HALF_LIVES[nuclide], *times, decay_correction, frame_s
    )
    told = suv_plain(found) | {"notes": ["Corrected by hand.", *found.notes]}
    if not context.correction(volume, told, reason):
        raise stored.VolumeGone(volume)
    return {"volume": volume, "factor": found.factor} | found.inputs


def _moment(name: str, text: str) -> datetime | None:
    if not text.strip():
        return None
    try:
        return datetime.fromisoformat(text.strip()).replace(tzinfo=None)
    except ValueError:
        raise BadValue(name, text, "a date and time, like 2010-01-02 10:00:00") from None
