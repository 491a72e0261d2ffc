"""Schedules that code or a file declares, in the ledger: what is said is kept, and the schedules follow it.

A schedule follows its declaration as long as nobody edited it; an edit stays, and both are kept to compare. One
that is not declared any more is paused until somebody decides, or until it is declared again.
"""

import logging
from collections.abc import Iterable
from typing import Any

from sqlalchemy import Connection, Engine, delete, func, select, update

from ledger import clock, declarations, schedules, statements, texts
from ledger.declarations import DeclarationError, schedule_of
from ledger.engine import insert_if_new, lock_against_writes, reading, writing
from ledger.errors import N_, LedgerError, ScheduleNotFound
from ledger.fleet import ALIVE
from ledger.statements import FILE, SITE, Answer, Held, Statement
from ledger.tables import jobs, processes
from ledger.tables import schedules as table
from ledger.tables import statements as statements_table

log = logging.getLogger(__name__)

#: Who paused what is not declared any more, as it is kept.
PAUSED_BY = {statements.CODE: "code", FILE: "schedules.toml"}
REMEMBERED = 30 * 86_400 * clock.SECOND
NOT_DECLARED = {"origin": SITE, "declared_as": None, "declared": None, "declared_at": None, "undeclared_at": None}


class StillDeclared(LedgerError):
    """The schedule is to be deleted, but running code or the file declares it: it would come back."""

    def __init__(self, schedule_id: str, name: str, place: str):
        self.schedule_id, self.name, self.place = schedule_id, name, place
        super().__init__(f"the schedule {name!r} is declared in {place}")


# What processes say


def announce(engine: Engine, process_id: str, statement: Statement) -> None:
    """Keeps what the process declares, from now on, and lets the schedules follow."""
    for each in statement.faults:
        log.error("A schedule cannot be used: %s", statements.in_words(each))
    with writing(engine) as connection:
        lock_against_writes(connection, "statements")  # first of all, or two of these would wait for each other
        insert_if_new(connection, statements_table, _row(statement))
        own = update(processes).where(processes.c.id == process_id)
        connection.execute(own.values(statement=statement.id))
        _forget_old(connection)
        changes = follow(connection)
    for change in changes:
        log.info("%s", change)


def _forget_old(connection: Connection) -> None:
    """What nobody stands for any more, and was said long ago."""
    held = select(processes.c.statement).where(processes.c.statement.is_not(None))
    old = (statements_table.c.first_at < clock.now() - REMEMBERED, statements_table.c.id.not_in(held))
    connection.execute(delete(statements_table).where(*old))


def _row(statement: Statement) -> dict[str, Any]:
    return {
        "id": statement.id, "source": statement.source, "said": statement.said, "first_at": clock.now(),
        "faults": texts.to_json(statement.faults),
    }  # fmt: skip


def state_of_things(connection: Connection) -> tuple:
    """Differs from what it was before whenever there may be something to follow."""
    said = select(processes.c.statement).where(processes.c.state.in_(ALIVE), processes.c.statement.is_not(None))
    alive = connection.scalars(said.distinct().order_by(processes.c.statement))
    announced = connection.scalar(select(func.max(jobs.c.announced_at)))
    return tuple(alive), announced, schedules.newest_change(connection)


def follow_if_changed(engine: Engine, seen: tuple | None) -> tuple:
    """The state of things, after the schedules followed it if it is not the one that was ``seen``."""
    with reading(engine) as connection:
        if state_of_things(connection) == seen:
            return seen
    with writing(engine) as connection:
        changes = follow(connection)
        now = state_of_things(connection)
    for change in changes:
        log.info("%s", change)
    return now


# Following it


def follow(connection: Connection) -> list[str]:
    """Makes, changes and holds up schedules as living processes declare them: what was done, in words."""
    lock_against_writes(connection, "statements")
    voices = _voices(connection)
    rows = {row.declared_as: row for row in connection.execute(select(table).where(table.c.declared_as.is_not(None)))}
    found = statements.resolve(voices, {name: _held(row) for name, row in rows.items()})
    step = _Step(connection, rows)
    for name in sorted(found):
        step.take(name, found[name])
    _keep_obstacles(connection, voices, [*step.obstacles, *(kept for _, kept in statements.twice(voices))])
    return step.changes


def _voices(connection: Connection) -> list[Statement]:
    """The newest first."""
    alive = select(processes.c.statement).where(processes.c.state.in_(ALIVE), processes.c.statement.is_not(None))
    columns = (statements_table.c.source, statements_table.c.said, statements_table.c.faults)
    own = select(*columns).where(statements_table.c.id.in_(alive))
    rows = connection.execute(own.order_by(statements_table.c.first_at.desc(), statements_table.c.id))
    return [statements.of_json(*row) for row in rows]


def _held(row) -> Held:
    said = texts.from_json(row.declared)
    return Held(row.origin, said["job"], said["module"])


class _Step:
    """One pass over what is declared, within one transaction."""

    def __init__(self, connection: Connection, rows: dict[str, Any]):
        self.connection, self.rows = connection, rows
        self.parameters = dict(connection.execute(select(jobs.c.name, jobs.c.parameters)).fetchall())
        self.changes: list[str] = []
        self.obstacles: list[dict[str, Any]] = []

    def take(self, name: str, answer: Answer) -> None:
        row, said = self.rows.get(name), answer.declared
        if said is None:
            if row is not None and row.undeclared_at is None and not answer.is_wrong:
                self._hold_up(row)
        elif row is None or (row.origin, row.declared, row.undeclared_at) != (answer.source, texts.to_json(said), None):
            error = self._obstacle(said)
            if error is None:
                error = self._make(answer.source, said) if row is None else self._update(row, answer.source, said)
            if error is not None:
                self.obstacles.append(statements.fault(said["place"], error))

    def _obstacle(self, said: dict[str, Any]) -> DeclarationError | None:
        if said["job"] not in self.parameters:
            return DeclarationError(N_("No worker ever announced a job called “%(job)s”."), job=said["job"])
        return declarations.misfit(said, self._parameters_of(said["job"]))

    def _parameters_of(self, job: str) -> dict[str, Any]:
        return texts.from_json(self.parameters.get(job)) or {}

    def _make(self, source: str, said: dict[str, Any]) -> DeclarationError | None:
        try:
            schedule_id = schedules.create(self.connection, schedule_of(said))
        except schedules.NameTaken:
            told = N_("A schedule called “%(name)s” was made or renamed here: rename one of the two.")
            return DeclarationError(told, name=said["name"])
        schedules.amend(self.connection, schedule_id, _as_declared(source, said))
        self.changes.append(f"Schedule {said['name']} is declared in {said['place']}.")
        return None

    def _update(self, row, source: str, said: dict[str, Any]) -> None:
        before = texts.from_json(row.declared)
        if not is_edited(row, before, self._parameters_of(row.job)) and declarations.differences(before, said):
            schedules.change(self.connection, row.id, schedule_of(said))
            self.changes.append(f"Schedule {row.name} follows {said['place']}.")
        columns = _as_declared(source, said)
        if not declarations.differences(before, said):
            columns["declared_at"] = row.declared_at
        if row.undeclared_at is not None:
            # What passed meanwhile is made up for as after downtime: it may have gone by mistake.
            columns |= schedules.RESUMED if row.paused_at == row.undeclared_at else {}
            self.changes.append(f"Schedule {row.name} is declared again in {said['place']}.")
        schedules.amend(self.connection, row.id, columns)

    def _hold_up(self, row) -> None:
        now = clock.now()
        paused = {"paused_at": now, "paused_by": PAUSED_BY[row.origin]} if row.paused_at is None else {}
        schedules.amend(self.connection, row.id, {"undeclared_at": now} | paused)
        self.changes.append(f"Schedule {row.name} is not declared any more: it is paused until somebody decides.")


def is_edited(row, declared: dict[str, Any], parameters: dict[str, Any]) -> bool:
    return bool(declarations.differences(declared, declarations.said_by(row), parameters))


def _as_declared(source: str, said: dict[str, Any]) -> dict[str, Any]:
    return {
        "origin": source, "declared_as": said["name"], "declared": texts.to_json(said), "declared_at": clock.now(),
        "undeclared_at": None,
    }  # fmt: skip


def _keep_obstacles(connection: Connection, voices: list[Statement], obstacles: Iterable[dict[str, Any]]) -> None:
    """Beside the newest statement that says the place; they are logged when they are new."""
    by_id: dict[str, list[dict[str, Any]]] = {each.id: [] for each in voices}
    for kept in obstacles:
        own = next(each for each in voices if kept["place"] in {said["place"] for said in each.schedules.values()})
        by_id[own.id].append(kept)
    for statement_id, found in by_id.items():
        text, own = texts.to_json(found), statements_table.c.id == statement_id
        changed = update(statements_table).where(own, statements_table.c.obstacles != text).values(obstacles=text)
        if connection.execute(changed).rowcount:
            for kept in found:
                log.warning("A schedule cannot be followed now: %s", statements.in_words(kept))


# What people do


def reset(connection: Connection, schedule_id: str) -> None:
    """Gives up what was edited: the schedule is as declared again. Raises ScheduleNotFound, JobNotFound, NameTaken."""
    row = _row_of(connection, schedule_id)
    if row.declared is not None and row.undeclared_at is None:
        schedules.change(connection, schedule_id, schedule_of(texts.from_json(row.declared)))


def keep(connection: Connection, schedule_id: str) -> None:
    """Makes a schedule that is not declared any more one of the site's own; it ticks from now on, unless a person
    paused it. Raises ScheduleNotFound."""
    row = _row_of(connection, schedule_id)
    if row.undeclared_at is None:
        return
    resumed = schedules.RESUMED | {"watermark": clock.now()} if row.paused_at == row.undeclared_at else {}
    schedules.amend(connection, schedule_id, NOT_DECLARED | resumed)


def remove(connection: Connection, schedule_id: str) -> None:
    """As ``schedules.remove``, but not what would come back. Raises ScheduleNotFound, StillDeclared."""
    row = _row_of(connection, schedule_id)
    if is_declared_now(connection, row):
        raise StillDeclared(schedule_id, row.name, texts.from_json(row.declared)["place"])
    schedules.remove(connection, schedule_id)


def is_declared_now(connection: Connection, row) -> bool:
    """Whether a living process declares the schedule of this row, or would if what it read were not broken."""
    name = row.declared_as
    if name is None:
        return False
    voices = [each for each in _voices(connection) if each.source == row.origin]
    return any(name in each.schedules or name in each.wrong or each.is_broken for each in voices)


def _row_of(connection: Connection, schedule_id: str):
    row = connection.execute(select(table).where(table.c.id == schedule_id)).one_or_none()
    if row is None:
        raise ScheduleNotFound(schedule_id)
    return row
