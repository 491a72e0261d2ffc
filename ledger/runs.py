"""Making runs and asking them to stop: what web, scheduler and running jobs may do to a run.

What its worker does to it stands in ``claims``, what time does to it in ``dispatch``.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection, Engine, bindparam, select, update

from ledger import clock, failpoints, members, texts, uniqueness
from ledger.engine import announce, insert_new, writing
from ledger.errors import RunNotFound, WrongState
from ledger.ids import new_id
from ledger.limits import lane_of_new
from ledger.prepared import Prepared
from ledger.states import State
from ledger.tables import is_queued, is_running, runs

#: The dispatcher leaves a new run so long to the process that made it, which publishes the first hint itself.
FIRST_HINT_GRACE = 5 * clock.SECOND


@dataclass(frozen=True, slots=True, kw_only=True)
class NewRun:
    """A request for a run. ``args`` and ``kwargs`` must be JSON; ``due_at`` None means now."""

    job: str
    queue: str
    origin: str
    args: tuple = ()
    kwargs: dict[str, Any] = field(default_factory=dict)
    typed: bool = False
    options: dict[str, Any] = field(default_factory=dict)
    priority: int = 0
    due_at: int | None = None
    expires_at: int | None = None
    created_by: str | None = None
    message_id: str | None = None
    parent_id: str | None = None
    caller_id: str | None = None
    idempotency_key: str | None = None
    schedule_id: str | None = None
    tick_at: int | None = None
    id: str = field(default_factory=new_id)


def row_of(new: NewRun, now: int) -> dict[str, Any]:
    """Raises ValueError for a name or a number that no column can hold."""
    check(new)
    due_at = new.due_at if new.due_at is not None else now
    return {
        "id": new.id,
        "message_id": new.message_id,
        "job": new.job,
        "queue": new.queue,
        "priority": new.priority,
        "args": texts.to_json({"args": list(new.args), "kwargs": new.kwargs}),
        "typed": new.typed,
        "options": texts.to_json(new.options),
        "state": State.QUEUED.value,
        "origin": new.origin,
        "created_by": new.created_by and texts.clean(new.created_by)[:NAME_LIMIT],
        "created_at": now,
        "due_at": due_at,
        "expires_at": new.expires_at,
        "dispatch_at": max(due_at, now) + (FIRST_HINT_GRACE if due_at <= now else 0),
        "parent_id": new.parent_id,
        "caller_id": new.caller_id,
        "idempotency_key": new.idempotency_key,
        "schedule_id": new.schedule_id,
        "tick_at": new.tick_at,
    }


NAMES = ("job", "queue", "message_id", "idempotency_key")
NAME_LIMIT = 200
RANGES = {"priority": 2**31, "due_at": 2**62, "expires_at": 2**62}


def check(new: NewRun) -> None:
    for name in NAMES:
        text = getattr(new, name)
        if text is not None and not _is_storable(text):
            raise ValueError(f"{name} is longer than {NAME_LIMIT} characters, or no clean text: {text[:50]!r}")
    for name, limit in RANGES.items():
        number = getattr(new, name)
        if number is not None and not -limit < number < limit:
            raise ValueError(f"{name} is out of range: {number}")


def _is_storable(name: str) -> bool:
    return len(name) <= NAME_LIMIT and "\x00" not in name and (name.isascii() or texts.clean(name) == name)


_COLUMNS = tuple(row_of(NewRun(job="", queue="", origin=""), 0))
_given = [bindparam(name, type_=runs.c[name].type) for name in _COLUMNS]
#: One statement for all jobs but those that are unique, which need a look at what was accepted before.
_insert = Prepared(
    lambda connection: insert_new(connection, runs).from_select(
        [*_COLUMNS, "lane"], select(*_given, lane_of_new).where(~uniqueness.job_is_unique)
    )
)
_insert_unique = Prepared(
    lambda connection: insert_new(connection, runs).values(
        {name: bindparam(name) for name in _COLUMNS} | {"lane": lane_of_new}
    )
)
REPLACED = "a newer equal run"


def insert(connection: Connection, new_runs: list[NewRun]) -> list[str]:
    """Inserts what is new and answers the run ids in order: those of the earlier runs where a key or a message id
    was seen before, or where the job takes no equal run now. A run of a tick that another scheduler made is left out
    the same way."""
    if not new_runs:
        return []
    failpoints.mark(connection, "dispatch")
    now = clock.now()
    inserted = _insert.run_many(connection, [row_of(new, now) for new in new_runs])
    announce(connection)
    ids = [new.id for new in new_runs] if inserted == len(new_runs) else _answers(connection, new_runs, now)
    _take_places(connection, new_runs, ids)
    return ids


def _take_places(connection: Connection, new_runs: list[NewRun], ids: list[str]) -> None:
    """Of those that belong to a pipeline or a group, and were not there already."""
    given = [new for new, run_id in zip(new_runs, ids, strict=True) if new.options and run_id == new.id]
    if places := [place for new in given if (place := members.row_of(new.id, new.options))]:
        members.add(connection, places)


def _answers(connection: Connection, new_runs: list[NewRun], now: int) -> list[str]:
    answers = dict(zip([new.id for new in new_runs], _ids(connection, new_runs), strict=True))
    rules = uniqueness.rules(connection, {new.job for new in new_runs})
    unseen = [new for new in new_runs if new.job in rules and answers[new.id] == new.id]
    keys = {new.id: rules[new.job].key(new.args, new.kwargs) for new in unseen}
    for new in sorted(unseen, key=lambda new: keys[new.id]):  # one order for all, or their locks deadlock
        answers[new.id] = _insert_or_earlier(connection, new, rules[new.job], keys[new.id], now)
    return [answers[new.id] for new in new_runs]


def _insert_or_earlier(connection: Connection, new: NewRun, rule: uniqueness.Rule, key: str, now: int) -> str:
    """Its id, or that of the equal run that stands in its way. One that still waits may be replaced. What others wait
    for, in a pipeline or a group, is made in any case: they would wait for ever."""
    earlier = uniqueness.earlier(connection, rule, key, new.id)
    if earlier and not members.is_tied(new.options):
        if not (rule.replaces and _cancel_if_queued(connection, earlier, REPLACED)):
            return earlier
    uniqueness.hold(connection, key, new.id)
    _insert_unique.run_many(connection, [row_of(new, now)])
    return new.id


def _ids(connection: Connection, new_runs: list[NewRun]) -> list[str]:
    keys = [new.idempotency_key for new in new_runs if new.idempotency_key]
    messages = [new.message_id for new in new_runs if new.message_id]
    by_key = _earlier(connection, runs.c.idempotency_key, keys)
    by_message = _earlier(connection, runs.c.message_id, messages)
    return [by_key.get(new.idempotency_key) or by_message.get(new.message_id) or new.id for new in new_runs]


LOOKUP_SIZE = 500  # below the parameter limits of both databases


def _earlier(connection: Connection, column, values: list[str]) -> dict[str, str]:
    found: dict[str, str] = {}
    for start in range(0, len(values), LOOKUP_SIZE):
        part = values[start : start + LOOKUP_SIZE]
        found.update(connection.execute(select(column, runs.c.id).where(column.in_(part))).fetchall())
    return found


def insert_groups(connection: Connection, requests: list[list[NewRun]]) -> list[list[str]]:
    """``insert`` for the writer: several requests in one transaction."""
    return [insert(connection, new_runs) for new_runs in requests]


def dispatch(engine: Engine, new: NewRun) -> str:
    """Accepts one run, durably, and answers its id. Raises LedgerAway."""
    with writing(engine) as connection:
        return insert(connection, [new])[0]


def dispatch_many(engine: Engine, new_runs: Iterable[NewRun]) -> list[str]:
    """Accepts many runs in one transaction, all or none."""
    with writing(engine) as connection:
        return insert(connection, list(new_runs))


def cancel(engine: Engine, run_id: str, by: str) -> State:
    """Cancels a queued run at once and asks a running one to stop; the state after that.

    Raises RunNotFound, or WrongState for a finished run.
    """
    by = texts.clean(by)[:NAME_LIMIT]
    with writing(engine) as connection:
        failpoints.mark(connection, "cancel")
        if stopped := stop(connection, run_id, by):
            return stopped
        state = connection.scalar(select(runs.c.state).where(runs.c.id == run_id))
    if state is None:
        raise RunNotFound(run_id)
    raise WrongState(run_id, state, "only a run that waits or runs can be canceled")


def stop(connection: Connection, run_id: str, by: str) -> State | None:
    """``cancel`` within a transaction; None for a run that neither waits nor runs."""
    if _cancel_if_queued(connection, run_id, by):
        announce(connection)
        return State.CANCELED
    if _request_cancel_if_running(connection, run_id, by):
        announce(connection)
        return State.RUNNING
    return None


def _cancel_if_queued(connection: Connection, run_id: str, by: str) -> bool:
    now = clock.now()
    statement = update(runs).where(runs.c.id == run_id, is_queued)
    return bool(connection.execute(statement.values(state=State.CANCELED, finished_at=now, canceled_by=by)).rowcount)


def _request_cancel_if_running(connection: Connection, run_id: str, by: str) -> bool:
    statement = update(runs).where(runs.c.id == run_id, is_running)
    asked_at = clock.now()
    return bool(connection.execute(statement.values(cancel_requested_at=asked_at, canceled_by=by)).rowcount)


def cancel_requests(connection: Connection, worker_id: str) -> set[str]:
    """Ids of the runs of this worker that a person asked to stop."""
    statement = select(runs.c.id).where(
        runs.c.worker_id == worker_id, is_running, runs.c.cancel_requested_at.is_not(None)
    )
    return set(connection.scalars(statement))
