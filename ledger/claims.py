"""How a worker gets runs, and gives back what it cannot start.

A claim is the only way into ``running``, and no body starts before it is committed. It hands out a random
token; every later write of that attempt names the token, so whoever lost the run writes nothing.
"""

import secrets
from dataclasses import dataclass, field
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
)

from ledger import clock, failpoints
from ledger.engine import announce
from ledger.pauses import ENDLESS, end_of_pause, not_paused
from ledger.prepared import OneOf, Prepared
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

    @property
    def key(self) -> tuple[str, str]:
        """Of this claim and no other: the same run may be given back and claimed again."""
        return self.id, self.token


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
        not_paused(bindparam("the_queue"), bindparam("now")),
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
    select(runs.c.due_at, runs.c.priority, end_of_pause(bindparam("the_queue")).label("paused_until"))
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
    """When the next run of ``queue`` and ``jobs`` may start, as seen without a lock; None when nothing waits, or all
    of it until somebody resumes the queue.

    One statement when something of the most urgent priority is due now, which is the case that is in a hurry.
    """
    earliest = None
    above: int | None = LOWEST
    while above is not None:
        now = clock.now()
        row = _next_due.run(connection, {"the_queue": queue, "above": above, "jobs": jobs, "now": now}).first()
        if row is not None:
            if row.paused_until == ENDLESS:
                return None
            due_at = max(row.due_at, row.paused_until or 0)
            earliest = due_at if earliest is None else min(earliest, due_at)
            if due_at <= now:
                break
        above = row.priority if row is not None else priority_above(connection, queue, above)
    return earliest


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
