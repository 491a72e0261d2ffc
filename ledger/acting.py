"""The next batch of a bulk action: every run of it is acted on once, and noted, in one transaction."""

from collections.abc import Callable
from dataclasses import dataclass

from sqlalchemy import Connection, Engine, bindparam, delete, select, update

from ledger import clock, failpoints, runs
from ledger.actions import JOB, Kind, Outcome, action_of
from ledger.dispatch import Hint
from ledger.engine import announce, insert_if_new, writing
from ledger.queries.reruns import REPEATED, repeat_of_row
from ledger.states import TERMINAL, State
from ledger.tables import action_runs, artifacts, is_queued, is_running, run_tags
from ledger.tables import runs as runs_table

BATCH = 100


@dataclass(frozen=True, slots=True)
class Note:
    """What became of one run, as a row of ``action_runs`` says it."""

    run_id: str
    outcome: Outcome
    found: str | None
    was: str | None = None
    made_id: str | None = None


@dataclass(frozen=True, slots=True)
class Batch:
    """``hints`` are to be sent and the files at ``paths`` removed, now that it is committed."""

    notes: list[Note]
    hints: list[Hint]
    paths: list[str]


def act_on_next(engine: Engine, action_id: str) -> Batch:
    """Empty when nothing is left. Raises ActionNotFound, LedgerAway."""
    with writing(engine) as connection:
        failpoints.mark(connection, "act")
        action = action_of(connection, action_id)
        turns = connection.execute(_next, {"action": action_id, "most": BATCH}).fetchall()
        if not turns:
            return Batch([], [], [])
        batch = _ACT[Kind(action.kind)](connection, action, turns, _found(connection, [turn.run_id for turn in turns]))
        connection.execute(_note, [_note_row(action_id, note) for note in batch.notes])
        announce(connection)
        return batch


_next = (
    select(action_runs.c.run_id, action_runs.c.was)
    .where(action_runs.c.action_id == bindparam("action"), action_runs.c.outcome.is_(None))
    .order_by(action_runs.c.run_id)
    .limit(bindparam("most"))
    .with_for_update(skip_locked=True)
)
_note = (
    update(action_runs)
    .where(action_runs.c.action_id == bindparam("the_action"), action_runs.c.run_id == bindparam("the_run"))
    .values(
        outcome=bindparam("the_outcome"), found=bindparam("the_found"), was=bindparam("the_was"),
        made_id=bindparam("the_made"),
    )  # fmt: skip
)


def _note_row(action_id: str, note: Note) -> dict:
    return {
        "the_action": action_id, "the_run": note.run_id, "the_outcome": note.outcome.value, "the_found": note.found,
        "the_was": note.was, "the_made": note.made_id,
    }  # fmt: skip


def _found(connection: Connection, ids: list[str]) -> dict:
    """The runs as they are now, and stay until the commit."""
    statement = select(*REPEATED).where(runs_table.c.id.in_(ids))
    rows = connection.execute(statement.order_by(runs_table.c.id).with_for_update())
    return {row.id: row for row in rows}


def _split(turns: list, found: dict, fits: Callable) -> tuple[list, list[Note]]:
    """Rows on which it can be done, and notes about the others."""
    fit = [row for row in found.values() if fits(row)]
    ids = {row.id for row in fit}
    others = [turn for turn in turns if turn.run_id not in ids]
    return fit, [Note(turn.run_id, Outcome.REFUSED, _state(found, turn.run_id), turn.was) for turn in others]


def _state(found: dict, run_id: str) -> str | None:
    return found[run_id].state if run_id in found else None


def _rerun(connection: Connection, action, turns: list, found: dict) -> Batch:
    fit, notes = _split(turns, found, lambda row: row.state in TERMINAL and row.job != JOB)
    new = [repeat_of_row(row, action.by, f"action:{action.id}:{row.id}") for row in fit]
    made = runs.insert(connection, new)
    notes += [_note_of_rerun(row, each.id, made_id) for row, each, made_id in zip(fit, new, made, strict=True)]
    return Batch(notes, [Hint(run_id, each.job, each.queue) for run_id, each in zip(made, new, strict=True)], [])


def _note_of_rerun(row, new_id: str, made_id: str) -> Note:
    """Where an equal run stood in its way, that is not this action's, whose undo must leave it alone."""
    if made_id == new_id:
        return Note(row.id, Outcome.DONE, row.state, made_id=made_id)
    return Note(row.id, Outcome.UNCHANGED, row.state)


def _cancel(connection: Connection, action, turns: list, found: dict) -> Batch:
    """What was run again is canceled only as long as it waits: that is no reason to stop what is at work."""
    states = (State.QUEUED,) if action.undoes_id else (State.QUEUED, State.RUNNING)
    fit, notes = _split(turns, found, lambda row: row.state in states)
    now, ids = clock.now(), [row.id for row in fit]
    mine = update(runs_table).where(runs_table.c.id.in_(ids))
    connection.execute(mine.where(is_running).values(cancel_requested_at=now, canceled_by=action.by))
    ended = {"state": State.CANCELED, "finished_at": now, "canceled_by": action.by}
    connection.execute(mine.where(is_queued).values(**ended))
    return Batch(notes + [Note(row.id, Outcome.DONE, row.state) for row in fit], [], [])


def _discard(connection: Connection, action, turns: list, found: dict) -> Batch:
    """Logs, attempts and tags go with their run; the files of its artifacts once that is committed."""
    fit, notes = _split(turns, found, lambda row: row.state in TERMINAL)
    ids = [row.id for row in fit]
    paths = list(connection.scalars(select(artifacts.c.path).where(artifacts.c.run_id.in_(ids))))
    connection.execute(delete(runs_table).where(runs_table.c.id.in_(ids)))
    return Batch(notes + [Note(row.id, Outcome.DONE, row.state) for row in fit], [], paths)


def _move(connection: Connection, action, turns: list, found: dict) -> Batch:
    """To the action's queue; an undo moves each run to the queue that it came from."""
    back = {turn.run_id: turn.was for turn in turns if turn.was}
    fit, notes = _split(turns, found, lambda row: row.state == State.QUEUED)
    hints, now = [], clock.now()
    for row in fit:
        queue = back.get(row.id, action.target)
        notes.append(Note(row.id, Outcome.UNCHANGED if queue == row.queue else Outcome.DONE, row.state, row.queue))
        connection.execute(_to_queue, {"the_id": row.id, "the_queue": queue, "next_at": _hint_at(row, now)})
        hints += [Hint(row.id, row.job, queue)] if row.due_at <= now else []
    return Batch(notes, hints, [])


_to_queue = (
    update(runs_table)
    .where(runs_table.c.id == bindparam("the_id"), is_queued)
    .values(queue=bindparam("the_queue"), dispatch_at=bindparam("next_at"), dispatches=0)
)


def _hint_at(row, now: int) -> int:
    return row.due_at if row.due_at > now else now + runs.FIRST_HINT_GRACE


def _tag(connection: Connection, action, turns: list, found: dict) -> Batch:
    fit, notes = _split(turns, found, lambda row: True)
    for row in fit:
        values = {"run_id": row.id, "name": action.target, "added_by": action.by, "added_at": clock.now()}
        added = insert_if_new(connection, run_tags, values)
        notes.append(Note(row.id, Outcome.DONE if added else Outcome.UNCHANGED, row.state))
    return Batch(notes, [], [])


def _untag(connection: Connection, action, turns: list, found: dict) -> Batch:
    fit, notes = _split(turns, found, lambda row: True)
    for row in fit:
        statement = delete(run_tags).where(run_tags.c.run_id == row.id, run_tags.c.name == action.target)
        removed = connection.execute(statement).rowcount
        notes.append(Note(row.id, Outcome.DONE if removed else Outcome.UNCHANGED, row.state))
    return Batch(notes, [], [])


_ACT = {
    Kind.RERUN: _rerun,
    Kind.CANCEL: _cancel,
    Kind.DISCARD: _discard,
    Kind.MOVE: _move,
    Kind.TAG: _tag,
    Kind.UNTAG: _untag,
}
