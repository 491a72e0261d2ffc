"""The list of runs: by tab, filter and search, one page at a time, newest first."""

from dataclasses import dataclass, replace

from sqlalchemy import Connection, Engine, func, select

from ledger import clock
from ledger.engine import reading
from ledger.prepared import Prepared
from ledger.queries.counting import Count, count
from ledger.queries.lines import RunLine, lines
from ledger.queries.looking import look
from ledger.queries.marks import tags_of
from ledger.queries.places import Place, nearest, place_of
from ledger.queries.reruns import Rerun, newest_reruns
from ledger.queries.tabs import counts_of
from ledger.queries.usual import usual_at_work
from ledger.queries.wanted import WINDOW, Tab, Wanted, by_looking, needed, resolved
from ledger.tables import jobs, processes, runs

PAGE = 25
MOST_NEWER = 999
MOST_CHOICES = 1_000
MOST_VERSIONS = 20


@dataclass(frozen=True, slots=True)
class RunsPage:
    """``place`` is the page's place in the list; ``newer`` runs came in after ``wanted.up_to``;
    ``again`` is the newest run that repeats one of these; ``usual`` is how long runs of the jobs at work take."""

    wanted: Wanted
    place: Place
    lines: tuple[RunLine, ...]
    usual: dict[str, int | None]
    tags: dict[str, tuple[str, ...]]
    again: dict[str, Rerun]
    counts: dict[Tab, Count]
    newer: Count
    jobs: tuple[str, ...]
    queues: tuple[str, ...]
    versions: tuple[str, ...]
    has_any: bool

    @property
    def older(self) -> str | None:
        return self.place.older

    @property
    def looked_at(self) -> int | None:
        return self.place.looked_at


def runs_page(engine: Engine, wanted: Wanted) -> RunsPage:
    with reading(engine) as connection:
        now, wanted = clock.now(), resolved(connection, wanted)
        place, counts = (look if wanted.narrowed else _indexed)(connection, wanted, now, PAGE)
        if wanted.after and place.newer is None and len(place.ids) < PAGE:
            wanted = wanted.anywhere()  # the newest page, whole
            place = place_of(connection, wanted, now, PAGE)
        known_jobs, known_queues = _choices(connection)
        found = lines(connection, place.ids)
        return RunsPage(
            wanted=wanted,
            place=place,
            lines=found,
            usual=usual_at_work(connection, found, now),
            tags=tags_of(connection, place.ids),
            again=newest_reruns(connection, place.ids, now),
            counts=counts,
            newer=_newer(connection, wanted, now),
            jobs=known_jobs,
            queues=known_queues,
            versions=_versions(connection),
            has_any=bool(place.ids) or _any.run(connection, {}).first() is not None,
        )


def _indexed(connection: Connection, wanted: Wanted, now: int, size: int) -> tuple[Place, dict[Tab, Count]]:
    return place_of(connection, wanted, now, size), counts_of(connection, wanted, now)


def _newer(connection: Connection, wanted: Wanted, now: int) -> Count:
    """How many runs of this list came in after ``up_to``, on its first page."""
    if not wanted.up_to or not wanted.is_first:
        return Count()
    newest = replace(wanted.anywhere(), since=None, after=wanted.up_to)
    candidates = nearest(newest, WINDOW, needed(newest)).subquery()
    matching = select(candidates.c.id).where(*by_looking(candidates.c, newest, now))
    return count(connection, matching, MOST_NEWER)


_announced = Prepared(select(jobs.c.name, jobs.c.queue).order_by(jobs.c.name).limit(MOST_CHOICES))
_of_workers = (
    select(processes.c.version)
    .where(processes.c.kind == "worker", processes.c.version != "")
    .group_by(processes.c.version)
    .order_by(func.max(processes.c.started_at).desc())
    .limit(MOST_VERSIONS)
)
_known_versions, _any = Prepared(_of_workers), Prepared(select(runs.c.id).limit(1))


def _choices(connection: Connection) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """What the filter offers: announced jobs, and their queues."""
    rows = _announced.run(connection, {}).fetchall()
    return tuple(row.name for row in rows), tuple(sorted({row.queue for row in rows}))


def _versions(connection: Connection) -> tuple[str, ...]:
    """Of the job code, the newest first."""
    return tuple(_known_versions.run(connection, {}).scalars())
