"""Kept volumes for pages: found by subject, name, label, modality and date; what was measured in one."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Engine, Row, Select, or_, select

from ledger import texts
from ledger.engine import reading
from ledger.errors import VolumeNotFound
from ledger.tables import corrections, measurements, volumes
from ledger.volumes import sidecar

PAGE = 50
MOST_MODALITIES = 20
MOST_MEASUREMENTS = 100
MOST_CORRECTIONS = 20


@dataclass(frozen=True, slots=True)
class Volume:
    """``sidecar`` as ``docs/volumes.md`` says, with the SUV that somebody corrected, if so."""

    id: str
    name: str
    subject: str
    label: str
    modality: str
    acquired: str
    unit: str
    size: int
    sidecar: dict[str, Any]
    created_by: str
    created_at: int


@dataclass(frozen=True, slots=True)
class Measurement:
    id: str
    volume_id: str
    rule: dict[str, Any]
    figures: dict[str, Any]
    created_by: str
    created_at: int


@dataclass(frozen=True, slots=True)
class Correction:
    """``before`` is the SUV that it took the place of: of an earlier correction, or of the file."""

    suv: dict[str, Any]
    before: dict[str, Any] | None
    reason: str
    created_by: str
    created_at: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Which volumes; blank is any. ``text`` is part of name, subject or label; dates are ISO, ``until`` is included."""

    text: str = ""
    subject: str = ""
    modality: str = ""
    since: str = ""
    until: str = ""
    before: str | None = None  # an id: the page after it


@dataclass(frozen=True, slots=True)
class Page:
    """The newest first; ``older`` is the id to go on before, if there are more."""

    rows: tuple[Volume, ...]
    older: str | None


COLUMNS = (
    volumes.c.id, volumes.c.name, volumes.c.subject, volumes.c.label, volumes.c.modality, volumes.c.acquired,
    volumes.c.unit, volumes.c.size, volumes.c.sidecar, volumes.c.created_by, volumes.c.created_at,
)  # fmt: skip


def volume(engine: Engine, volume_id: str) -> Volume:
    """Raises VolumeNotFound."""
    with reading(engine) as connection:
        row = connection.execute(select(*COLUMNS).where(volumes.c.id == volume_id)).one_or_none()
        if row is None:
            raise VolumeNotFound(volume_id)
        return _volume(row, sidecar(connection, volume_id))


def _volume(row: Row, said: dict[str, Any] | None = None) -> Volume:
    return Volume(**row._asdict() | {"sidecar": said or texts.from_json(row.sidecar)})


def page(engine: Engine, wanted: Wanted) -> Page:
    statement = _matching(wanted).order_by(volumes.c.id.desc()).limit(PAGE + 1)
    with reading(engine) as connection:
        rows = [_volume(row) for row in connection.execute(statement)]
    return Page(tuple(rows[:PAGE]), rows[PAGE - 1].id if len(rows) > PAGE else None)


def _matching(wanted: Wanted) -> Select:
    found = select(*COLUMNS)
    if wanted.text:
        parts = (volumes.c.name, volumes.c.subject, volumes.c.label)
        found = found.where(or_(*(part.icontains(wanted.text, autoescape=True) for part in parts)))
    if wanted.subject:
        found = found.where(volumes.c.subject == wanted.subject)
    if wanted.modality:
        found = found.where(volumes.c.modality == wanted.modality)
    if wanted.since:
        found = found.where(volumes.c.acquired >= wanted.since)
    if wanted.until:
        found = found.where(volumes.c.acquired != "", volumes.c.acquired < f"{wanted.until}U")  # after any T
    return found if wanted.before is None else found.where(volumes.c.id < wanted.before)


def modalities(engine: Engine) -> tuple[str, ...]:
    found = select(volumes.c.modality).where(volumes.c.modality != "").distinct().order_by(volumes.c.modality)
    with reading(engine) as connection:
        return tuple(connection.scalars(found.limit(MOST_MODALITIES)))


def newest_of_subject(engine: Engine, subject: str) -> str | None:
    found = select(volumes.c.id).where(volumes.c.subject == subject).order_by(volumes.c.id.desc())
    with reading(engine) as connection:
        return connection.scalar(found.limit(1))


def is_kept(connection: Connection, run_id: str) -> bool:
    """Whether there is a volume that this run made."""
    return connection.scalar(select(volumes.c.id).where(volumes.c.id == run_id)) is not None


def measurements_of(engine: Engine, volume_id: str) -> tuple[Measurement, ...]:
    """The newest first."""
    columns = measurements.c
    newest = select(*columns).where(columns.volume_id == volume_id).order_by(columns.id.desc()).limit(MOST_MEASUREMENTS)
    with reading(engine) as connection:
        return tuple(_measurement(row) for row in connection.execute(newest))


def measurement(engine: Engine, measurement_id: str) -> Measurement | None:
    with reading(engine) as connection:
        found = select(*measurements.c).where(measurements.c.id == measurement_id)
        row = connection.execute(found).one_or_none()
    return row and _measurement(row)


def _measurement(row: Row) -> Measurement:
    parsed = {"rule": texts.from_json(row.rule), "figures": texts.from_json(row.figures)}
    return Measurement(**row._asdict() | parsed)


def corrections_of(engine: Engine, volume_id: str) -> tuple[Correction, ...]:
    """The newest, which holds, first."""
    columns = corrections.c
    told = select(columns.suv, columns.reason, columns.created_by, columns.created_at)
    newest = told.where(columns.volume_id == volume_id).order_by(columns.id.desc()).limit(MOST_CORRECTIONS + 1)
    with reading(engine) as connection:
        rows = connection.execute(newest).fetchall()
        of_file = connection.scalar(select(volumes.c.sidecar).where(volumes.c.id == volume_id)) if rows else None
    suvs = [texts.from_json(row.suv) for row in rows] + [(texts.from_json(of_file) or {}).get("suv")]
    found = zip(suvs, suvs[1:], rows, strict=False)
    return tuple(Correction(suv, before, *row[1:]) for suv, before, row in found)[:MOST_CORRECTIONS]
