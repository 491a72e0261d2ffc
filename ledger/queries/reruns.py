"""What has to be copied to run something again."""

from dataclasses import dataclass

from sqlalchemy import Connection, Engine, func, select

from ledger import texts
from ledger.engine import reading
from ledger.errors import RunNotFound
from ledger.members import TIES
from ledger.prepared import OneOf, Prepared
from ledger.queries.family import family_of
from ledger.queries.status import Status, status_of
from ledger.runs import NewRun
from ledger.states import State
from ledger.tables import runs

REPEATED = (
    runs.c.id, runs.c.state, runs.c.job, runs.c.queue, runs.c.priority, runs.c.args, runs.c.typed, runs.c.options,
    runs.c.due_at,
)  # fmt: skip


def repeat_of(engine: Engine, run_id: str, created_by: str, idempotency_key: str | None) -> NewRun:
    """The same job, arguments and options, linked to ``run_id``; not yet dispatched. Raises RunNotFound."""
    with reading(engine) as connection:
        return repeat_of_row(_row(connection, run_id), created_by, idempotency_key)


def failed_part(engine: Engine, run_id: str, among: list[str], created_by: str, key: str | None) -> list[NewRun]:
    """Repetitions of those of ``among`` that ended badly in the family of ``run_id`` and were not repeated since.

    They take the same places, so that pipelines and groups go on from there.
    """
    with reading(engine) as connection:
        family = family_of(connection, run_id)
        wanted = [each for each in among if family and each in family.failed]
        rows = [_row(connection, each) for each in wanted]
    return [repeat_of_row(row, created_by, key and f"rerun:{row.id}:{key}") for row in rows]


def ties(engine: Engine, run_id: str) -> dict:
    """The options that let another run take the place of this one in its pipeline or group. Raises RunNotFound."""
    with reading(engine) as connection:
        options = repeated_options(_row(connection, run_id))
    return {name: value for name, value in options.items() if name in TIES}


def _row(connection: Connection, run_id: str):
    row = connection.execute(select(*REPEATED).where(runs.c.id == run_id)).one_or_none()
    if row is None:
        raise RunNotFound(run_id)
    return row


def repeat_of_row(row, created_by: str, idempotency_key: str | None) -> NewRun:
    """``repeat_of`` for a row of ``REPEATED``."""
    arguments = texts.from_json(row.args)
    return NewRun(
        job=row.job, queue=row.queue, origin="rerun", args=tuple(arguments.get("args", ())),
        kwargs=arguments.get("kwargs", {}), typed=row.typed, options=repeated_options(row),
        priority=row.priority, created_by=created_by, parent_id=row.id, idempotency_key=idempotency_key,
    )  # fmt: skip


def repeated_options(row) -> dict:
    """A pipeline and a group have gone on from a run that succeeded; its repetition must not be counted once more."""
    options = texts.from_json(row.options)
    if row.state != State.SUCCEEDED:
        return options
    return {name: value for name, value in options.items() if name not in TIES}


@dataclass(frozen=True, slots=True)
class Rerun:
    """A run that repeats another, and what became of it."""

    id: str
    status: Status


_newest = (
    select(runs.c.parent_id, func.max(runs.c.id).label("id"))
    .where(OneOf(runs.c.parent_id, "ids"), runs.c.parent_id.is_not(None))
    .group_by(runs.c.parent_id)
    .subquery()
)
_again = Prepared(
    select(
        _newest.c.parent_id, runs.c.id, runs.c.state, runs.c.failures, runs.c.due_at, runs.c.cancel_requested_at
    ).join_from(_newest, runs, runs.c.id == _newest.c.id)
)
_number_again = Prepared(select(func.count()).select_from(_newest))


def newest_reruns(connection: Connection, ids: list[str], now: int) -> dict[str, Rerun]:
    """The newest run that repeats each of these that was run again."""
    rows = _again.run(connection, {"ids": list(ids)}) if ids else ()
    return {row.parent_id: Rerun(row.id, status_of(row, now)) for row in rows}


def number_rerun(engine: Engine, ids: list[str]) -> int:
    """How many of these were run again."""
    with reading(engine) as connection:
        return _number_again.run(connection, {"ids": list(ids)}).scalar_one()
