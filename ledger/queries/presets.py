"""Presets that somebody kept for files without a header; everybody sees them."""

from dataclasses import dataclass

from sqlalchemy import Engine, Row, select

from ledger import texts
from ledger.engine import reading
from ledger.errors import PresetNotFound
from ledger.tables import presets

MOST_PRESETS = 100


@dataclass(frozen=True, slots=True)
class Preset:
    """``size``: bytes of the files that it fits; ``arguments``: what the form is filled in with."""

    id: str
    name: str
    size: int
    arguments: dict[str, str]
    created_by: str
    created_at: int


COLUMNS = (
    presets.c.id, presets.c.name, presets.c.size, presets.c.arguments, presets.c.created_by, presets.c.created_at,
)  # fmt: skip


def all_presets(engine: Engine) -> tuple[Preset, ...]:
    """In the order of their names."""
    with reading(engine) as connection:
        found = connection.execute(select(*COLUMNS).order_by(presets.c.name).limit(MOST_PRESETS))
        return tuple(_preset(row) for row in found)


def preset(engine: Engine, preset_id: str) -> Preset:
    """Raises PresetNotFound."""
    with reading(engine) as connection:
        row = connection.execute(select(*COLUMNS).where(presets.c.id == preset_id)).one_or_none()
    if row is None:
        raise PresetNotFound(preset_id)
    return _preset(row)


def _preset(row: Row) -> Preset:
    return Preset(**row._asdict() | {"arguments": texts.from_json(row.arguments)})
