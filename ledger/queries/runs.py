"""The list of runs: by tab, job, queue, age and text, one page at a time, newest first."""

from dataclasses import dataclass

from sqlalchemy import Connection, Engine, Select, func, select, union_all

from ledger import clock
from ledger.engine import reading
from ledger.queries.counting import CAP, Count, count
from ledger.queries.lines import RunLine, lines
from ledger.queries.wanted import STATES, Tab, Wanted, in_age, in_tab, matches
from ledger.states import State
from ledger.tables import jobs, runs

PAGE = 50
#: A filter that no index answers looks at so many runs per page; the page says how far it looked.
WINDOW = 20_000
MOST_NEWER = 999
MOST_CHOICES = 1_000


@dataclass(frozen=True, slots=True)
class RunsPage:
    """``older`` is what to ask ``before`` for the next page. ``looked_at`` is set when the search stopped at its
    window rather than at the oldest run."""

    wanted: Wanted
    lines: tuple[RunLine, ...]
    counts: dict[Tab, Count]
    newer: Count
    older: str | None
    looked_at: int | None
    jobs: tuple[str, ...]
    queues: tuple[str, ...]
    has_any: bool


def runs_page(engine: Engine, wanted: Wanted) -> RunsPage:
    with reading(engine) as connection:
        now = clock.now()
        ids, older, looked_at = _page_of_ids(connection, wanted, now)
        known_jobs, known_queues = _choices(connection)
        return RunsPage(
            wanted=wanted,
            lines=lines(connection, ids),
            counts=_counts(connection, wanted, now),
            newer=_newer(connection, wanted, now),
            older=older,
            looked_at=looked_at,
            jobs=known_jobs,
            queues=known_queues,
            has_any=connection.scalar(select(runs.c.id).limit(1)) is not None,
        )


def _page_of_ids(connection: Connection, wanted: Wanted, now: int) -> tuple[list[str], str | None, int | None]:
    candidates = _candidates(wanted)
    matching = select(candidates.c.id).where(*matches(candidates.c, wanted, now))
    ids = list(connection.scalars(matching.order_by(candidates.c.id.desc()).limit(PAGE + 1)))
    if len(ids) > PAGE:
        return ids[:PAGE], ids[PAGE - 1], None
    looked_at, oldest = connection.execute(select(func.count(), func.min(candidates.c.id))).one()
    return (ids, oldest, looked_at) if looked_at == WINDOW else (ids, None, None)


def _candidates(wanted: Wanted, *more):
    """The newest runs that an index finds, ``WINDOW`` of them at most; the rest of the filter chooses among them."""
    parts = [_newest(wanted, state).where(*more).subquery() for state in STATES[wanted.tab] or (None,)]
    merged = union_all(*[select(part) for part in parts]).subquery()
    return select(merged).order_by(merged.c.id.desc()).limit(WINDOW).subquery()


def _newest(wanted: Wanted, state: State | None) -> Select:
    columns = [runs.c.id, runs.c.job, runs.c.queue, runs.c.failures, runs.c.due_at]
    if wanted.text:
        columns += [runs.c.args, runs.c.error_type, runs.c.error]
    statement = select(*columns).where(*in_age(wanted))
    if state is not None:
        statement = statement.where(runs.c.state == state)
    elif wanted.job:
        statement = statement.where(runs.c.job == wanted.job)
    return statement.order_by(runs.c.id.desc()).limit(WINDOW)


def _newer(connection: Connection, wanted: Wanted, now: int) -> Count:
    """How many runs of this list came in after ``up_to``."""
    if not wanted.up_to:
        return Count()
    newest = Wanted(tab=wanted.tab, job=wanted.job, queue=wanted.queue, text=wanted.text)
    candidates = _candidates(newest, runs.c.id > wanted.up_to)
    matching = select(candidates.c.id).where(*matches(candidates.c, newest, now))
    return count(connection, matching, MOST_NEWER)


def _counts(connection: Connection, wanted: Wanted, now: int) -> dict[Tab, Count]:
    look = _counts_by_looking if wanted.narrowed else _counts_by_index
    return look(connection, wanted, now)


def _counts_by_index(connection: Connection, wanted: Wanted, now: int) -> dict[Tab, Count]:
    age = in_age(Wanted(since=wanted.since))
    counts = {Tab.ALL: count(connection, select(runs.c.id).where(*age))}
    counts |= _counts_of_queued(connection, age, now)
    for tab in (Tab.RUNNING, Tab.FAILED, Tab.DONE, Tab.CANCELED):
        parts = [count(connection, select(runs.c.id).where(runs.c.state == state, *age)) for state in STATES[tab]]
        counts[tab] = sum(parts, Count())
    return counts


def _counts_of_queued(connection: Connection, age: list, now: int) -> dict[Tab, Count]:
    """Among the newest of the queued runs: beyond the cap a number is a lower bound, and says so."""
    newest = select(runs.c.failures, runs.c.due_at).where(runs.c.state == State.QUEUED, *age)
    queued = newest.order_by(runs.c.id.desc()).limit(CAP + 1).subquery()
    found = {
        tab: connection.scalar(select(func.count()).select_from(queued).where(*in_tab(queued.c, tab, now)))
        for tab in (Tab.WAITING, Tab.SCHEDULED, Tab.RETRYING)
    }
    full = sum(found.values()) > CAP
    return {tab: Count(min(number, CAP), full) for tab, number in found.items()}


def _counts_by_looking(connection: Connection, wanted: Wanted, now: int) -> dict[Tab, Count]:
    """Among the newest runs (of the job): one look for all tabs, however odd the filter."""
    everything = Wanted(job=wanted.job, queue=wanted.queue, text=wanted.text, since=wanted.since)
    seen = _newest(everything, None).add_columns(runs.c.state).limit(CAP + 1).subquery()
    failed, late = (seen.c.failures > 0).label("failed"), (seen.c.due_at > now).label("late")
    grouped = select(seen.c.state, failed, late, func.count()).where(*matches(seen.c, everything, now))
    rows = connection.execute(grouped.group_by(seen.c.state, failed, late)).fetchall()
    full = connection.scalar(select(func.count()).select_from(seen)) > CAP
    numbers = {tab: sum(row[3] for row in rows if _is_in(tab, row)) for tab in Tab}
    return {tab: Count(min(number, CAP), full) for tab, number in numbers.items()}


def _is_in(tab: Tab, row) -> bool:
    if tab == Tab.ALL or row.state != State.QUEUED:
        return tab == Tab.ALL or row.state in STATES[tab]
    if row.failed:
        return tab == Tab.RETRYING
    return tab == (Tab.SCHEDULED if row.late else Tab.WAITING)


def _choices(connection: Connection) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """What the filter offers: announced jobs, and their queues."""
    statement = select(jobs.c.name, jobs.c.queue).order_by(jobs.c.name).limit(MOST_CHOICES)
    rows = connection.execute(statement).fetchall()
    return tuple(row.name for row in rows), tuple(sorted({row.queue for row in rows}))
