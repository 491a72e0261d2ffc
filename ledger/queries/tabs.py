"""How many runs each tab of the list has."""

from dataclasses import replace

from sqlalchemy import Connection, func, select

from ledger.queries.counting import CAP, Count, count
from ledger.queries.wanted import STATES, Tab, Wanted, by_index, by_looking, in_age, needed
from ledger.states import State
from ledger.tables import is_queued, runs


def counts_of(connection: Connection, wanted: Wanted, now: int) -> dict[Tab, Count]:
    if wanted.narrowed:
        return _by_looking(connection, wanted, now)
    return _by_index(connection, Wanted(since=wanted.since, until=wanted.until), now)


def _by_index(connection: Connection, wanted: Wanted, now: int) -> dict[Tab, Count]:
    states = {tab: STATES[tab] or (None,) for tab in (Tab.ALL, Tab.RUNNING, Tab.FAILED, Tab.DONE, Tab.CANCELED)}
    counts = {tab: _of_states(connection, wanted, parts) for tab, parts in states.items()}
    newest = select(runs.c.state, runs.c.failures, runs.c.due_at).where(is_queued, *in_age(wanted))
    return counts | _of_queued(connection, newest.order_by(runs.c.id.desc()), now)


def _of_states(connection: Connection, wanted: Wanted, states: tuple) -> Count:
    parts = (count(connection, select(runs.c.id).where(*by_index(wanted, state))) for state in states)
    return sum(parts, Count())


def _of_queued(connection: Connection, newest, now: int) -> dict[Tab, Count]:
    """Among the newest queued runs: beyond the cap a number is a lower bound, and says so."""
    groups = _groups(connection, newest.limit(CAP + 1).subquery(), [], now)
    full = sum(row.number for row in groups) > CAP
    return {tab: _number(tab, groups, full) for tab in (Tab.WAITING, Tab.SCHEDULED, Tab.RETRYING)}


def _by_looking(connection: Connection, wanted: Wanted, now: int) -> dict[Tab, Count]:
    """Among the newest runs (of the job): one look for all tabs, however odd the filter."""
    every = replace(wanted.anywhere(), tab=Tab.ALL)
    columns = (runs.c.state, *needed(every))
    newest = select(*columns).where(*by_index(every, None)).order_by(runs.c.id.desc()).limit(CAP + 1)
    seen = newest.subquery()
    groups = _groups(connection, seen, by_looking(seen.c, every, now), now)
    ids = newest.with_only_columns(runs.c.id).subquery()
    full = connection.scalar(select(func.count()).select_from(ids)) > CAP
    return {tab: _number(tab, groups, full) for tab in Tab}


def _groups(connection: Connection, seen, conditions: list, now: int) -> list:
    failed, late = (seen.c.failures > 0).label("failed"), (seen.c.due_at > now).label("late")
    statement = select(seen.c.state, failed, late, func.count().label("number")).where(*conditions)
    return connection.execute(statement.group_by(seen.c.state, failed, late)).fetchall()


def _number(tab: Tab, groups: list, full: bool) -> Count:
    return Count(min(CAP, sum(row.number for row in groups if _is_in(tab, row))), full)


def _is_in(tab: Tab, row) -> bool:
    if tab == Tab.ALL or row.state != State.QUEUED:
        return tab == Tab.ALL or row.state in STATES[tab]
    if row.failed:
        return tab == Tab.RETRYING
    return tab == (Tab.SCHEDULED if row.late else Tab.WAITING)
