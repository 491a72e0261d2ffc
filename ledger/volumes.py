"""Volumes that are kept: the row beside the folder. A volume is there from its row's commit, gone with its deletion.

A run makes one volume and gives it its id, so that a second attempt of the run makes it again and not another.
"""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Engine, delete, select

from ledger import clock, failpoints, texts
from ledger.engine import announce, insert_if_new, writing
from ledger.errors import VolumeNotFound
from ledger.holding import holder
from ledger.tables import corrections, measurements, volumes

NAME_LIMIT, MODALITY_LIMIT, SHORT_LIMIT = 200, 16, 40


@dataclass(frozen=True, slots=True, kw_only=True)
class NewVolume:
    """What an attempt has written to disk; ``sidecar`` is that of ``docs/volumes.md``."""

    run_id: str
    claim_token: str
    sidecar: dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class NewMeasurement:
    """What an attempt has measured in a volume: the rule it followed, and its figures."""

    run_id: str
    claim_token: str
    volume_id: str
    rule: dict[str, Any]
    figures: dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class NewCorrection:
    """An SUV that somebody corrected, as sidecars have it, and why."""

    run_id: str
    claim_token: str
    volume_id: str
    suv: dict[str, Any]
    reason: str


def keep(connection: Connection, new: list[NewVolume]) -> list[bool]:
    """For the writer: whether each is kept now. One of an attempt that lost its run is not."""
    failpoints.mark(connection, "note")
    kept = [_keep_if_held(connection, each) for each in new]
    announce(connection)
    return kept


def _keep_if_held(connection: Connection, new: NewVolume) -> bool:
    held = holder(connection, new.run_id, new.claim_token)
    if held is None:
        return False
    insert_if_new(connection, volumes, _row(new, held.by))
    return True


def _row(new: NewVolume, by: str) -> dict:
    said = new.sidecar
    return {
        "id": new.run_id,
        "name": texts.clean(said["name"])[:NAME_LIMIT],
        "subject": texts.clean(said["subject"])[:NAME_LIMIT],
        "label": texts.clean(said["label"])[:NAME_LIMIT],
        "modality": texts.clean(said["modality"])[:MODALITY_LIMIT],
        "acquired": texts.clean(said["acquired"])[:SHORT_LIMIT],
        "unit": texts.clean(said["unit"])[:SHORT_LIMIT],
        "size": said["bytes"],
        "sidecar": texts.to_json(said),
        "created_by": by,
        "created_at": clock.now(),
    }


def note_measurement(connection: Connection, new: list[NewMeasurement]) -> list[bool]:
    """For the writer: whether each is on record now: not when its volume was deleted, or its attempt lost the run."""
    failpoints.mark(connection, "note")
    noted = [_note_if_held(connection, each) for each in new]
    announce(connection)
    return noted


def _note_if_held(connection: Connection, new: NewMeasurement) -> bool:
    held = holder(connection, new.run_id, new.claim_token)
    if held is None or not _is_there(connection, new.volume_id):
        return False
    row = {
        "id": new.run_id, "volume_id": new.volume_id, "rule": texts.to_json(new.rule),
        "figures": texts.to_json(new.figures), "created_by": held.by, "created_at": clock.now(),
    }  # fmt: skip
    insert_if_new(connection, measurements, row)
    return True


def sidecars(connection: Connection, ids: list[str]) -> list[dict[str, Any] | None]:
    """For the writer: all that is known of each of these volumes, None for what is none."""
    return [sidecar(connection, volume_id) for volume_id in ids]


def sidecar(connection: Connection, volume_id: str) -> dict[str, Any] | None:
    """With the SUV that somebody corrected, if so: that holds."""
    said = texts.from_json(connection.scalar(select(volumes.c.sidecar).where(volumes.c.id == volume_id)))
    mine = select(corrections.c.suv).where(corrections.c.volume_id == volume_id)
    corrected = texts.from_json(connection.scalar(mine.order_by(corrections.c.id.desc()).limit(1)))
    return said and (said | {"suv": corrected} if corrected else said)


def note_correction(connection: Connection, new: list[NewCorrection]) -> list[bool]:
    """For the writer: whether each SUV holds from now on; what held before stays on record."""
    failpoints.mark(connection, "note")
    noted = [_correct_if_held(connection, each) for each in new]
    announce(connection)
    return noted


def _correct_if_held(connection: Connection, new: NewCorrection) -> bool:
    held = holder(connection, new.run_id, new.claim_token)
    if held is None or not _is_there(connection, new.volume_id):
        return False
    row = {
        "id": new.run_id, "volume_id": new.volume_id, "suv": texts.to_json(new.suv), "reason": texts.clean(new.reason),
        "created_by": held.by, "created_at": clock.now(),
    }  # fmt: skip
    insert_if_new(connection, corrections, row)
    return True


def _is_there(connection: Connection, volume_id: str) -> bool:
    """Locked, so that it stays until this is on record."""
    return connection.scalar(select(volumes.c.id).where(volumes.c.id == volume_id).with_for_update()) is not None


def forget(engine: Engine, volume_id: str) -> None:
    """With its measurements and corrections; its folder is the caller's, after this. Raises VolumeNotFound."""
    with writing(engine) as connection:
        gone = connection.execute(delete(volumes).where(volumes.c.id == volume_id)).rowcount
        announce(connection)
    if not gone:
        raise VolumeNotFound(volume_id)


def forget_measurement(engine: Engine, measurement_id: str) -> None:
    """A second time it changes nothing."""
    with writing(engine) as connection:
        connection.execute(delete(measurements).where(measurements.c.id == measurement_id))
        announce(connection)
