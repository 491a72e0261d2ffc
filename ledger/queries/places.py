"""A place in the list of runs: one page of ids, by key and never by counting rows, so that the thousandth page
costs what the first one does, and rows that arrive move none of them."""

from dataclasses import dataclass
from functools import cache

from sqlalchemy import Connection, bindparam, literal, select, union_all

from ledger.prepared import Prepared
from ledger.queries.wanted import IN_RANGE, STATES, WINDOW, Wanted, by_index, by_looking, id_range, in_order, needed
from ledger.states import State
from ledger.tables import runs

NEAR_BY = WINDOW // 20


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
    ids = (_found if looks else _next)(connection, wanted, now, size + 1)
    if len(ids) > size:
        return turned(wanted, ids[:size], ids[size - 1])
    return at_window(wanted, ids, edge_of(connection, wanted) if looks else None)


def _found(connection: Connection, wanted: Wanted, now: int, most: int) -> list[str]:
    """Most filters find a page's worth near by, and need not look through a whole window."""
    near_by = _within(connection, wanted, now, NEAR_BY, most)
    return near_by if len(near_by) == most else _within(connection, wanted, now, WINDOW, most)


def _within(connection: Connection, wanted: Wanted, now: int, window: int, most: int) -> list[str]:
    candidates = nearest(wanted, window, needed(wanted)).subquery()
    matching = select(candidates.c.id).where(*by_looking(candidates.c, wanted, now))
    return list(connection.scalars(matching.order_by(in_order(candidates.c.id, wanted)).limit(most)))


def _next(connection: Connection, wanted: Wanted, now: int, most: int) -> list[str]:
    """What an index answers whole; for a tab alone by a statement that is prepared."""
    if wanted.narrowed:
        return _within(connection, wanted, now, most, most)
    first, last = id_range(wanted)
    following = _following(STATES[wanted.tab] or (None,), wanted.upwards)
    return list(following.run(connection, {"first": first, "last": last, "most": most}).scalars())


@cache
def _following(states: tuple[State | None, ...], upwards: bool) -> Prepared:
    def ordered(statement, ids):
        return statement.order_by(ids.asc() if upwards else ids.desc()).limit(bindparam("most"))

    def part(state: State | None):
        conditions = () if state is None else (runs.c.state == literal(state.value),)
        return ordered(select(runs.c.id).where(*IN_RANGE, *conditions), runs.c.id).subquery()

    merged = union_all(*[select(part(state)) for state in states]).subquery()
    return Prepared(ordered(select(merged.c.id), merged.c.id))


def edge_of(connection: Connection, wanted: Wanted) -> str | None:
    """The last run of the window; None when there are none behind it."""
    last_and_next = nearest(wanted, WINDOW + 1, [runs.c.id]).limit(2).offset(WINDOW - 1)
    found = connection.scalars(last_and_next).all()
    return found[0] if len(found) > 1 else None


def at_window(wanted: Wanted, ids: list[str], edge: str | None) -> Place:
    """The end of a search: at the end of the list, or at the window's edge."""
    return turned(wanted, ids, edge, WINDOW if edge else None)


def turned(wanted: Wanted, ids: list[str], last: str | None, looked_at: int | None = None) -> Place:
    """From the order of reading to the order of the page; ``last`` is where the reading goes on, if it does."""
    looked_to = last if looked_at else None
    if wanted.upwards:
        ids = ids[::-1]
        return Place(ids, ids[-1] if ids and wanted.after else None, last, looked_at, looked_to)
    return Place(ids, last, ids[0] if ids and wanted.before else None, looked_at, looked_to)


def in_window(wanted: Wanted, columns: list):
    return nearest(wanted, WINDOW, columns)


def nearest(wanted: Wanted, most: int, columns: list):
    """The runs that an index finds next, in the order of reading; the rest of the filter chooses among them."""
    states = STATES[wanted.tab] or (None,)
    parts = [select(*columns).where(*by_index(wanted, state)) for state in states]
    limited = [part.order_by(in_order(runs.c.id, wanted)).limit(most) for part in parts]
    if len(limited) == 1:  # SQLite would sort once more what is in order
        return limited[0]
    merged = union_all(*[select(part.subquery()) for part in limited]).subquery()
    return select(merged).order_by(in_order(merged.c.id, wanted)).limit(most)
