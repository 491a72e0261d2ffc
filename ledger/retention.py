"""Forgetting: finished runs that are old, or more than their job keeps, with all that belonged to them.

Nothing is forgotten that ``tally`` has not counted. Runs go a batch at a time, their log lines before them in
transactions of their own, so that nobody waits long for the write lock.
"""

from collections.abc import Iterator

from sqlalchemy import Connection, Engine, Select, and_, delete, exists, func, select

from ledger import clock, failpoints, texts
from ledger.engine import writing
from ledger.tables import (
    artifacts,
    failures,
    jobs,
    logs,
    processes,
    rejected,
    runs,
    schedules,
    stragglers,
    tally_marks,
    unique_runs,
)

BATCH, LINES = 200, 2_000
DAY = 24 * 3600 * clock.SECOND

_is_counted = and_(
    runs.c.finished_at <= select(tally_marks.c.counted_to).scalar_subquery(),
    ~select(stragglers.c.run_id).where(stragglers.c.run_id == runs.c.id).exists(),
)


def expired(connection: Connection, days: int) -> list[str]:
    """Up to ``BATCH`` runs that finished more than ``days`` ago."""
    return _some(connection, _finished_before(clock.now() - days * DAY).where(_is_counted))


def _some(connection: Connection, statement: Select) -> list[str]:
    """The first of these runs that no schedule keeps."""
    kept = kept_by_schedules(connection)
    found = connection.scalars(statement.limit(BATCH + len(kept)))
    return [run_id for run_id in found if run_id not in kept][:BATCH]


def kept_by_schedules(connection: Connection) -> set[str]:
    """The newest runs of schedules that keep so many of them whatever their age."""
    told = select(schedules.c.id, schedules.c.keep_runs).where(schedules.c.keep_runs.is_not(None))
    kept: set[str] = set()
    for schedule_id, number in connection.execute(told).fetchall():
        own = select(runs.c.id).where(runs.c.schedule_id == schedule_id, runs.c.tick_at.is_not(None))
        kept.update(connection.scalars(own.order_by(runs.c.tick_at.desc()).limit(number)))
    return kept


def has_uncounted(connection: Connection, days: int) -> bool:
    """Whether there are runs that will be forgotten as soon as they are counted."""
    return connection.scalar(_finished_before(clock.now() - days * DAY).limit(1)) is not None


def _finished_before(at: int):
    return select(runs.c.id).where(runs.c.finished_at < at)


def surplus(connection: Connection, keep: int) -> list[str]:
    """Up to ``BATCH`` finished runs of a job that has more than it keeps: its own ``keep``, or else this one; 0 is
    no limit."""
    own = own_limits(connection)
    for job in job_names(connection):
        limit = own.get(job) or keep
        if limit and (found := _beyond(connection, job, limit)):
            return found
    return []


def own_limits(connection: Connection) -> dict[str, int]:
    """The jobs that say themselves how many runs are kept of them (``keep``), as they announced it last."""
    told = connection.execute(select(jobs.c.name, jobs.c.options).where(jobs.c.options.contains('"keep"')))
    return {name: keep for name, options in told if (keep := texts.from_json(options).get("keep"))}


def job_names(connection: Connection) -> Iterator[str]:
    """The jobs that have runs, skipping along the index from name to name."""
    name = ""
    while (name := connection.scalar(select(func.min(runs.c.job)).where(runs.c.job > name))) is not None:
        yield name


def _beyond(connection: Connection, job: str, limit: int) -> list[str]:
    finished = select(runs.c.id).where(runs.c.job == job, runs.c.finished_at.is_not(None))
    first = connection.scalar(finished.order_by(runs.c.id.desc()).offset(limit).limit(1))
    if first is None:
        return []
    return _some(connection, finished.where(runs.c.id <= first, _is_counted).order_by(runs.c.id))


def forget(engine: Engine, ids: list[str]) -> list[str]:
    """Deletes these runs with all their records; the paths of their artifacts, whose files are the caller's."""
    _forget_lines(engine, ids)
    with writing(engine) as connection:
        failpoints.mark(connection, "prune")
        paths = list(connection.scalars(select(artifacts.c.path).where(artifacts.c.run_id.in_(ids))))
        connection.execute(delete(unique_runs).where(unique_runs.c.run_id.in_(ids)))
        connection.execute(delete(runs).where(runs.c.id.in_(ids), runs.c.finished_at.is_not(None)))
    return paths


def _forget_lines(engine: Engine, ids: list[str]) -> None:
    some = select(logs.c.id).where(logs.c.run_id.in_(ids)).limit(LINES)
    deleted = LINES
    while deleted == LINES:
        with writing(engine) as connection:
            deleted = connection.execute(delete(logs).where(logs.c.id.in_(some.scalar_subquery()))).rowcount


def forget_rest(connection: Connection, days: int) -> None:
    """Deletes unreadable messages and ended processes that are as old."""
    failpoints.mark(connection, "prune")
    before = clock.now() - days * DAY
    connection.execute(delete(rejected).where(rejected.c.received_at < before))
    connection.execute(delete(processes).where(processes.c.ended_at < before))
    connection.execute(delete(failures).where(_is_forgotten(before)))


def _is_forgotten(before: int):
    """No kept run failed so, and nobody has muted it."""
    has_run = exists().where(runs.c.fingerprint == failures.c.fingerprint)
    return and_(failures.c.first_seen_at < before, failures.c.muted_at.is_(None), ~has_run)
