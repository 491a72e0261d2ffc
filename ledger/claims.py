"""How a worker gets runs, and gives back what it cannot start.

A claim is the only way into ``running``, and no body starts before it is committed. It hands out a random
token; every later write of that attempt names the token, so whoever lost the run writes nothing.
"""

import secrets
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection, bindparam, case, delete, exists, insert, literal, select, text, update

from ledger import clock, failpoints, lanes, limits
from ledger.engine import announce
from ledger.lanes import LOWEST, OPEN, next_due, priority_above
from ledger.pauses import not_paused
from ledger.prepared import OneOf, Prepared
from ledger.states import Outcome, State
from ledger.tables import attempts, is_queued, is_running, processes, runs

__all__ = ["CLAIM_COLUMNS", "Claim", "Claims", "Wanted", "give_back", "next_due"]


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
    lane: str = OPEN

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
    runs.c.lane,
)  # fmt: skip

# A common table expression, for PostgreSQL may run a subquery several times and so claim more than its limit.
# Rows of one queue and priority are read in the order of their due times, so that the scan ends where the
# future begins, however many delayed runs there are.
_ready = (
    select(runs.c.id)
    .where(
        lanes.queued_here,
        runs.c.priority == lanes.next_priority.scalar_subquery(),
        runs.c.due_at <= bindparam("now"),
        lanes.still_offered,
        not_paused(bindparam("the_queue"), bindparam("now")),
        OneOf(runs.c.job, "jobs"),
    )
    .order_by(runs.c.due_at, runs.c.id)
    .limit(bindparam("most"))
    .with_for_update(skip_locked=True)
    .cte("ready")
)
_worker_is_alive = exists().where(processes.c.id == bindparam("worker"), processes.c.state == "alive")
_limited = runs.alias("limited")
_nothing_is_limited_here = ~exists().where(
    text("limited.state = 'queued'"), _limited.c.queue == bindparam("the_queue"), _limited.c.lane > OPEN
)
_start = (
    update(runs)
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
    .where(_worker_is_alive)
    .returning(*CLAIM_COLUMNS)
)
#: Of a queue where nothing is limited; else it takes nothing, and ``lanes`` choose.
_claim = Prepared(_start.where(runs.c.id.in_(select(_ready.c.id)), _nothing_is_limited_here))  # rows queued, and locked
_chosen = (
    select(runs.c.id)
    .where(is_queued, OneOf(runs.c.id, "ids"))
    .order_by(runs.c.id)
    .with_for_update(skip_locked=True)
    .cte("chosen")
)
_claim_chosen = Prepared(_start.where(runs.c.id.in_(select(_chosen.c.id))))
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
        if not taken and lanes.is_limited_here(connection, wanted.queue):
            return self._take_chosen(connection, wanted)
        above = taken[0].priority if taken else priority_above(connection, wanted.queue, LOWEST)
        while above is not None and len(taken) < wanted.most:
            following = priority_above(connection, wanted.queue, above)
            if following is not None:
                taken += self._take_above(connection, wanted, above, wanted.most - len(taken))
            above = following
        return taken

    def _take_above(self, connection: Connection, wanted: Wanted, above: int, most: int) -> list[Claim]:
        asked = {"the_queue": wanted.queue, "lane": OPEN, "above": above, "most": most, "jobs": self.jobs}
        return self._started(connection, _claim, wanted, asked, clock.now())

    def _take_chosen(self, connection: Connection, wanted: Wanted) -> list[Claim]:
        """From all lanes, as far as limits allow; once more when others were quicker with what was chosen."""
        taken: list[Claim] = []
        while len(taken) < wanted.most:
            now = clock.now()
            ids = lanes.choose(connection, wanted.queue, self.jobs, wanted.most - len(taken), now)
            started = self._started(connection, _claim_chosen, wanted, {"ids": ids}, now) if ids else []
            if not started:
                break
            limits.note_starts(connection, [(claim.job, claim.id) for claim in started if claim.lane], now)
            taken += started
        return taken

    def _started(
        self, connection: Connection, statement: Prepared, wanted: Wanted, asked: dict[str, Any], now: int
    ) -> list[Claim]:
        own = {"now": now, "worker": self.worker_id, "token": wanted.token}
        claims = [Claim(*row) for row in statement.run(connection, asked | own)]
        if claims:
            _add_attempt.run_many(connection, [self._attempt(claim, now) for claim in claims])
        return sorted(claims, key=lambda claim: (claim.priority, claim.due_at, claim.id))

    def _attempt(self, claim: Claim, now: int) -> dict[str, Any]:
        return {
            "run_id": claim.id, "number": claim.attempt, "token": claim.token, "worker": self.worker_id,
            "name": self.worker_name, "now": now,
        }  # fmt: skip


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
            _forget_attempt(connection, claim)
    announce(connection)
    return [None] * len(given)


def _forget_attempt(connection: Connection, claim: Claim) -> None:
    own = delete(attempts).where(attempts.c.run_id == claim.id, attempts.c.number == claim.attempt)
    started_at = connection.scalar(own.returning(attempts.c.started_at))
    if claim.lane and started_at is not None:
        limits.forget_start(connection, claim.lane, claim.id, started_at)
