"""The processes that work for this ledger: who is alive, what they can run, and rescuing what dead ones held.

A supervisor beats for its workers. Whoever sees a process die - its supervisor by waitpid, or a scheduler by a
beat count that stands still - ends its row first, so that it can claim nothing more, and then gives its runs back.
"""

import os
import random
import socket
from dataclasses import dataclass, field

from sqlalchemy import Connection, Engine, delete, insert, select, update

from ledger import clock, failpoints, failures, limits, texts
from ledger.claims import CLAIM_COLUMNS, Claim, give_back
from ledger.engine import announce, upsert, writing
from ledger.ids import new_id
from ledger.states import Outcome, State
from ledger.tables import attempts, is_running, jobs, processes, runs

ALIVE = ("alive", "draining")
DRAINED = ("supervisor", "worker")  # kinds that can be asked to drain
DOC_LIMIT = 20_000  # characters of a job's docstring
#: Seconds over which the runs of one dead worker come back, by the crashes that a run has met. Nobody knows which
#: of them killed it: started together again, the innocent would die with it until they count as dead themselves.
SPREAD = (1.0, 3.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class NewProcess:
    kind: str
    supervisor_id: str | None = None
    version: str = ""
    queues: list[str] = field(default_factory=list)
    jobs: list[str] = field(default_factory=list)
    slots: int = 0
    id: str = field(default_factory=new_id)
    host: str = field(default_factory=socket.gethostname)
    pid: int = field(default_factory=os.getpid)

    @property
    def name(self) -> str:
        return f"{self.host} / {self.pid}"


@dataclass(frozen=True, slots=True)
class Job:
    """A kind of work, as a worker announces it. ``parameters`` is the JSON Schema of an object."""

    name: str
    queue: str
    priority: int
    parameters: dict
    doc: str
    source: str
    options: dict
    version: str


@dataclass(frozen=True, slots=True)
class Rescued:
    run_id: str
    job: str
    queue: str
    state: State


def register(engine: Engine, process: NewProcess, announced: list[Job] = ()) -> None:
    """Adds the process, and what it can run, in one transaction; before that, the limits of what it can run."""
    limits.announce(engine, {job.name: job.options for job in announced})
    now = clock.now()
    row = {
        "id": process.id, "kind": process.kind, "supervisor_id": process.supervisor_id, "host": process.host,
        "pid": process.pid, "version": texts.clean(process.version)[:100], "queues": texts.to_json(process.queues),
        "jobs": texts.to_json(process.jobs), "slots": process.slots, "state": "alive",
        "started_at": now, "beat_at": now,
    }  # fmt: skip
    with writing(engine) as connection:
        failpoints.mark(connection, "register")
        connection.execute(insert(processes), [row])
        if announced:
            rows = [_job_row(job, now) for job in sorted(announced, key=lambda job: job.name)]
            connection.execute(upsert(connection, jobs, "name"), rows)
        announce(connection)


def _job_row(job: Job, now: int) -> dict:
    return {
        "name": job.name, "queue": job.queue, "priority": job.priority, "parameters": texts.to_json(job.parameters),
        "doc": texts.clean(job.doc, DOC_LIMIT), "source": texts.clean(job.source)[:400],
        "options": texts.to_json(job.options), "version": texts.clean(job.version)[:100], "announced_at": now,
    }  # fmt: skip


def beat(connection: Connection, process_id: str, memory: dict[str, int | None] | None = None) -> bool:
    """Counts one beat for the process and the workers under it; False when it was declared gone meanwhile.

    ``memory`` is what its workers hold now, in bytes, by their ids. One that was started under an earlier id of its
    supervisor, and was still booting when that was declared gone, is counted with the new one.
    """
    failpoints.mark(connection, "beat")
    for each, held in (memory or {}).items():
        own = update(processes).where(processes.c.id == each, processes.c.state.in_(ALIVE))
        connection.execute(own.values(memory=held, supervisor_id=process_id))
    family = update(processes).where(_family(process_id), processes.c.state.in_(ALIVE))
    connection.execute(family.values(beats=processes.c.beats + 1, beat_at=clock.now()))
    return state_of(connection, process_id) in ALIVE


def _family(supervisor_id: str):
    """The supervisor and the workers under it; of any other process, itself."""
    return (processes.c.id == supervisor_id) | (processes.c.supervisor_id == supervisor_id)


def state_of(connection: Connection, process_id: str) -> str | None:
    return connection.scalar(select(processes.c.state).where(processes.c.id == process_id))


def drain(connection: Connection, process_id: str) -> None:
    statement = update(processes).where(processes.c.id == process_id, processes.c.state == "alive")
    connection.execute(statement.values(state="draining"))
    announce(connection)


def ask_to_drain(connection: Connection, process_id: str, by: str) -> int:
    """Lets the worker, or all workers of the supervisor, claim nothing more from now on; their supervisor sees it and
    lets each stop when its last run has ended. How many processes were alive and are asked: 0 when it is too late."""
    asked = update(processes).where(_family(process_id), processes.c.state == "alive", processes.c.kind.in_(DRAINED))
    number = connection.execute(asked.values(state="draining", drained_by=by, drained_at=clock.now())).rowcount
    announce(connection)
    return number


def asked_to_drain(connection: Connection, supervisor_id: str) -> set[str]:
    """Ids of those, of the supervisor and its workers, that a person asked to drain."""
    asked = select(processes.c.id).where(_family(supervisor_id), processes.c.drained_at.is_not(None))
    return set(connection.scalars(asked.where(processes.c.state.in_(ALIVE))))


def forget(connection: Connection, process_id: str) -> bool:
    """Deletes the row of a process that ended; what its runs say of it stays. False when it has not ended."""
    ended = delete(processes).where(processes.c.id == process_id, processes.c.state.not_in(ALIVE))
    return bool(connection.execute(ended).rowcount)


def stop(connection: Connection, process_id: str, because: str = "stopped") -> None:
    """Notes an orderly end; the process holds no runs any more."""
    _end(connection, process_id, "stopped", because)


def declare_gone(
    connection: Connection, process_id: str, because: str, crash_limit: int, begun: frozenset[str] | None = None
) -> list[Rescued]:
    """Ends the row of a dead process and gives its runs back; a second call rescues nothing.

    ``begun``: ids of the runs whose bodies may have started, as far as somebody knows.
    """
    failpoints.mark(connection, "rescue")
    _end(connection, process_id, "gone", because)
    return rescue(connection, process_id, crash_limit, begun)


def _end(connection: Connection, process_id: str, state: str, because: str) -> None:
    statement = update(processes).where(processes.c.id == process_id, processes.c.state.in_(ALIVE))
    connection.execute(statement.values(state=state, ended_at=clock.now(), ended_because=texts.clean(because)))
    announce(connection)


def rescue(
    connection: Connection, worker_id: str, crash_limit: int, begun: frozenset[str] | None = None
) -> list[Rescued]:
    """Queues the runs of a dead worker again; ``dead`` are those that killed ``crash_limit`` workers, ``failed`` those
    whose job says ``on_crash="fail"``, as it announced itself last. A claim that never began is undone instead.

    A run that a person asked to stop is canceled instead. The row lock (the write lock on SQLite) and the claim
    token decide against a worker that finishes at this very moment.
    """
    held = select(*CLAIM_COLUMNS, runs.c.cancel_requested_at).where(runs.c.worker_id == worker_id, is_running)
    found = connection.execute(held.order_by(runs.c.id).with_for_update()).fetchall()
    crashed = [row for row in found if begun is None or row.id in begun]
    waited = [row for row in found if begun is not None and row.id not in begun]
    give_back(connection, [Claim(*row[:-1]) for row in waited])
    rules = _crash_rules(connection, {row.job for row in crashed})
    alone = len(crashed) == 1
    rescued = [_rescue_one(connection, row, crash_limit, rules.get(row.job, "retry"), alone) for row in crashed]
    return rescued + [_given_back(row) for row in waited]


def _given_back(row) -> Rescued:
    return Rescued(row.id, row.job, row.queue, State.CANCELED if row.cancel_requested_at else State.QUEUED)


def _crash_rules(connection: Connection, names: set[str]) -> dict[str, str]:
    found = connection.execute(select(jobs.c.name, jobs.c.options).where(jobs.c.name.in_(names)))
    return {name: texts.from_json(options).get("on_crash", "retry") for name, options in found}


def _rescue_one(connection: Connection, row, crash_limit: int, on_crash: str, was_alone: bool) -> Rescued:
    now = clock.now()
    state = State.CANCELED if row.cancel_requested_at else state_after_crash(row.crashes, crash_limit, on_crash)
    change = {"state": state, "claim_token": None, "crashes": row.crashes + 1}
    if state == State.QUEUED:
        due_at = now if was_alone else now + _spread(row.crashes)
        change |= {"due_at": due_at, "dispatch_at": due_at, "dispatches": 0}
    else:
        change |= {"finished_at": now}
    if state in (State.DEAD, State.FAILED):
        mark, why = failures.fingerprint(row.job, "WorkerDied", ""), _why_not_again(state, row.crashes + 1)
        change |= {"error_type": "WorkerDied", "error": why, "fingerprint": mark}
        failures.note_new(connection, [failures.row_of(mark, row.job, "WorkerDied", "", why, row.id, now)])
    guarded = update(runs).where(runs.c.id == row.id, runs.c.claim_token == row.claim_token)
    connection.execute(guarded.values(**change))
    lost = update(attempts).where(attempts.c.run_id == row.id, attempts.c.number == row.attempt)
    connection.execute(lost.values(outcome=Outcome.LOST, finished_at=now, error="its worker died"))
    return Rescued(row.id, row.job, row.queue, state)


def _why_not_again(state: State, crashes: int) -> str:
    if state == State.DEAD:
        times = f" {crashes} times" if crashes > 1 else ""
        return f"its worker died{times} while running it"
    return "its worker died while running it, and this job is not to be started twice (on_crash)"


def state_after_crash(crashes: int, crash_limit: int, on_crash: str) -> State:
    """What becomes of a run that crashed ``crashes`` times before, and now once more."""
    if on_crash == "fail":
        return State.FAILED
    return State.DEAD if crashes + 1 >= crash_limit else State.QUEUED


def _spread(crashes: int) -> int:
    return int(random.uniform(0, SPREAD[min(crashes, len(SPREAD) - 1)]) * clock.SECOND)


def beats(connection: Connection) -> dict[str, int]:
    """Beat counts of all processes that should be alive, by id."""
    alive = select(processes.c.id, processes.c.beats).where(processes.c.state.in_(ALIVE))
    return dict(connection.execute(alive).fetchall())
