"""Tags of runs: words by which people find them again. A run has those of its job besides."""

from sqlalchemy import Engine, delete, select

from ledger import clock, texts
from ledger.engine import insert_if_new, writing
from ledger.errors import RunNotFound
from ledger.tables import run_tags, runs

NAME_LIMIT = 60


def add(engine: Engine, run_id: str, name: str, by: str) -> None:
    """A tag that is there already stays as it is. Raises RunNotFound."""
    row = {"run_id": run_id, "name": name, "added_by": texts.clean(by)[:200], "added_at": clock.now()}
    with writing(engine) as connection:
        if connection.scalar(select(runs.c.id).where(runs.c.id == run_id)) is None:
            raise RunNotFound(run_id)
        insert_if_new(connection, run_tags, row)


def remove(engine: Engine, run_id: str, name: str) -> None:
    with writing(engine) as connection:
        connection.execute(delete(run_tags).where(run_tags.c.run_id == run_id, run_tags.c.name == name))
