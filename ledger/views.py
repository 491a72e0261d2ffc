"""Saved views: a list of runs under a name. There are no accounts, so everybody may change every one."""

from sqlalchemy import Engine, delete, insert, update
from sqlalchemy.exc import IntegrityError

from ledger import clock, texts
from ledger.engine import writing
from ledger.errors import ViewNotFound
from ledger.ids import new_id
from ledger.tables import saved_views

NAME_LIMIT = 80


class NameInUse(Exception):
    """Another view has this name."""

    def __init__(self, name: str):
        super().__init__(f"another view is called {name!r}")


def save(engine: Engine, name: str, query: str, by: str) -> str:
    """The view's id. Raises NameInUse."""
    row = {"id": new_id(), "name": name, "query": query, "created_by": texts.clean(by)[:200], "created_at": clock.now()}
    _unless_in_use(engine, name, insert(saved_views).values(row))
    return row["id"]


def rename(engine: Engine, view_id: str, name: str) -> None:
    """Raises NameInUse, ViewNotFound."""
    renamed = _unless_in_use(engine, name, update(saved_views).where(saved_views.c.id == view_id).values(name=name))
    if not renamed:
        raise ViewNotFound(view_id)


def _unless_in_use(engine: Engine, name: str, statement) -> int:
    try:
        with writing(engine) as connection:
            return connection.execute(statement).rowcount
    except IntegrityError as error:
        raise NameInUse(name) from error


def remove(engine: Engine, view_id: str) -> None:
    """A second time it changes nothing."""
    with writing(engine) as connection:
        connection.execute(delete(saved_views).where(saved_views.c.id == view_id))
