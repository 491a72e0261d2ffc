"""Lists of runs that somebody kept under a name; everybody sees them."""

from dataclasses import dataclass

from sqlalchemy import Engine, select

from ledger.engine import reading
from ledger.tables import saved_views

MOST_VIEWS = 100


@dataclass(frozen=True, slots=True)
class View:
    """``query`` is the list's address after the question mark."""

    id: str
    name: str
    query: str
    created_by: str
    created_at: int


def views(engine: Engine) -> tuple[View, ...]:
    """In the order of their names."""
    columns = saved_views.c
    statement = select(columns.id, columns.name, columns.query, columns.created_by, columns.created_at)
    with reading(engine) as connection:
        return tuple(View(*row) for row in connection.execute(statement.order_by(columns.name).limit(MOST_VIEWS)))
