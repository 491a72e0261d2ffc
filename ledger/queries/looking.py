"""One look through the newest runs, for a filter that no index answers: how many of each tab are among them, and the
page of the tab that is asked for, if it is among them, too. States with few runs are looked through whole, so that
what waits, runs and fails is counted to the last even where the list goes on for ever."""

from dataclasses import replace

from sqlalchemy import Connection, Row, Select, bindparam, literal, null, select, union_all

from ledger.prepared import Prepared
from ledger.queries.counting import Count
from ledger.queries.places import Place, at_window, edge_of, in_window, place_of, turned
from ledger.queries.tabs import grouped, number_in
from ledger.queries.wanted import STATES, Tab, Wanted, by_looking, in_age, in_tab, needed
from ledger.states import State
from ledger.tables import runs

#: What a tab is told by, and the id.
TOLD = (runs.c.id, runs.c.state, runs.c.failures, runs.c.due_at)
#: A look ends when it has found so many: they fill any page, and are many enough to say "and more".
MOST_FOUND = 200
#: A state with so many runs at most is looked through whole.
FEW = 2_000


def look(connection: Connection, wanted: Wanted, now: int, size: int) -> tuple[Place, dict[Tab, Count]]:
    """``wanted`` has to be resolved, and ``narrowed``. What of its page the look does not find is searched for."""
    every = replace(wanted.anywhere(), tab=Tab.ALL)
    edge = edge_of(connection, every)
    rows = connection.execute(_look(wanted, every, now, size + 1)).fetchall()
    groups, ids = [row for row in rows if row.number], [row.state for row in rows if not row.number]
    full = edge is not None or sum(row.number for row in groups) >= MOST_FOUND
    counts = _counts(connection, every, groups, full, now)
    if len(ids) > size:
        return turned(wanted, ids[:size], ids[size - 1]), counts
    return at_window(wanted, ids, edge) if wanted == every else place_of(connection, wanted, now, size), counts


def _look(wanted: Wanted, every: Wanted, now: int, most: int) -> Select:
    """A row for each group, and one for each id of the page, in the place of the state."""
    newest = in_window(every, _columns(every)).subquery()
    found = _found(newest, every, now).limit(MOST_FOUND).cte("found")  # in the order of the window, on both databases
    page = select(found.c.id).where(*in_age(wanted, found.c.id), *_of_tab(found.c, wanted.tab, now))
    page = page.order_by(found.c.id.desc()).limit(0 if wanted.upwards else most).subquery()
    return union_all(grouped(found, now), select(page.c.id, null(), null(), null()))


def _columns(wanted: Wanted) -> list:
    return list({column.name: column for column in (*TOLD, *needed(wanted))}.values())


def _found(seen, wanted: Wanted, now: int) -> Select:
    return select(*(seen.c[column.name] for column in TOLD)).where(*by_looking(seen.c, wanted, now))


def _of_tab(columns, tab: Tab, now: int) -> list:
    return [*in_tab(columns, tab, now), *([columns.state.in_(STATES[tab])] if STATES[tab] else [])]


def _counts(connection: Connection, every: Wanted, groups: list[Row], full: bool, now: int) -> dict[Tab, Count]:
    """``groups`` are of the look, and ``full`` if there is more than it found."""
    few = _few(connection) if full else set()
    if few:
        groups = [row for row in groups if row.state not in few] + _whole(connection, every, sorted(few), now)
    return {tab: number_in(tab, groups, full and not few.issuperset(STATES[tab] or State)) for tab in Tab}


def _has_more(state: State):
    beyond = select(literal(1)).select_from(runs).where(runs.c.state == literal(state.value))
    return beyond.offset(bindparam("few")).limit(1).scalar_subquery().label(state.value)


_more = Prepared(select(*(_has_more(state) for state in State if state != State.SUCCEEDED)))


def _few(connection: Connection) -> set[State]:
    """The states with few runs, whatever the filter: an index tells."""
    found = _more.run(connection, {"few": FEW}).one()._mapping
    return {State(name) for name, more in found.items() if more is None}


def _whole(connection: Connection, every: Wanted, few: list[State], now: int) -> list[Row]:
    of_state = replace(every, tab=Tab.FAILED)  # by which the state is what an index finds, and the job is looked for
    theirs = select(*_columns(of_state)).where(runs.c.state.in_(few), *in_age(every)).limit(FEW * len(few)).subquery()
    return connection.execute(grouped(_found(theirs, of_state, now).subquery(), now)).fetchall()
