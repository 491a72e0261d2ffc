"""A list of runs from its newest to its oldest, in pages: each is a view of its own moment, none holds the ledger."""

from collections.abc import Iterator
from dataclasses import replace

from sqlalchemy import Connection, Engine, select

from ledger import clock
from ledger.engine import reading
from ledger.queries.marks import tags_of
from ledger.queries.places import Place, place_of
from ledger.queries.wanted import WINDOW, Wanted, resolved
from ledger.tables import runs

PAGE = 200
MOST_ROWS = 50_000
#: Pages of a search that finds little are looked through up to so many runs.
MOST_LOOKED_AT = 1_000_000
TIMES = ("created_at", "due_at", "started_at", "finished_at")
COLUMNS = (
    "id", "job", "queue", "state", *TIMES, "attempt", "failures", "crashes", "origin", "created_by", "parent_id",
    "arguments", "error_type", "error", "tags",
)  # fmt: skip
_stored = tuple(runs.c.args.label("arguments") if name == "arguments" else runs.c[name] for name in COLUMNS[:-1])


def export_of(engine: Engine, wanted: Wanted) -> Iterator[list[dict]]:
    """Rows by the names of ``COLUMNS``; times as ISO 8601 in UTC, arguments as the stored JSON."""
    rows, looks = 0, 0
    while rows < MOST_ROWS and looks * WINDOW < MOST_LOOKED_AT:
        with reading(engine) as connection:
            place = place_of(connection, resolved(connection, wanted), clock.now(), min(PAGE, MOST_ROWS - rows))
            found = _rows(connection, place)
        yield found
        if place.older is None:
            return
        rows, looks = rows + len(found), looks + bool(place.looked_at)
        wanted = replace(wanted, before=place.older)


def _rows(connection: Connection, place: Place) -> list[dict]:
    statement = select(*_stored).where(runs.c.id.in_(place.ids)).order_by(runs.c.id.desc())
    tags = tags_of(connection, place.ids)
    return [_row(row._mapping, tags) for row in connection.execute(statement)] if place.ids else []


def _row(row, tags: dict[str, tuple[str, ...]]) -> dict:
    times = {name: _iso(row[name]) for name in TIMES}
    return dict(row) | times | {"tags": list(tags.get(row["id"], ()))}


def _iso(at: int | None) -> str | None:
    return None if at is None else clock.to_datetime(at).isoformat(timespec="milliseconds").replace("+00:00", "Z")
