"""Which schema a database has, and which one this program needs. Every process asks at its start, so this does without
Alembic, whose import takes longer than that of Flask."""

from functools import cache
from pathlib import Path

from sqlalchemy import Connection, inspect

VERSIONS = Path(__file__).parent / "migrations" / "versions"


@cache
def newest() -> str:
    """Of this program; revisions are numbered as their files are."""
    return max(file.name.partition("_")[0] for file in VERSIONS.glob("[0-9]*.py"))


def of(connection: Connection) -> str | None:
    """Of the database; None before the first migration."""
    if not inspect(connection).has_table("alembic_version"):
        return None
    return connection.exec_driver_sql("SELECT version_num FROM alembic_version").scalar()
