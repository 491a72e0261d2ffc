"""The catalogue: what can be started, who serves it, and what is known of each job's past."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Engine, select

from ledger import clock, texts
from ledger.engine import reading
from ledger.errors import JobNotFound, RunNotFound
from ledger.queries.lines import LINE_COLUMNS, RunLine, lines_of
from ledger.queries.status import Status, status_of
from ledger.queries.usual import usual
from ledger.queries.workers import Process, alive_processes
from ledger.states import State
from ledger.tables import jobs, runs

MOST_JOBS = 500
MOST_RECENT = 8


@dataclass(frozen=True, slots=True)
class LastRun:
    id: str
    status: Status
    at: int


@dataclass(frozen=True, slots=True)
class JobLine:
    """``workers`` are those that know the job and serve its queue."""

    name: str
    doc: str
    queue: str
    workers: int
    last: LastRun | None


@dataclass(frozen=True, slots=True)
class JobsPage:
    lines: tuple[JobLine, ...]
    capped: bool


def jobs_page(engine: Engine) -> JobsPage:
    with reading(engine) as connection:
        rows = connection.execute(_catalogue).fetchall()
        last = _last_runs(connection, [row.last_id for row in rows if row.last_id])
        serving = [each for each in alive_processes(connection) if each.takes_runs]
    lines = tuple(
        JobLine(row.name, row.doc, row.queue, serving_count(serving, row.name, row.queue), last.get(row.last_id))
        for row in rows[:MOST_JOBS]
    )
    return JobsPage(lines, len(rows) > MOST_JOBS)


_last_id = select(runs.c.id).where(runs.c.job == jobs.c.name).order_by(runs.c.id.desc()).limit(1).scalar_subquery()
_catalogue = (
    select(jobs.c.name, jobs.c.doc, jobs.c.queue, _last_id.label("last_id")).order_by(jobs.c.name).limit(MOST_JOBS + 1)
)


def _last_runs(connection: Connection, ids: list[str]) -> dict[str, LastRun]:
    columns = (
        runs.c.id,
        runs.c.state,
        runs.c.failures,
        runs.c.due_at,
        runs.c.cancel_requested_at,
        runs.c.created_at,
    )
    now = clock.now()
    rows = connection.execute(select(*columns).where(runs.c.id.in_(ids))) if ids else ()
    return {row.id: LastRun(row.id, status_of(row, now), row.created_at) for row in rows}


def serving_count(processes: list[Process], job: str, queue: str) -> int:
    return sum(job in each.jobs and queue in each.queues for each in processes)


@dataclass(frozen=True, slots=True, kw_only=True)
class JobPage:
    """``parameters`` is JSON Schema. ``usual`` is the middle duration of its newest successful runs."""

    name: str
    queue: str
    priority: int
    parameters: dict[str, Any]
    doc: str
    source: str
    options: dict[str, Any]
    version: str
    workers: int
    queues: tuple[str, ...]
    usual: int | None
    recent: tuple["Recent", ...]


@dataclass(frozen=True, slots=True)
class Recent:
    """``typed``: its arguments came from a form, so all of them have names."""

    line: RunLine
    typed: bool


def job_page(engine: Engine, name: str) -> JobPage:
    """Raises JobNotFound."""
    if not name.isprintable():  # PostgreSQL takes no NUL, not even for a question
        raise JobNotFound(name)
    with reading(engine) as connection:
        row = connection.execute(select(jobs).where(jobs.c.name == name)).one_or_none()
        if row is None:
            raise JobNotFound(name)
        serving = [each for each in alive_processes(connection) if each.takes_runs]
        return JobPage(
            name=row.name,
            queue=row.queue,
            priority=row.priority,
            parameters=texts.from_json(row.parameters),
            doc=row.doc,
            source=row.source,
            options=texts.from_json(row.options),
            version=row.version,
            workers=serving_count(serving, row.name, row.queue),
            queues=_queues(connection, serving),
            usual=usual(connection, name),
            recent=_recent(connection, name),
        )


def _queues(connection: Connection, serving: list[Process]) -> tuple[str, ...]:
    """Those that jobs are announced for, and those that somebody serves."""
    announced = connection.scalars(select(jobs.c.queue).distinct().limit(MOST_JOBS))
    return tuple(sorted({*announced, *(queue for each in serving for queue in each.queues)}))


def _recent(connection: Connection, name: str) -> tuple[Recent, ...]:
    statement = select(*LINE_COLUMNS, runs.c.typed).where(runs.c.job == name)
    rows = connection.execute(statement.order_by(runs.c.id.desc()).limit(MOST_RECENT)).fetchall()
    return tuple(Recent(line, row.typed) for line, row in zip(lines_of(connection, rows), rows, strict=True))


@dataclass(frozen=True, slots=True)
class RunArguments:
    """``typed`` as in ``Recent``."""

    id: str
    job: str
    queue: str
    priority: int
    args: list[Any]
    kwargs: dict[str, Any]
    typed: bool
    state: State


def run_arguments(engine: Engine, run_id: str) -> RunArguments:
    """What a run was asked for, to fill a form with. Raises RunNotFound."""
    columns = (runs.c.id, runs.c.job, runs.c.queue, runs.c.priority, runs.c.args, runs.c.typed, runs.c.state)
    with reading(engine) as connection:
        row = connection.execute(select(*columns).where(runs.c.id == run_id)).one_or_none()
    if row is None:
        raise RunNotFound(run_id)
    given = texts.from_json(row.args)
    return RunArguments(
        row.id, row.job, row.queue, row.priority, given["args"], given["kwargs"], row.typed, State(row.state)
    )
