"""What a worker does to a run: claim it, report on it, finish it.

A claim is the only way into ``running``, and no body starts before it is committed. It hands out a random
token; every later write of that attempt names the token, so whoever lost the run writes nothing.
"""

import secrets
from dataclasses import dataclass, field, replace
from typing import Any

from sqlalchemy import (
    Connection,
    and_,
    bindparam,
    case,
    delete,
    exists,
    func,
    insert,
    literal,
    or_,
    select,
    update,
)  # fmt: skip

from ledger import barriers, clock, failpoints, texts
from ledger import runs as runs_
from ledger.engine import announce
from ledger.prepared import OneOf, Prepared
from ledger.runs import NewRun
from ledger.states import Outcome, State
from ledger.tables import attempts, is_queued, is_running, processes, runs


@dataclass(frozen=True, slots=True)
class Claim:
    """A run that belongs to this process until it writes an ending, or is declared dead."""

    id: str
    token: str
    attempt: int
    job: str
    queue: str
    args: str
    typed: bool
    options: str
    message_id: str | None
    priority: int
    failures: int
    crashes: int
    created_at: int
    due_at: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Ending:
    """How an attempt ended, as its worker tells the ledger. ``next_runs`` join the same transaction."""

    claim: Claim
    state: State
    outcome: Outcome
    result: str | None = None
    error_type: str | None = None
    error: str | None = None
    traceback: str | None = None
    retry_at: int | None = None
    max_attempts: int | None = None
    next_runs: list[NewRun] = field(default_factory=list)
    barrier: str | None = None
    barrier_runs: list[NewRun] = field(default_factory=list)
    at: int = field(default_factory=clock.now)


@dataclass(frozen=True, slots=True)
class Wanted:
    """A request for up to ``most`` runs of ``queue``. The token is chosen before, so that claims can be undone
    even when the answer of their commit was lost."""

    queue: str
    most: int
    token: str = field(default_factory=lambda: secrets.token_hex(8))


CLAIM_COLUMNS = (
    runs.c.id, runs.c.claim_token, runs.c.attempt, runs.c.job, runs.c.queue, runs.c.args, runs.c.typed, runs.c.options,
    runs.c.message_id, runs.c.priority, runs.c.failures, runs.c.crashes, runs.c.created_at, runs.c.due_at,
)  # fmt: skip

_queued_here = and_(is_queued, runs.c.queue == bindparam("the_queue"))
_still_offered = or_(runs.c.expires_at.is_(None), runs.c.expires_at > bindparam("now"))
_next_priority = select(func.min(runs.c.priority)).where(_queued_here, runs.c.priority > bindparam("above"))
# A common table expression, for PostgreSQL may run a subquery several times and so claim more than its limit.
# Rows of one queue and priority are read in the order of their due times, so that the scan ends where the
# future begins, however many delayed runs there are.
_ready = (
    select(runs.c.id)
    .where(
        _queued_here,
        runs.c.priority == _next_priority.scalar_subquery(),
        runs.c.due_at <= bindparam("now"),
        _still_offered,
        OneOf(runs.c.job, "jobs"),
    )
    .order_by(runs.c.due_at, runs.c.id)
    .limit(bindparam("most"))
    .with_for_update(skip_locked=True)
    .cte("ready")
)
_worker_is_alive = exists().where(processes.c.id == bindparam("worker"), processes.c.state == "alive")
_claim = Prepared(
    update(runs)
    .where(runs.c.id.in_(select(_ready.c.id)), _worker_is_alive)  # these rows are queued, and locked
    .values(
        state=State.RUNNING,
        claim_token=bindparam("token"),
        worker_id=bindparam("worker"),
        attempt=runs.c.attempt + 1,
        started_at=bindparam("now"),
        progress_done=None,
        progress_total=None,
        progress_note=None,
    )
    .returning(*CLAIM_COLUMNS)
)
_add_attempt = Prepared(
    insert(attempts).values(
        run_id=bindparam("run_id"),
        number=bindparam("number"),
        claim_token=bindparam("token"),
        worker_id=bindparam("worker"),
        worker=bindparam("name"),
        started_at=bindparam("now"),
        outcome=Outcome.RUNNING,
    )
)
LOWEST = -(2**31)


class Claims:
    """The claims of one worker process: it takes only ``jobs`` it knows, and nothing once it was declared gone."""

    def __init__(self, worker_id: str, worker_name: str, jobs: list[str]):
        self.worker_id, self.worker_name, self.jobs = worker_id, worker_name, jobs

    def take(self, connection: Connection, requests: list[Wanted]) -> list[list[Claim]]:
        """The claims for each request: the ready runs of lowest priority first, then those due longest."""
        failpoints.mark(connection, "claim")
        return [self._take(connection, wanted) for wanted in requests]

    def disown(self, connection: Connection, tokens: list[str]) -> list[None]:
        """Undoes whatever was claimed with these tokens; what their holder never heard of, it cannot have started."""
        failpoints.mark(connection, "disown")
        own = select(*CLAIM_COLUMNS).where(runs.c.worker_id == self.worker_id, is_running)
        rows = connection.execute(own.where(runs.c.claim_token.in_(tokens))).fetchall()
        give_back(connection, [Claim(*row) for row in rows])
        return [None] * len(tokens)

    def _take(self, connection: Connection, wanted: Wanted) -> list[Claim]:
        """One statement when the most urgent priority has runs enough, which is the usual case."""
        taken = self._take_above(connection, wanted, LOWEST, wanted.most)
        above = taken[0].priority if taken else priority_above(connection, wanted.queue, LOWEST)
        while above is not None and len(taken) < wanted.most:
            following = priority_above(connection, wanted.queue, above)
            if following is not None:
                taken += self._take_above(connection, wanted, above, wanted.most - len(taken))
            above = following
        return taken

    def _take_above(self, connection: Connection, wanted: Wanted, above: int, most: int) -> list[Claim]:
        now = clock.now()
        rows = _claim.run(
            connection,
            {
                "the_queue": wanted.queue, "above": above, "most": most, "jobs": self.jobs, "now": now,
                "worker": self.worker_id, "token": wanted.token,
            },
        ).fetchall()  # fmt: skip
        claims = [Claim(*row) for row in rows]
        if claims:
            _add_attempt.run_many(connection, [self._attempt(claim, now) for claim in claims])
        return sorted(claims, key=lambda claim: (claim.due_at, claim.id))

    def _attempt(self, claim: Claim, now: int) -> dict[str, Any]:
        return {
            "run_id": claim.id, "number": claim.attempt, "token": claim.token, "worker": self.worker_id,
            "name": self.worker_name, "now": now,
        }  # fmt: skip


def priority_above(connection: Connection, queue: str, above: int) -> int | None:
    """The lowest priority number beyond ``above`` that any waiting run of ``queue`` has."""
    return connection.scalar(_next_priority, {"the_queue": queue, "above": above})


_next_due = Prepared(
    select(runs.c.due_at, runs.c.priority)
    .where(
        _queued_here,
        runs.c.priority == _next_priority.scalar_subquery(),
        _still_offered,
        OneOf(runs.c.job, "jobs"),
    )
    .order_by(runs.c.due_at, runs.c.id)
    .limit(1)
)


def next_due(connection: Connection, queue: str, jobs: list[str]) -> int | None:
    """When the next run of ``queue`` and ``jobs`` may start, as seen without a lock; None when nothing waits.

    One statement when something of the most urgent priority is due now, which is the case that is in a hurry.
    """
    earliest = None
    above: int | None = LOWEST
    while above is not None:
        now = clock.now()
        row = _next_due.run(connection, {"the_queue": queue, "above": above, "jobs": jobs, "now": now}).first()
        if row is not None:
            earliest = row.due_at if earliest is None else min(earliest, row.due_at)
            if row.due_at <= now:
                break
        above = row.priority if row is not None else priority_above(connection, queue, above)
    return earliest


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
#: Apart from the other, for naming a column costs SQLite the indexes that have it, changed or not.
_queue_again = Prepared(_end_run.values(due_at=bindparam("retry"), dispatch_at=bindparam("retry")))
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
    for statement, again in ((_finish_run, False), (_queue_again, True)):
        if rows := [_run_row(ending) for ending in endings if (ending.state == State.QUEUED) == again]:
            statement.run_many(connection, rows)
    _finish_attempt.run_many(connection, [_attempt_row(ending) for ending in endings])
    following = [new for ending in endings for new in ending.next_runs + _passed_barrier(connection, ending)]
    runs_.insert(connection, following)
    if not following and any(ending.state == State.QUEUED for ending in endings):
        announce(connection)


def _passed_barrier(connection: Connection, ending: Ending) -> list[NewRun]:
    if ending.barrier and ending.state == State.SUCCEEDED and barriers.pass_one(connection, ending.barrier):
        return ending.barrier_runs
    return []


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


def _of_attempt_before(column):
    own = (attempts.c.run_id == runs.c.id, attempts.c.number == runs.c.attempt - 1)
    return select(column).where(*own).correlate(runs).scalar_subquery()


_is_to_stop = runs.c.cancel_requested_at.is_not(None)
_give_back = (
    update(runs)
    .where(runs.c.id == bindparam("the_id"), runs.c.claim_token == bindparam("token"), is_running)
    .values(
        state=case((_is_to_stop, literal(State.CANCELED)), else_=literal(State.QUEUED)),
        finished_at=case((_is_to_stop, bindparam("now", type_=runs.c.finished_at.type))),
        claim_token=None,
        attempt=runs.c.attempt - 1,
        started_at=_of_attempt_before(attempts.c.started_at),
        worker_id=_of_attempt_before(attempts.c.worker_id),
        dispatch_at=bindparam("now"),
    )
)


def give_back(connection: Connection, given: list[Claim]) -> list[None]:
    """Undoes claims whose body never started, as if they had not been made; a lost claim is left alone.

    A run that a person asked to stop meanwhile is canceled.
    """
    failpoints.mark(connection, "give_back")
    for claim in sorted(given, key=lambda claim: claim.id):
        undone = {"the_id": claim.id, "token": claim.token, "now": clock.now()}
        if connection.execute(_give_back, undone).rowcount:
            connection.execute(
                delete(attempts).where(attempts.c.run_id == claim.id, attempts.c.number == claim.attempt)
            )
    announce(connection)
    return [None] * len(given)
