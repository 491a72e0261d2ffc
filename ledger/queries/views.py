"""Lists of runs that somebody kept under a name; everybody sees them."""

from dataclasses import dataclass

from sqlalchemy import Engine, select

from ledger.engine import reading
from ledger.prepared import Prepared
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


_columns = saved_views.c
_views = Prepared(
    select(_columns.id, _columns.name, _columns.query, _columns.created_by, _columns.created_at)
    .order_by(_columns.name)
    .limit(MOST_VIEWS)
)


def views(engine: Engine) -> tuple[View, ...]:
    """In the order of their names."""
    with reading(engine) as connection:
        return tuple(View(*row) for row in _views.run(connection, {}))
