"""Bringing the database to the newest schema. Several processes may try at once; one does it."""

import logging
from pathlib import Path

from sqlalchemy import Connection, Engine

from ledger import revision
from ledger.engine import is_sqlite, writing

logging.getLogger("alembic").setLevel(logging.WARNING)  # its steps are ours to tell

LOCK = 7_391_826  # PostgreSQL advisory lock: any number that is only ours


def migrate(engine: Engine, to: str = "head") -> None:
    """Upgrades to revision ``to``; does nothing when the schema is there, or newer: old code runs on a newer schema."""
    with writing(engine) as connection:  # SQLite: BEGIN IMMEDIATE is the lock
        if not is_sqlite(connection):
            connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({LOCK})")
        if not is_newer(connection) and not (to == "head" and is_current(connection)):
            _move(connection, "upgrade", to)


def downgrade(engine: Engine, to: str) -> None:
    with writing(engine) as connection:
        _move(connection, "downgrade", to)


def is_current(connection: Connection) -> bool:
    """Whether the database has the schema that this code was written for."""
    return revision.of(connection) == revision.newest()


def is_newer(connection: Connection) -> bool:
    """Whether a later version of this program has prepared the database; revisions are numbered."""
    found = revision.of(connection)
    return found is not None and found > revision.newest()


def _move(connection: Connection, way: str, to: str) -> None:
    # Imported when there is something to do: that takes a sixth of a second, and every scheduler asks as it starts.
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    config.attributes["connection"] = connection
    getattr(command, way)(config, to)
