"""One run: what was asked for, what happened to it, what it left, and which runs belong to it."""

from dataclasses import dataclass

from sqlalchemy import Connection, Engine, func, select

from ledger import clock
from ledger.engine import reading
from ledger.errors import RunNotFound
from ledger.queries.counting import Count, count
from ledger.queries.failures import HOUR, same_failures
from ledger.queries.family import Family, family_of
from ledger.queries.leavings import Artifact, Logs, artifacts_of, logs_of
from ledger.queries.lines import LINE_COLUMNS, RunLine, lines_of
from ledger.queries.marks import Marks, marks_of
from ledger.queries.photos import photo_of
from ledger.queries.slots import Full, full
from ledger.queries.status import Status, status_of
from ledger.queries.usual import usual
from ledger.queries.volumes import is_kept
from ledger.queries.wanted import first_id_at
from ledger.queries.workers import shown
from ledger.states import State
from ledger.tables import attempts, jobs, runs, schedules

ARGS_SHOWN = 50_000
RESULT_SHOWN = 100_000
MOST_ATTEMPTS = 50
MOST_RELATIVES = 20


@dataclass(frozen=True, slots=True)
class Attempt:
    """``worker_id`` is set when the page of the workers shows it."""

    number: int
    worker: str
    started_at: int
    finished_at: int | None
    outcome: str
    error_type: str | None
    error: str | None
    has_traceback: bool
    retry_at: int | None
    late_at: int | None
    worker_id: str | None = None


@dataclass(frozen=True, slots=True)
class Relative:
    """Another run, as a link, and who asked for it."""

    id: str
    job: str
    status: Status
    origin: str = ""
    created_by: str | None = None
    created_at: int = 0


@dataclass(frozen=True, slots=True)
class Relatives:
    runs: tuple[Relative, ...]
    number: Count


@dataclass(frozen=True, slots=True)
class Text:
    """Stored JSON, cut at a limit; ``size`` is its whole length in characters."""

    text: str
    size: int

    @property
    def is_cut(self) -> bool:
        return len(self.text) < self.size


@dataclass(frozen=True, slots=True)
class Traceback:
    attempt: int
    text: str


@dataclass(frozen=True, slots=True)
class Asked:
    """What the run that this one repeats was asked for, beside ``own``: arguments as JSON, queue, priority.
    ``parameters`` is the job's JSON Schema, as it is now."""

    args: str
    typed: bool
    queue: str
    priority: int
    own_args: str
    own_typed: bool
    parameters: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class RunPage:
    """Everything its page shows. ``attempts``: the newest first; ``traceback`` is of one of them; ``usual``: how long
    runs of its job take, while it runs; ``full``: that no slot is free, while it waits for one."""

    line: RunLine
    priority: int
    args: Text
    origin: str
    created_by: str | None
    expires_at: int | None
    message_id: str | None
    result: Text | None
    attempts: tuple[Attempt, ...]
    traceback: Traceback | None
    logs: Logs
    artifacts: tuple[Artifact, ...]
    schedule: str | None
    schedule_id: str | None
    tick_at: int | None
    parent: Relative | None
    caller: Relative | None
    reruns: Relatives
    children: Relatives
    family: Family | None
    fingerprint: str | None
    same_failures: Count
    original: Asked | None
    marks: Marks
    has_volume: bool
    photo_id: str | None
    usual: int | None
    full: Full | None
    job_known: bool


def run_page(engine: Engine, run_id: str, attempt: int | None = None) -> RunPage:
    """``attempt`` chooses whose traceback; the newest one that has any otherwise. Raises RunNotFound."""
    with reading(engine) as connection:
        row = _row(connection, run_id)
        line = lines_of(connection, [row])[0]
        return RunPage(
            line=line,
            priority=row.priority,
            args=Text(row.whole_args, row.args_size),
            origin=row.origin,
            created_by=row.created_by,
            expires_at=row.expires_at,
            message_id=row.message_id,
            result=None if row.result is None else Text(row.result, row.result_size),
            attempts=_attempts(connection, run_id),
            traceback=_traceback(connection, run_id, attempt),
            logs=logs_of(connection, run_id),
            artifacts=artifacts_of(connection, run_id),
            schedule=_schedule_name(connection, row.schedule_id),
            schedule_id=row.schedule_id,
            tick_at=row.tick_at,
            parent=_relative(connection, row.parent_id),
            caller=_relative(connection, row.caller_id),
            reruns=_relatives(connection, runs.c.parent_id == run_id),
            children=_relatives(connection, runs.c.caller_id == run_id),
            family=family_of(connection, run_id),
            fingerprint=row.fingerprint,
            same_failures=_same_failures(connection, row),
            original=_original(connection, row),
            marks=marks_of(connection, run_id, row.job),
            has_volume=is_kept(connection, run_id),
            photo_id=photo_of(connection, run_id),
            usual=usual(connection, row.job) if row.state == State.RUNNING else None,
            full=full(connection, line),
            job_known=connection.scalar(select(jobs.c.name).where(jobs.c.name == row.job)) is not None,
        )


def _original(connection: Connection, row) -> Asked | None:
    """None for a run that repeats none, or one that was pruned, or whose arguments are too long to be compared."""
    if row.parent_id is None or row.args_size > ARGS_SHOWN:
        return None
    columns = (func.substr(runs.c.args, 1, ARGS_SHOWN + 1).label("args"), runs.c.typed, runs.c.queue, runs.c.priority)
    parent = connection.execute(select(*columns).where(runs.c.id == row.parent_id)).one_or_none()
    if parent is None or len(parent.args) > ARGS_SHOWN:
        return None
    parameters = connection.scalar(select(jobs.c.parameters).where(jobs.c.name == row.job))
    return Asked(*parent, row.whole_args, row.typed, parameters)


def _row(connection: Connection, run_id: str):
    statement = select(
        *LINE_COLUMNS, runs.c.origin, runs.c.created_by, runs.c.expires_at, runs.c.message_id,
        runs.c.fingerprint, runs.c.typed, runs.c.schedule_id, runs.c.tick_at, runs.c.parent_id, runs.c.caller_id,
        func.substr(runs.c.args, 1, ARGS_SHOWN).label("whole_args"),
        func.length(runs.c.args).label("args_size"),
        func.substr(runs.c.result, 1, RESULT_SHOWN).label("result"),
        func.length(runs.c.result).label("result_size"),
    )  # fmt: skip
    row = connection.execute(statement.where(runs.c.id == run_id)).one_or_none()
    if row is None:
        raise RunNotFound(run_id)
    return row


def _attempts(connection: Connection, run_id: str) -> tuple[Attempt, ...]:
    statement = select(
        attempts.c.number, attempts.c.worker, attempts.c.started_at, attempts.c.finished_at,
        attempts.c.outcome, attempts.c.error_type, attempts.c.error, attempts.c.traceback.is_not(None),
        attempts.c.retry_at, attempts.c.late_at, attempts.c.worker_id,
    )  # fmt: skip
    newest = statement.where(attempts.c.run_id == run_id).order_by(attempts.c.number.desc()).limit(MOST_ATTEMPTS)
    rows = connection.execute(newest).fetchall()
    seen = shown(connection, {row.worker_id for row in rows})
    return tuple(Attempt(*rest, worker_id if worker_id in seen else None) for *rest, worker_id in rows)


def _traceback(connection: Connection, run_id: str, attempt: int | None) -> Traceback | None:
    statement = select(attempts.c.number, attempts.c.traceback).where(
        attempts.c.run_id == run_id, attempts.c.traceback.is_not(None)
    )
    if attempt is not None:
        statement = statement.where(attempts.c.number == attempt)
    row = connection.execute(statement.order_by(attempts.c.number.desc()).limit(1)).one_or_none()
    return Traceback(*row) if row else None


def _schedule_name(connection: Connection, schedule_id: str | None) -> str | None:
    return schedule_id and connection.scalar(select(schedules.c.name).where(schedules.c.id == schedule_id))


RELATIVE = (
    runs.c.id, runs.c.job, runs.c.state, runs.c.failures, runs.c.due_at, runs.c.cancel_requested_at, runs.c.origin,
    runs.c.created_by, runs.c.created_at,
)  # fmt: skip


def _as_relative(row) -> Relative:
    return Relative(row.id, row.job, status_of(row, clock.now()), row.origin, row.created_by, row.created_at)


def _relative(connection: Connection, run_id: str | None) -> Relative | None:
    if run_id is None:
        return None
    row = connection.execute(select(*RELATIVE).where(runs.c.id == run_id)).one_or_none()
    return row and _as_relative(row)


def _relatives(connection: Connection, which) -> Relatives:
    rows = connection.execute(select(*RELATIVE).where(which).order_by(runs.c.id.desc()).limit(MOST_RELATIVES))
    found = tuple(_as_relative(row) for row in rows)
    return Relatives(found, count(connection, select(runs.c.id).where(which)))


def _same_failures(connection: Connection, row) -> Count:
    """Other runs that failed like this one in the last hour."""
    if row.state not in (State.FAILED, State.DEAD):
        return Count()
    found = same_failures(connection, row, clock.now())
    mine = row.id >= first_id_at(clock.now() - HOUR) if row.fingerprint else row.finished_at >= clock.now() - HOUR
    return Count(max(0, found.number - mine), found.capped)


def result_of(engine: Engine, run_id: str) -> str | None:
    """The whole result as JSON, None when the body returned nothing. Raises RunNotFound."""
    with reading(engine) as connection:
        row = connection.execute(select(runs.c.result).where(runs.c.id == run_id)).one_or_none()
    if row is None:
        raise RunNotFound(run_id)
    return row.result
