"""The list of runs: by tab, job, queue, age and text, one page at a time, newest first."""

from dataclasses import dataclass

from sqlalchemy import Connection, Engine, func, select, union_all

from ledger import clock
from ledger.engine import reading
from ledger.queries.counting import Count, count
from ledger.queries.lines import RunLine, lines
from ledger.queries.tabs import counts_of
from ledger.queries.wanted import STATES, Tab, Wanted, by_index, by_looking, needed
from ledger.tables import jobs, runs

PAGE = 50
#: A filter that no index answers looks at so many runs per page; the page says how far it looked.
WINDOW = 10_000
MOST_NEWER = 999
MOST_CHOICES = 1_000


@dataclass(frozen=True, slots=True)
class Place:
    """One page of ids. ``older`` is what to ask ``before`` for the next one; ``looked_at`` is set when the
    search stopped at its window rather than at the oldest run."""

    ids: list[str]
    older: str | None = None
    looked_at: int | None = None


@dataclass(frozen=True, slots=True)
class RunsPage:
    """``older`` and ``looked_at`` as in ``Place``; ``newer`` came in after ``wanted.up_to``."""

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
        place = _place(connection, wanted, now)
        known_jobs, known_queues = _choices(connection)
        return RunsPage(
            wanted=wanted,
            lines=lines(connection, place.ids),
            counts=counts_of(connection, wanted, now),
            newer=_newer(connection, wanted, now),
            older=place.older,
            looked_at=place.looked_at,
            jobs=known_jobs,
            queues=known_queues,
            has_any=connection.scalar(select(runs.c.id).limit(1)) is not None,
        )


def _place(connection: Connection, wanted: Wanted, now: int) -> Place:
    looks = bool(by_looking(runs.c, wanted, now))
    candidates = _newest(wanted, WINDOW if looks else PAGE + 1, needed(wanted)).subquery()
    matching = select(candidates.c.id).where(*by_looking(candidates.c, wanted, now))
    ids = list(connection.scalars(matching.order_by(candidates.c.id.desc()).limit(PAGE + 1)))
    if len(ids) > PAGE:
        return Place(ids[:PAGE], ids[PAGE - 1])
    return _at_window(connection, wanted, ids) if looks else Place(ids)


def _at_window(connection: Connection, wanted: Wanted, ids: list[str]) -> Place:
    """The end of a search: at the oldest run, or at the window's edge."""
    seen = _newest(wanted, WINDOW, [runs.c.id]).subquery()
    number, oldest = connection.execute(select(func.count(), func.min(seen.c.id)).select_from(seen)).one()
    return Place(ids, oldest, number) if number == WINDOW else Place(ids)


def _newest(wanted: Wanted, most: int, columns: list, *more):
    """The newest runs that an index finds; the rest of the filter chooses among them."""
    states = STATES[wanted.tab] or (None,)
    parts = [select(*columns).where(*by_index(wanted, state), *more) for state in states]
    limited = [part.order_by(runs.c.id.desc()).limit(most).subquery() for part in parts]
    merged = union_all(*[select(part) for part in limited]).subquery()
    return select(merged).order_by(merged.c.id.desc()).limit(most)


def _newer(connection: Connection, wanted: Wanted, now: int) -> Count:
    """How many runs of this list came in after ``up_to``."""
    if not wanted.up_to:
        return Count()
    newest = Wanted(tab=wanted.tab, job=wanted.job, queue=wanted.queue, text=wanted.text)
    candidates = _newest(newest, WINDOW, needed(newest), runs.c.id > wanted.up_to).subquery()
    matching = select(candidates.c.id).where(*by_looking(candidates.c, newest, now))
    return count(connection, matching, MOST_NEWER)


def _choices(connection: Connection) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """What the filter offers: announced jobs, and their queues."""
    statement = select(jobs.c.name, jobs.c.queue).order_by(jobs.c.name).limit(MOST_CHOICES)
    rows = connection.execute(statement).fetchall()
    return tuple(row.name for row in rows), tuple(sorted({row.queue for row in rows}))
