"""One look through the newest runs, for a filter that no index answers: how many of each tab are among them, and the
page of the tab that is asked for, if it is among them, too."""

from dataclasses import replace

from sqlalchemy import Connection, Select, null, select, union_all

from ledger.queries.counting import Count
from ledger.queries.places import Place, at_window, edge_of, in_window, place_of, turned
from ledger.queries.tabs import grouped, number_in
from ledger.queries.wanted import STATES, Tab, Wanted, by_looking, in_age, in_tab, needed
from ledger.tables import runs

#: What a tab is told by, and the id.
TOLD = (runs.c.id, runs.c.state, runs.c.failures, runs.c.due_at)


def look(connection: Connection, wanted: Wanted, now: int, size: int) -> tuple[Place, dict[Tab, Count]]:
    """``wanted`` has to be resolved, and ``narrowed``. What of its page the look does not find is searched for."""
    every = replace(wanted.anywhere(), tab=Tab.ALL)
    edge = edge_of(connection, every)
    rows = connection.execute(_look(wanted, every, now, size + 1)).fetchall()
    groups, ids = [row for row in rows if row.number], [row.state for row in rows if not row.number]
    counts = {tab: number_in(tab, groups, edge is not None) for tab in Tab}
    if len(ids) > size:
        return turned(wanted, ids[:size], ids[size - 1]), counts
    return at_window(wanted, ids, edge) if wanted == every else place_of(connection, wanted, now, size), counts


def _look(wanted: Wanted, every: Wanted, now: int, most: int) -> Select:
    """A row for each group, and one for each id of the page, in the place of the state."""
    columns = {column.name: column for column in (*TOLD, *needed(every))}
    newest = in_window(every, list(columns.values())).subquery()
    found = select(*(newest.c[column.name] for column in TOLD)).where(*by_looking(newest.c, every, now)).cte("found")
    page = select(found.c.id).where(*in_age(wanted, found.c.id), *_of_tab(found.c, wanted.tab, now))
    page = page.order_by(found.c.id.desc()).limit(0 if wanted.upwards else most).subquery()
    return union_all(grouped(found, now), select(page.c.id, null(), null(), null()))


def _of_tab(columns, tab: Tab, now: int) -> list:
    return [*in_tab(columns, tab, now), *([columns.state.in_(STATES[tab])] if STATES[tab] else [])]
