"""What has to be copied to run something again."""

from sqlalchemy import Engine, select

from ledger import texts
from ledger.engine import reading
from ledger.errors import RunNotFound
from ledger.runs import NewRun
from ledger.states import State
from ledger.tables import runs

REPEATED = (
    runs.c.state, runs.c.job, runs.c.queue, runs.c.priority, runs.c.args, runs.c.typed, runs.c.options, runs.c.due_at,
)  # fmt: skip


def repeat_of(engine: Engine, run_id: str, created_by: str, idempotency_key: str | None) -> NewRun:
    """The same job, arguments and options, linked to ``run_id``; not yet dispatched. Raises RunNotFound."""
    with reading(engine) as connection:
        row = connection.execute(select(runs.c.id, *REPEATED).where(runs.c.id == run_id)).one_or_none()
    if row is None:
        raise RunNotFound(run_id)
    return repeat_of_row(row, created_by, idempotency_key)


def repeat_of_row(row, created_by: str, idempotency_key: str | None) -> NewRun:
    """``repeat_of`` for a row of ``id`` and ``REPEATED``."""
    arguments = texts.from_json(row.args)
    return NewRun(
        job=row.job, queue=row.queue, origin="rerun", args=tuple(arguments.get("args", ())),
        kwargs=arguments.get("kwargs", {}), typed=row.typed, options=repeated_options(row),
        priority=row.priority, created_by=created_by, parent_id=row.id, idempotency_key=idempotency_key,
    )  # fmt: skip


def repeated_options(row) -> dict:
    """A group has counted a member that succeeded; its repetition must not count once more."""
    options = texts.from_json(row.options)
    if row.state != State.SUCCEEDED:
        return options
    return {name: value for name, value in options.items() if not name.startswith("group_completion_")}
