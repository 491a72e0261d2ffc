"""How many runs each tab of the list has."""

from sqlalchemy import Connection, Select, bindparam, func, literal, select

from ledger.prepared import Prepared
from ledger.queries.counting import CAP, Count, number_of, up_to
from ledger.queries.wanted import IN_RANGE, STATES, Tab, Wanted, id_range
from ledger.states import State
from ledger.tables import is_queued, runs


def counts_of(connection: Connection, wanted: Wanted, now: int) -> dict[Tab, Count]:
    """Of a list that is not ``narrowed``; what is, ``looking`` counts."""
    first, last = id_range(Wanted(since=wanted.since, until=wanted.until))
    asked = {"first": first, "last": last, "now": now}
    counts = _by_index(connection, asked) | _of_queued(connection, asked)
    every = sum(counts.values(), Count())
    return counts | {Tab.ALL: Count(min(CAP, every.number), every.capped or every.number > CAP)}


#: The tabs that an index counts.
_PARTS = tuple((tab, state) for tab in (Tab.RUNNING, Tab.FAILED, Tab.DONE, Tab.CANCELED) for state in STATES[tab])


def _number_in(state: State):
    """Whether there are more than are counted is asked first: stepping over them takes half of counting them."""
    those = select(literal(CAP + 1)).select_from(runs).where(*IN_RANGE, runs.c.state == literal(state.value))
    more = those.offset(CAP).limit(1).scalar_subquery()
    return func.coalesce(more, number_of(those).scalar_subquery())


_numbers = Prepared(select(*(_number_in(state) for _tab, state in _PARTS)))


def _by_index(connection: Connection, asked: dict) -> dict[Tab, Count]:
    """In one statement: that costs less than the asking of six."""
    counts = {tab: Count() for tab, _state in _PARTS}
    for (tab, _state), found in zip(_PARTS, _numbers.run(connection, asked).one(), strict=True):
        counts[tab] += up_to(CAP, found)
    return counts


def grouped(seen, now) -> Select:
    """The number of rows by what tells one tab from another."""
    told = (seen.c.state, (seen.c.failures > 0).label("failed"), (seen.c.due_at > now).label("late"))
    return select(*told, func.count().label("number")).group_by(*told)


_newest = select(runs.c.state, runs.c.failures, runs.c.due_at).where(is_queued, *IN_RANGE)
_queued = Prepared(grouped(_newest.order_by(runs.c.id.desc()).limit(CAP + 1).subquery(), bindparam("now")))


def _of_queued(connection: Connection, asked: dict) -> dict[Tab, Count]:
    """Among the newest queued runs: beyond the cap a number is a lower bound, and says so."""
    groups = _queued.run(connection, asked).fetchall()
    full = sum(row.number for row in groups) > CAP
    return {tab: number_in(tab, groups, full) for tab in (Tab.WAITING, Tab.SCHEDULED, Tab.RETRYING)}


def number_in(tab: Tab, groups: list, full: bool) -> Count:
    """Of what ``grouped`` found; ``full`` when there is more than was looked at."""
    return Count(min(CAP, sum(row.number for row in groups if _is_in(tab, row))), full)


def _is_in(tab: Tab, row) -> bool:
    if tab == Tab.ALL or row.state != State.QUEUED:
        return tab == Tab.ALL or row.state in STATES[tab]
    if row.failed:
        return tab == Tab.RETRYING
    return tab == (Tab.SCHEDULED if row.late else Tab.WAITING)
