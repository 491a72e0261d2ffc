"""Presets: how files without a header are read, under a name. There are no accounts: everybody may delete every one."""

from sqlalchemy import Engine, delete, insert
from sqlalchemy.exc import IntegrityError

from ledger import clock, texts
from ledger.engine import writing
from ledger.ids import new_id
from ledger.tables import presets
from ledger.views import NAME_LIMIT, NameInUse


def save(engine: Engine, name: str, size: int, arguments: dict[str, str], by: str) -> str:
    """The preset's id; it is for files of ``size`` bytes. Raises NameInUse."""
    row = {
        "id": new_id(), "name": name, "size": size, "arguments": texts.to_json(arguments),
        "created_by": texts.clean(by)[:200], "created_at": clock.now(),
    }  # fmt: skip
    try:
        with writing(engine) as connection:
            connection.execute(insert(presets).values(row))
    except IntegrityError as error:
        raise NameInUse(name) from error
    return row["id"]


def remove(engine: Engine, preset_id: str) -> None:
    """A second time it changes nothing."""
    with writing(engine) as connection:
        connection.execute(delete(presets).where(presets.c.id == preset_id))


__all__ = ["NAME_LIMIT", "NameInUse", "remove", "save"]
