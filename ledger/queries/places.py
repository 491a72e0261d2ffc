"""A place in the list of runs: one page of ids, by key and never by counting rows, so that the thousandth page
costs what the first one does, and rows that arrive move none of them."""

from dataclasses import dataclass

from sqlalchemy import Connection, func, select, union_all

from ledger.queries.wanted import STATES, WINDOW, Wanted, by_index, by_looking, in_order, needed
from ledger.tables import runs


@dataclass(frozen=True, slots=True)
class Place:
    """``ids`` newest first. ``older`` is what to ask ``before`` for the next page, ``newer`` what to ask ``after``
    for the one above. ``looked_at`` is set when the search stopped at its window, at the run ``looked_to``."""

    ids: list[str]
    older: str | None = None
    newer: str | None = None
    looked_at: int | None = None
    looked_to: str | None = None


def place_of(connection: Connection, wanted: Wanted, now: int, size: int) -> Place:
    """``wanted`` has to be resolved."""
    looks = bool(by_looking(runs.c, wanted, now))
    candidates = nearest(wanted, WINDOW if looks else size + 1, needed(wanted)).subquery()
    matching = select(candidates.c.id).where(*by_looking(candidates.c, wanted, now))
    ids = list(connection.scalars(matching.order_by(in_order(candidates.c.id, wanted)).limit(size + 1)))
    if len(ids) > size:
        return _turned(wanted, ids[:size], ids[size - 1])
    return _at_window(connection, wanted, ids) if looks else _turned(wanted, ids, None)


def _at_window(connection: Connection, wanted: Wanted, ids: list[str]) -> Place:
    """The end of a search: at the end of the list, or at the window's edge."""
    seen = nearest(wanted, WINDOW, [runs.c.id]).subquery()
    edge = (func.max if wanted.upwards else func.min)(seen.c.id)
    number, last = connection.execute(select(func.count(), edge).select_from(seen)).one()
    return _turned(wanted, ids, last, number) if number == WINDOW else _turned(wanted, ids, None)


def _turned(wanted: Wanted, ids: list[str], last: str | None, looked_at: int | None = None) -> Place:
    """From the order of reading to the order of the page; ``last`` is where the reading goes on, if it does."""
    looked_to = last if looked_at else None
    if wanted.upwards:
        ids = ids[::-1]
        return Place(ids, ids[-1] if ids and wanted.after else None, last, looked_at, looked_to)
    return Place(ids, last, ids[0] if ids and wanted.before else None, looked_at, looked_to)


def nearest(wanted: Wanted, most: int, columns: list):
    """The runs that an index finds next, in the order of reading; the rest of the filter chooses among them."""
    states = STATES[wanted.tab] or (None,)
    parts = [select(*columns).where(*by_index(wanted, state)) for state in states]
    limited = [part.order_by(in_order(runs.c.id, wanted)).limit(most).subquery() for part in parts]
    merged = union_all(*[select(part) for part in limited]).subquery()
    return select(merged).order_by(in_order(merged.c.id, wanted)).limit(most)
