"""What a person does to many runs at once: one of these verbs on a list of ids that was frozen beforehand.

The list stands in ``action_runs``, and a run of ``waybill.bulk`` works it off. A batch and the notes about it are
one transaction (``acting``): whoever dies in between has done nothing, and who goes on finds what is left.
"""

from dataclasses import dataclass, field
from enum import StrEnum

from sqlalchemy import Connection, Engine, delete, insert, literal, select, update

from ledger import clock, failpoints, runs, texts
from ledger.engine import insert_if_new, writing
from ledger.errors import ActionNotFound, TooLateToUndo
from ledger.ids import new_id
from ledger.runs import NewRun
from ledger.tables import action_runs, actions

JOB = "waybill.bulk"
#: Before what waits: somebody watches it.
PRIORITY = -1_000
UNDO_TIME = 10 * 60 * clock.SECOND
MOST_RUNS = 10_000


class Kind(StrEnum):
    RERUN = "rerun"
    CANCEL = "cancel"
    DISCARD = "discard"
    MOVE = "move"
    TAG = "tag"
    UNTAG = "untag"


class Outcome(StrEnum):
    DONE = "done"
    UNCHANGED = "unchanged"  # it was so already
    REFUSED = "refused"  # it was not in a state in which this can be done


#: What takes it back. A canceled run has ended, and what has ended never changes: it is run again instead.
#: Discarded runs are gone.
UNDONE_BY = {
    Kind.RERUN: Kind.CANCEL,
    Kind.CANCEL: Kind.RERUN,
    Kind.MOVE: Kind.MOVE,
    Kind.TAG: Kind.UNTAG,
    Kind.UNTAG: Kind.TAG,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class NewAction:
    """``said`` is in words which runs these are; ``queue`` is where ``waybill.bulk`` finds a worker."""

    kind: Kind
    by: str
    ids: list[str]
    said: str
    queue: str
    target: str = ""
    id: str = field(default_factory=new_id)


def begin(engine: Engine, new: NewAction) -> NewRun | None:
    """Accepts the action and the run that does it, durably; None when it was accepted before."""
    with writing(engine) as connection:
        failpoints.mark(connection, "begin")
        return _begin(connection, new, [{"run_id": each} for each in dict.fromkeys(new.ids)])


def _begin(connection: Connection, new: NewAction, rows: list[dict], undoes_id: str | None = None) -> NewRun | None:
    run = NewRun(
        job=JOB, queue=new.queue, origin="form", args=(new.id,), priority=PRIORITY, created_by=new.by,
        idempotency_key=f"action:{new.id}",
    )  # fmt: skip
    row = {
        "id": new.id, "kind": new.kind.value, "by": texts.clean(new.by)[:200], "at": clock.now(),
        "target": new.target, "said": texts.clean(new.said), "number": len(rows), "run_id": run.id,
        "undoes_id": undoes_id,
    }  # fmt: skip
    if not insert_if_new(connection, actions, row):
        return None
    if rows:
        connection.execute(insert(action_runs), [{"action_id": new.id, **each} for each in rows])
    runs.insert(connection, [run])
    return run


def undo(engine: Engine, action_id: str, by: str, said: str, queue: str) -> NewRun | None:
    """Takes back what an action did and can still be taken back, as an action of its own; None when that was
    done before. Raises ActionNotFound, TooLateToUndo."""
    with writing(engine) as connection:
        failpoints.mark(connection, "begin")
        action = action_of(connection, action_id)
        kind = UNDONE_BY.get(Kind(action.kind))
        if kind is None or action.undoes_id or clock.now() > action.at + UNDO_TIME:
            raise TooLateToUndo(action_id)
        _forget_rest(connection, action_id)
        rows = [dict(row._mapping) for row in connection.execute(_to_undo(action_id, Kind(action.kind)))]
        new = NewAction(kind=kind, by=by, ids=[], said=said, queue=queue, target=action.target)
        return _begin(connection, new, rows, action_id)


def action_of(connection: Connection, action_id: str):
    """Raises ActionNotFound."""
    row = connection.execute(select(actions).where(actions.c.id == action_id)).one_or_none()
    if row is None:
        raise ActionNotFound(action_id)
    return row


def _forget_rest(connection: Connection, action_id: str) -> None:
    """What an action has not come to yet it leaves alone, when it is taken back."""
    rest = update(action_runs).where(action_runs.c.action_id == action_id, action_runs.c.outcome.is_(None))
    connection.execute(rest.values(outcome=Outcome.REFUSED, found="undone"))


def _to_undo(action_id: str, kind: Kind):
    """Runs that an action really changed, as the rows of the action that takes it back."""
    column = action_runs.c.made_id if kind == Kind.RERUN else action_runs.c.run_id
    was = action_runs.c.was if kind == Kind.MOVE else literal(None)
    mine = select(column.label("run_id"), was.label("was")).where(
        action_runs.c.action_id == action_id, action_runs.c.outcome == Outcome.DONE, column.is_not(None)
    )
    # A run that was at work ends when its worker hears of it: only what waited was surely stopped by this.
    return mine.where(action_runs.c.found == "queued") if kind == Kind.CANCEL else mine


def prune(connection: Connection, before: int) -> None:
    """Forgets actions that were confirmed before then."""
    connection.execute(delete(actions).where(actions.c.at < before))
