"""How an attempt ends: what its worker tells the ledger, and what becomes of the run.

Written only while the attempt's token holds the run. Whoever lost it writes nothing but that it was late.
"""

from dataclasses import dataclass, field, replace
from typing import Any

from sqlalchemy import Connection, bindparam, func, select, update

from ledger import barriers, clock, failpoints, failures, texts
from ledger import runs as runs_
from ledger.claims import Claim
from ledger.engine import announce
from ledger.prepared import OneOf, Prepared
from ledger.runs import NewRun
from ledger.states import Outcome, State
from ledger.tables import attempts, is_running, runs


@dataclass(frozen=True, slots=True, kw_only=True)
class Ending:
    """How an attempt ended, as its worker tells the ledger. ``next_runs`` join the same transaction.

    ``fingerprint`` and ``place`` say how a run failed for good (``failures``).
    """

    claim: Claim
    state: State
    outcome: Outcome
    result: str | None = None
    error_type: str | None = None
    error: str | None = None
    traceback: str | None = None
    retry_at: int | None = None
    max_attempts: int | None = None
    fingerprint: str | None = None
    place: str = ""
    next_runs: list[NewRun] = field(default_factory=list)
    barrier: str | None = None
    barrier_slot: str | None = None
    barrier_runs: list[NewRun] = field(default_factory=list)
    at: int = field(default_factory=clock.now)


_held = Prepared(
    select(runs.c.id, runs.c.claim_token, runs.c.cancel_requested_at)
    .where(OneOf(runs.c.id, "ids"), is_running)
    .order_by(runs.c.id)  # one order for all, or PostgreSQL's row locks deadlock
    .with_for_update()
)
_end_run = (
    update(runs)
    .where(
        runs.c.id == bindparam("the_id"),
        runs.c.claim_token == bindparam("token"),
        runs.c.state == State.RUNNING,
    )
    .values(
        state=bindparam("new_state"),
        claim_token=None,
        finished_at=bindparam("finished"),
        result=bindparam("the_result"),
        error_type=bindparam("the_error_type"),
        error=bindparam("the_error"),
        failures=runs.c.failures + bindparam("failed"),
        crashes=runs.c.crashes + bindparam("crashed"),
        max_attempts=func.coalesce(bindparam("most_attempts", type_=runs.c.max_attempts.type), runs.c.max_attempts),
    )
)
_finish_run = Prepared(_end_run)
_fail_run = Prepared(_end_run.values(fingerprint=bindparam("the_fingerprint")))
#: Apart from the others, for naming a column costs SQLite the indexes that have it, changed or not.
_queue_again = Prepared(_end_run.values(due_at=bindparam("retry"), dispatch_at=bindparam("retry"), dispatches=0))
_finish_attempt = Prepared(
    update(attempts)
    .where(attempts.c.run_id == bindparam("the_id"), attempts.c.number == bindparam("the_number"))
    .values(
        finished_at=bindparam("at"),
        outcome=bindparam("the_outcome"),
        error_type=bindparam("the_error_type"),
        error=bindparam("the_error"),
        traceback=bindparam("the_traceback"),
        retry_at=bindparam("retry"),
    )
)
_ended = select(attempts.c.finished_at, attempts.c.outcome).where(
    attempts.c.run_id == bindparam("the_id"), attempts.c.claim_token == bindparam("token")
)
_note_late = (
    update(attempts)
    .where(attempts.c.run_id == bindparam("the_id"), attempts.c.claim_token == bindparam("token"))
    .values(late_at=bindparam("at"))
)


def finish(connection: Connection, endings: list[Ending]) -> list[bool]:
    """Writes the endings whose token still holds the run; False for the others, whose attempt is marked late.

    A run that a person asked to stop is not tried again: its retry becomes ``canceled``. An ending that is in
    already, because the answer to its commit was lost, is True again and changes nothing.
    """
    failpoints.mark(connection, "finish")
    held = _holders(connection, endings)
    kept = [_if_held(held, ending) for ending in endings]
    if any(kept):
        _write(connection, [ending for ending in kept if ending])
    return [bool(own) or _is_written(connection, ending) for own, ending in zip(kept, endings, strict=True)]


def _holders(connection: Connection, endings: list[Ending]) -> dict[tuple[str, str], int | None]:
    rows = _held.run(connection, {"ids": [ending.claim.id for ending in endings]})
    return {(run_id, token): cancel_requested_at for run_id, token, cancel_requested_at in rows}


def _if_held(held: dict[tuple[str, str], int | None], ending: Ending) -> Ending | None:
    """The ending as it is to be written; a second one of the same attempt finds that the first let go."""
    holder = (ending.claim.id, ending.claim.token)
    return _unless_canceled(ending, held.pop(holder)) if holder in held else None


def _is_written(connection: Connection, ending: Ending) -> bool:
    """Whether the attempt ended with this very ending; if not, it is marked late."""
    found = connection.execute(_ended, {"the_id": ending.claim.id, "token": ending.claim.token}).first()
    if found == (ending.at, ending.outcome):
        return True
    connection.execute(_note_late, _late_row(ending))
    return False


def _unless_canceled(ending: Ending, cancel_requested_at: int | None) -> Ending:
    if ending.state == State.QUEUED and cancel_requested_at is not None:
        return replace(ending, state=State.CANCELED, retry_at=None)
    return ending


def _write(connection: Connection, endings: list[Ending]) -> None:
    endings = sorted(endings, key=lambda ending: ending.claim.id)
    for statement in (_finish_run, _fail_run, _queue_again):
        if rows := [_run_row(ending) for ending in endings if _statement_of(ending) is statement]:
            statement.run_many(connection, rows)
    failures.note_new(connection, [_failure_row(ending) for ending in endings if _statement_of(ending) is _fail_run])
    _finish_attempt.run_many(connection, [_attempt_row(ending) for ending in endings])
    following = [new for ending in endings for new in ending.next_runs + _passed_barrier(connection, ending)]
    runs_.insert(connection, following)
    if not following and any(ending.state == State.QUEUED or ending.claim.lane for ending in endings):
        announce(connection)


def _statement_of(ending: Ending) -> Prepared:
    if ending.state == State.QUEUED:
        return _queue_again
    return _fail_run if ending.fingerprint else _finish_run


def _failure_row(ending: Ending) -> dict[str, Any]:
    claim = ending.claim
    return failures.row_of(
        ending.fingerprint, claim.job, ending.error_type, ending.place, ending.error, claim.id, ending.at
    )


def _passed_barrier(connection: Connection, ending: Ending) -> list[NewRun]:
    if not ending.barrier or ending.state != State.SUCCEEDED:
        return []
    return ending.barrier_runs if barriers.pass_one(connection, ending.barrier, ending.barrier_slot) else []


def _run_row(ending: Ending) -> dict[str, Any]:
    return {
        "the_id": ending.claim.id,
        "token": ending.claim.token,
        "new_state": ending.state.value,
        "finished": None if ending.state == State.QUEUED else ending.at,
        "the_result": ending.result,
        "the_error_type": ending.error_type and texts.clean(ending.error_type)[:200],
        "the_error": ending.error and texts.clean(ending.error),
        "retry": ending.retry_at,
        "failed": int(ending.outcome == Outcome.FAILED),
        "crashed": int(ending.outcome == Outcome.LOST),
        "most_attempts": ending.max_attempts,
        "the_fingerprint": ending.fingerprint,
    }


def _attempt_row(ending: Ending) -> dict[str, Any]:
    return {
        "the_id": ending.claim.id,
        "the_number": ending.claim.attempt,
        "at": ending.at,
        "the_outcome": ending.outcome.value,
        "the_error_type": ending.error_type and texts.clean(ending.error_type)[:200],
        "the_error": ending.error and texts.clean(ending.error),
        "the_traceback": ending.traceback and texts.clean(ending.traceback, texts.TRACEBACK_LIMIT),
        "retry": ending.retry_at,
    }


def _late_row(ending: Ending) -> dict[str, Any]:
    return {"the_id": ending.claim.id, "token": ending.claim.token, "at": ending.at}
