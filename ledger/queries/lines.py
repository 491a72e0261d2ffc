"""A run as a line of a list: what every page shows of it."""

from dataclasses import dataclass

from sqlalchemy import Connection, Engine, func, select

from ledger import clock
from ledger.engine import reading
from ledger.errors import RunNotFound
from ledger.prepared import OneOf, Prepared
from ledger.queries.reasons import Reason, reasons
from ledger.queries.status import WAITING, Status, status_of
from ledger.states import State
from ledger.tables import runs

ARGS_SHOWN = 2_000
ERROR_SHOWN = 300


@dataclass(frozen=True, slots=True)
class Progress:
    """``done`` of ``total``; a job may not know the total."""

    done: int
    total: int | None
    note: str

    @property
    def percent(self) -> int | None:
        return min(100, 100 * self.done // self.total) if self.total else None


@dataclass(frozen=True, slots=True, kw_only=True)
class RunLine:
    """``args`` is the stored JSON, cut at ``ARGS_SHOWN`` characters; ``reason`` is set while it waits."""

    id: str
    job: str
    queue: str
    status: Status
    args: str
    created_at: int
    due_at: int
    started_at: int | None
    finished_at: int | None
    attempt: int
    failures: int
    crashes: int
    max_attempts: int | None
    error_type: str | None
    error: str | None
    progress: Progress | None
    cancel_requested_at: int | None
    canceled_by: str | None
    worker_id: str | None
    reason: Reason | None = None

    @property
    def took(self) -> int | None:
        """Microseconds of the last attempt, when the run is finished and was ever started."""
        if self.finished_at is None or self.started_at is None:
            return None
        return max(0, self.finished_at - self.started_at)


LINE_COLUMNS = (
    runs.c.id, runs.c.job, runs.c.queue, runs.c.state, runs.c.priority,
    func.substr(runs.c.args, 1, ARGS_SHOWN).label("args"),
    runs.c.created_at, runs.c.due_at, runs.c.started_at, runs.c.finished_at,
    runs.c.attempt, runs.c.failures, runs.c.crashes, runs.c.max_attempts,
    runs.c.error_type, func.substr(runs.c.error, 1, ERROR_SHOWN).label("error"),
    runs.c.progress_done, runs.c.progress_total, runs.c.progress_note,
    runs.c.cancel_requested_at, runs.c.canceled_by, runs.c.worker_id,
)  # fmt: skip


_lines = Prepared(select(*LINE_COLUMNS).where(OneOf(runs.c.id, "ids")).order_by(runs.c.id.desc()))


def lines(connection: Connection, ids: list[str]) -> tuple[RunLine, ...]:
    """The runs of these ids, newest first, with the reasons of those that wait."""
    return lines_of(connection, _lines.run(connection, {"ids": list(ids)}).fetchall()) if ids else ()


def one_line(engine: Engine, run_id: str) -> RunLine:
    """Raises RunNotFound."""
    with reading(engine) as connection:
        found = lines(connection, [run_id])
    if not found:
        raise RunNotFound(run_id)
    return found[0]


def newest_with_key(engine: Engine, keys: list[str]) -> tuple[str, RunLine] | None:
    """The newest run with one of these idempotency keys, and which it is."""
    statement = select(*LINE_COLUMNS, runs.c.idempotency_key).where(runs.c.idempotency_key.in_(keys))
    with reading(engine) as connection:
        row = connection.execute(statement.order_by(runs.c.id.desc()).limit(1)).one_or_none()
        return row and (row.idempotency_key, lines_of(connection, [row])[0])


def lines_of(connection: Connection, rows: list) -> tuple[RunLine, ...]:
    now = clock.now()
    waiting = [row for row in rows if row.state == State.QUEUED]
    why = reasons(connection, waiting, now) if waiting else {}
    return tuple(line(row, now, why.get(row.id)) for row in rows)


def line(row, now: int, reason: Reason | None = None) -> RunLine:
    return RunLine(
        id=row.id, job=row.job, queue=row.queue, status=status_of(row, now), args=row.args,
        created_at=row.created_at, due_at=row.due_at, started_at=row.started_at,
        finished_at=row.finished_at, attempt=row.attempt, failures=row.failures, crashes=row.crashes,
        max_attempts=row.max_attempts, error_type=row.error_type, error=row.error,
        progress=_progress(row), cancel_requested_at=row.cancel_requested_at,
        canceled_by=row.canceled_by, worker_id=row.worker_id, reason=reason,
    )  # fmt: skip


def _progress(row) -> Progress | None:
    if row.state != State.RUNNING or row.progress_done is None:
        return None
    return Progress(row.progress_done, row.progress_total, row.progress_note or "")


def lines_at_work(connection: Connection, most: int) -> dict[str, tuple[RunLine, ...]]:
    """Running runs by the id of their worker, the longest at work first."""
    statement = select(*LINE_COLUMNS).where(runs.c.state == State.RUNNING)
    rows = connection.execute(statement.order_by(runs.c.id).limit(most)).fetchall()
    found: dict[str, tuple[RunLine, ...]] = {}
    for each in lines_of(connection, rows):
        found[each.worker_id] = (*found.get(each.worker_id, ()), each)
    return found


__all__ = [
    "LINE_COLUMNS", "WAITING", "Progress", "RunLine", "line", "lines", "lines_at_work", "lines_of", "newest_with_key",
    "one_line",
]  # fmt: skip
