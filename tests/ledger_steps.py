"""What tests of the ledger say, in its own words: dispatch, claim, finish, rescue. On real databases only."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from sqlalchemy import Connection, Engine, Row, event, func, select, update

from ledger import claims, clock, finishing, fleet, runs
from ledger import dispatch as hints
from ledger.claims import Claim, Claims, Wanted
from ledger.engine import is_sqlite, open_engine, reading, writing
from ledger.finishing import Ending
from ledger.fleet import NewProcess
from ledger.runs import NewRun
from ledger.states import Outcome, State
from ledger.tables import attempts as attempts_table
from ledger.tables import runs as runs_table
from tests.ledgers import prepare

JOB, QUEUE = "add", "default"
HOUR = 3600 * clock.SECOND
CRASH_LIMIT = 3


@pytest.fixture(name="engine")
def migrated(database_url: str) -> Iterator[Engine]:
    """A ledger of this test alone, on either database."""
    with opened(database_url) as engine:
        yield engine


@contextmanager
def opened(url: str) -> Iterator[Engine]:
    engine = open_engine(url)
    prepare(engine)
    yield engine
    engine.dispose()


# Runs


def new_run(**fields: Any) -> NewRun:
    return NewRun(**{"job": JOB, "queue": QUEUE, "origin": "form"} | fields)


def dispatch(engine: Engine, **fields: Any) -> str:
    return runs.dispatch(engine, new_run(**fields))


def dispatch_many(engine: Engine, number: int, **fields: Any) -> list[str]:
    return runs.dispatch_many(engine, [new_run(**fields) for _ in range(number)])


def row(engine: Engine, run_id: str) -> Row:
    with reading(engine) as connection:
        return connection.execute(select(runs_table).where(runs_table.c.id == run_id)).one()


def state(engine: Engine, run_id: str) -> str:
    return row(engine, run_id).state


def attempts(engine: Engine, run_id: str) -> list[Row]:
    with reading(engine) as connection:
        own = select(attempts_table).where(attempts_table.c.run_id == run_id)
        return connection.execute(own.order_by(attempts_table.c.number)).fetchall()


def outcomes(engine: Engine, run_id: str) -> list[str]:
    return [attempt.outcome for attempt in attempts(engine, run_id)]


def number_of(engine: Engine, table) -> int:
    with reading(engine) as connection:
        return connection.scalar(select(func.count()).select_from(table))


def age(engine: Engine, run_id: str, **columns: int) -> None:
    """Sets times of the run, as if it were later now."""
    with writing(engine) as connection:
        connection.execute(update(runs_table).where(runs_table.c.id == run_id).values(**columns))


# Workers and what they do


def worker(engine: Engine, *jobs: str) -> Claims:
    """A worker process that is alive and knows ``jobs``."""
    process = NewProcess(kind="worker", jobs=list(jobs or [JOB]), queues=[QUEUE])
    fleet.register(engine, process)
    return Claims(process.id, process.name, process.jobs)


def claim(engine: Engine, by: Claims, most: int = 1, queue: str = QUEUE) -> list[Claim]:
    return written(engine, by.take, Wanted(queue, most))


def claimed_ids(engine: Engine, by: Claims, most: int = 1) -> list[str]:
    return [each.id for each in claim(engine, by, most)]


def running(engine: Engine, by: Claims | None = None, **fields: Any) -> Claim:
    """A new run that a worker has claimed, before whatever else waits."""
    run_id = dispatch(engine, **{"priority": -100} | fields)
    [claimed] = claim(engine, by or worker(engine))
    assert claimed.id == run_id
    return claimed


def written(engine: Engine, act: Callable[[Connection, list], list], request: Any) -> Any:
    """What the writer thread does for one request."""
    with writing(engine) as connection:
        return act(connection, [request])[0]


def finish(engine: Engine, *endings: Ending) -> list[bool]:
    with writing(engine) as connection:
        return finishing.finish(connection, list(endings))


def succeeded(claim: Claim, **more: Any) -> Ending:
    return Ending(claim=claim, state=State.SUCCEEDED, outcome=Outcome.SUCCEEDED, **more)


def failed(claim: Claim, **more: Any) -> Ending:
    fields = {"error_type": "ValueError", "error": "no", "traceback": "Traceback: no"} | more
    return Ending(claim=claim, state=State.FAILED, outcome=Outcome.FAILED, **fields)


def retried(claim: Claim, retry_at: int | None = None, **more: Any) -> Ending:
    fields = {"error_type": "OSError", "error": "busy", "retry_at": retry_at or clock.now()} | more
    return Ending(claim=claim, state=State.QUEUED, outcome=Outcome.FAILED, **fields)


def interrupted(claim: Claim) -> Ending:
    return Ending(claim=claim, state=State.QUEUED, outcome=Outcome.INTERRUPTED, retry_at=clock.now())


def canceled(claim: Claim) -> Ending:
    return Ending(claim=claim, state=State.CANCELED, outcome=Outcome.CANCELED)


def give_back(engine: Engine, claim: Claim) -> None:
    written(engine, claims.give_back, claim)


def cancel(engine: Engine, run_id: str) -> str:
    return runs.cancel(engine, run_id, "Ada")


def rescue(
    engine: Engine, by: Claims | str, crash_limit: int = CRASH_LIMIT, begun: frozenset[str] | None = None
) -> list[fleet.Rescued]:
    """Its process died, and somebody noticed."""
    process_id = by.worker_id if isinstance(by, Claims) else by
    with writing(engine) as connection:
        return fleet.declare_gone(connection, process_id, "killed by SIGKILL", crash_limit, begun)


def stopped(engine: Engine, by: Claims) -> None:
    with writing(engine) as connection:
        fleet.stop(connection, by.worker_id)


def draining(engine: Engine, by: Claims) -> None:
    with writing(engine) as connection:
        fleet.drain(connection, by.worker_id)


def take_hints(engine: Engine, most: int = 100) -> list[str]:
    with writing(engine) as connection:
        return [hint.run_id for hint in hints.take_due_hints(connection, most)]


def expire(engine: Engine) -> int:
    with writing(engine) as connection:
        return hints.expire_overdue(connection)


def brought_to(engine: Engine, state: str) -> Claim:
    """A run in ``state``; where nobody ever claimed it, with a claim that somebody forged."""
    if state in {State.QUEUED, State.EXPIRED}:
        run_id = dispatch(engine, expires_at=None if state == State.QUEUED else clock.now() - HOUR)
        expire(engine)
        return forged(run_id)
    claim = running(engine)
    if state == State.DEAD:
        rescue(engine, row(engine, claim.id).worker_id, crash_limit=1)
    elif state != State.RUNNING:
        outcome = Outcome(state)
        finish(engine, Ending(claim=claim, state=State(state), outcome=outcome, result="1", error="x"))
    return claim


def forged(run_id: str) -> Claim:
    return Claim(run_id, "0" * 16, 1, JOB, QUEUE, "{}", False, "{}", None, 0, 0, 0, 0, 0)


# What the database is asked


@contextmanager
def statements(engine: Engine) -> Iterator[list[tuple[str, Any]]]:
    """Every statement that the engine sends meanwhile, with its parameters."""
    sent: list[tuple[str, Any]] = []

    def note(_connection, _cursor, statement, parameters, _context, _many) -> None:
        sent.append((statement, parameters))

    event.listen(engine, "before_cursor_execute", note)
    yield sent
    event.remove(engine, "before_cursor_execute", note)


def plan(engine: Engine, statement: str, parameters: Any) -> str:
    """How the database would carry out the statement."""
    explain = "EXPLAIN QUERY PLAN" if is_sqlite(engine) else "EXPLAIN"
    with reading(engine) as connection:
        rows = connection.exec_driver_sql(f"{explain} {statement}", parameters).fetchall()
    return "\n".join(str(found[-1]) for found in rows)
