"""The processes: who is alive, what each serves and knows, what it runs now, who ended lately."""

from collections.abc import Collection
from dataclasses import dataclass

from sqlalchemy import Connection, Engine, Row, func, or_, select

from ledger import clock, texts
from ledger.engine import reading
from ledger.errors import ProcessNotFound
from ledger.fleet import ALIVE
from ledger.prepared import OneOf, Prepared
from ledger.queries.consumers import SILENT
from ledger.queries.lines import RunLine, lines_at_work
from ledger.tables import is_running, processes, runs

MOST_ALIVE = 500
MOST_ENDED = 20


@dataclass(frozen=True, slots=True)
class Process:
    id: str
    kind: str
    supervisor_id: str | None
    host: str
    pid: int
    version: str
    queues: tuple[str, ...]
    jobs: tuple[str, ...]
    slots: int
    state: str
    silent: bool
    started_at: int
    beat_at: int
    ended_at: int | None
    ended_because: str | None
    memory: int | None
    drained_by: str | None
    drained_at: int | None

    @property
    def name(self) -> str:
        return f"{self.host} / {self.pid}"

    @property
    def lived(self) -> int | None:
        return None if self.ended_at is None else self.ended_at - self.started_at

    @property
    def takes_runs(self) -> bool:
        return self.kind == "worker" and self.state == "alive" and not self.silent


@dataclass(frozen=True, slots=True)
class WorkerNow:
    process: Process
    running: tuple[RunLine, ...]

    @property
    def idle_slots(self) -> int:
        return max(0, self.process.slots - len(self.running))


@dataclass(frozen=True, slots=True)
class WorkersPage:
    workers: tuple[WorkerNow, ...]
    others: tuple[Process, ...]  # supervisors and schedulers
    ended: tuple[Process, ...]


def workers_page(engine: Engine) -> WorkersPage:
    with reading(engine) as connection:
        alive = alive_processes(connection)
        at_work = lines_at_work(connection, MOST_ALIVE)
        workers = [WorkerNow(each, at_work.get(each.id, ())) for each in alive if each.kind == "worker"]
        others = tuple(each for each in alive if each.kind != "worker")
        return WorkersPage(tuple(workers), others, _recently_ended(connection))


def process_now(engine: Engine, process_id: str) -> tuple[Process, int]:
    """The process, and how many runs it and those under it have at work. Raises ProcessNotFound."""
    with reading(engine) as connection:
        row = connection.execute(select(processes).where(processes.c.id == process_id)).one_or_none()
        if row is None:
            raise ProcessNotFound(process_id)
        family = (processes.c.id == process_id) | (processes.c.supervisor_id == process_id)
        held = select(func.count()).where(runs.c.worker_id.in_(select(processes.c.id).where(family)), is_running)
        return _process(row), connection.scalar(held)


def unserved_without(engine: Engine, process: Process) -> tuple[str, ...]:
    """The queues that only this worker serves, or only the workers of this supervisor."""
    with reading(engine) as connection:
        taking = [each for each in alive_processes(connection) if each.takes_runs]
    own = [each for each in taking if process.id in (each.id, each.supervisor_id)]
    others = {queue for each in taking if each not in own for queue in each.queues}
    return tuple(sorted({queue for each in own for queue in each.queues} - others))


_alive = Prepared(
    select(processes)
    .where(OneOf(processes.c.state, "states"))
    .order_by(processes.c.host, processes.c.pid)
    .limit(MOST_ALIVE)
)


def alive_processes(connection: Connection) -> tuple[Process, ...]:
    """All that should be alive, silent ones included, in the order of their names."""
    return tuple(_process(row) for row in _alive.run(connection, {"states": list(ALIVE)}))


_ended = select(processes).where(processes.c.state.not_in(ALIVE)).order_by(processes.c.ended_at.desc())
_lately_ended = _ended.limit(MOST_ENDED)


_key = (runs.c.worker_id, runs.c.queue)
_at_work = Prepared(select(*_key, func.count().label("number")).where(is_running).group_by(*_key))


def numbers_at_work(connection: Connection) -> list[Row]:
    """The number of running runs by ``worker_id`` and ``queue``."""
    return _at_work.run(connection, {}).fetchall()


def _recently_ended(connection: Connection) -> tuple[Process, ...]:
    return tuple(_process(row) for row in connection.execute(_lately_ended))


def last_to_serve(connection: Connection, queues: Collection[str]) -> dict[str, Process]:
    """For each of ``queues`` the worker that served it and ended last, if that was lately."""
    found: dict[str, Process] = {}
    for process in _recently_ended(connection) if queues else ():
        for queue in set(process.queues) & set(queues):
            found.setdefault(queue, process)
    return found


def shown(connection: Connection, ids: Collection[str]) -> frozenset[str]:
    """Those of ``ids`` that have a row on the page of the workers."""
    ended = select(_lately_ended.with_only_columns(processes.c.id).subquery().c.id)
    on_page = or_(processes.c.state.in_(ALIVE), processes.c.id.in_(ended))
    found = select(processes.c.id).where(processes.c.id.in_(ids), on_page)
    return frozenset(connection.scalars(found)) if ids else frozenset()


def _process(row) -> Process:
    return Process(
        id=row.id, kind=row.kind, supervisor_id=row.supervisor_id, host=row.host, pid=row.pid,
        version=row.version,
        queues=tuple(texts.from_json(row.queues)), jobs=tuple(texts.from_json(row.jobs)), slots=row.slots,
        state=row.state, silent=row.beat_at < clock.now() - SILENT, started_at=row.started_at,
        beat_at=row.beat_at,
        ended_at=row.ended_at, ended_because=row.ended_because, memory=row.memory,
        drained_by=row.drained_by, drained_at=row.drained_at,
    )  # fmt: skip
