"""Schedules: what a person does to them, and what a scheduler must know. ``fire`` makes their runs.

All functions are steps of the caller's transaction. The row of a schedule is the truth: schedulers only
remember when to look at it.
"""

from dataclasses import dataclass, field
from typing import Any

import sqlalchemy.exc
from sqlalchemy import Connection, and_, case, delete, func, select, update

from ledger import clock, texts, ticks
from ledger.engine import announce, insert_new
from ledger.errors import JobNotFound, LedgerError, ScheduleNotFound
from ledger.firing import (
    Fired,
    ScheduleBusy,
    fire,
    fire_all,
    locked,
    request,
    rule_of,
    run_missed,
    that_can_go_on,
)  # fmt: skip
from ledger.ids import new_id
from ledger.prepared import Prepared
from ledger.recurrence import Rule
from ledger.tables import jobs, schedules
from ledger.ticks import Catchup, Overlap

__all__ = [
    "Enabled", "Fired", "NameTaken", "NewSchedule", "RESUMED", "ScheduleBusy", "amend", "change", "changes", "create",
    "enabled", "end_overdue_pauses", "fire", "fire_all", "newest_change", "next_resumption", "pause", "remove",
    "request", "resume", "run_missed", "that_can_go_on",
]  # fmt: skip

OVERLAPS = tuple(Overlap)
REASON_LIMIT = 300
AT_ONCE = 500  # below the parameter limits of both databases
DIGEST = 2**31 - 1


class NameTaken(LedgerError):
    """Another schedule has this name; raised by ``create`` and ``change``."""

    def __init__(self, name: str):
        self.name = name
        super().__init__(f"another schedule is called {name!r}")


@dataclass(frozen=True, slots=True, kw_only=True)
class NewSchedule:
    """What a person says about a schedule. ``rule`` comes from ``recurrence.parse``, ``args`` from the job's form;
    ``jitter`` and ``expires_after`` are microseconds."""

    name: str
    job: str
    rule: Rule
    args: dict[str, Any] = field(default_factory=dict)
    queue: str | None = None
    priority: int | None = None
    overlap: str = Overlap.SKIP
    catchup: str = Catchup.LATEST
    jitter: int | None = None
    expires_after: int | None = None
    keep_runs: int | None = None


@dataclass(frozen=True, slots=True)
class Enabled:
    """A schedule as a scheduler sees it."""

    id: str
    name: str
    rule: Rule
    watermark: int


def create(connection: Connection, new: NewSchedule, by: str | None = None) -> str:
    """Adds the schedule and answers its id; its first tick lies after now. Raises JobNotFound, NameTaken."""
    _check_job(connection, new.job)
    now = clock.now()
    row = {"id": new_id(), "watermark": now, "created_at": now, "created_by": by, "changed_at": now}
    statement = insert_new(connection, schedules).values(row | _columns(new)).returning(schedules.c.id)
    schedule_id = connection.scalar(statement)
    if schedule_id is None:
        raise NameTaken(new.name)
    announce(connection)
    return schedule_id


def _check_job(connection: Connection, name: str) -> None:
    if connection.scalar(select(jobs.c.name).where(jobs.c.name == name)) is None:
        raise JobNotFound(name)


def _columns(new: NewSchedule) -> dict[str, Any]:
    return {
        "name": new.name, "job": new.job, "args": texts.to_json(new.args), "queue": new.queue, "priority": new.priority,
        "overlap": new.overlap, "catchup": new.catchup, "kind": new.rule.kind, "rule": new.rule.text,
        "timezone": new.rule.timezone, "anchor_at": new.rule.anchor, "starts_at": new.rule.starts,
        "ends_at": new.rule.ends, "jitter": new.jitter, "expires_after": new.expires_after, "keep_runs": new.keep_runs,
    }  # fmt: skip


def change(connection: Connection, schedule_id: str, new: NewSchedule) -> None:
    """Replaces what a person said. A new rule begins now: it has no past to catch up with.

    Raises ScheduleNotFound, JobNotFound, NameTaken.
    """
    row = locked(connection, schedule_id)
    if row is None:
        raise ScheduleNotFound(schedule_id)
    _check_job(connection, new.job)
    columns = _columns(new)
    if rule_of(row) != new.rule:
        columns["watermark"] = clock.now()
    try:
        _update(connection, schedules.c.id == schedule_id, columns)
    except sqlalchemy.exc.IntegrityError as error:
        raise NameTaken(new.name) from error


def pause(connection: Connection, schedule_id: str, by: str, reason: str = "", resumes_at: int | None = None) -> None:
    """Stops its ticks; they are put on record as skipped when it is resumed, by a person or at ``resumes_at``.

    Raises ScheduleNotFound.
    """
    where = and_(schedules.c.id == schedule_id, schedules.c.paused_at.is_(None))
    said = {"paused_reason": texts.clean(reason, REASON_LIMIT) or None, "resumes_at": resumes_at}
    if not _update(connection, where, {"paused_at": clock.now(), "paused_by": by} | said):
        _check(connection, schedule_id)


RESUMED = {"paused_at": None, "paused_by": None, "paused_reason": None, "resumes_at": None}


def resume(connection: Connection, schedule_id: str) -> None:
    """Lets it tick again, from now on: what passed in the pause is skipped. Raises ScheduleNotFound."""
    row = locked(connection, schedule_id)
    if row is None:
        raise ScheduleNotFound(schedule_id)
    if row.paused_at is not None:
        _go_on(connection, row, clock.now())


def end_overdue_pauses(connection: Connection) -> list[str]:
    """Resumes those whose time has come, from that time on: their names."""
    overdue = select(schedules).where(schedules.c.resumes_at <= clock.now(), schedules.c.paused_at.is_not(None))
    found = connection.execute(overdue.order_by(schedules.c.id).with_for_update(skip_locked=True)).fetchall()
    for row in found:
        _go_on(connection, row, row.resumes_at - 1)
    return [row.name for row in found]


def _go_on(connection: Connection, row, since: int) -> None:
    """Ends its pause, and accounts for the ticks that passed in it."""
    skipped = ticks.passed_over(rule_of(row), row.watermark, since)
    ticks.record(connection, [(row.id, tick) for tick in skipped], clock.now())
    _update(connection, schedules.c.id == row.id, RESUMED | {"watermark": since})


def next_resumption(connection: Connection) -> int | None:
    """When the next pause ends by itself; None when none does."""
    return connection.scalar(select(func.min(schedules.c.resumes_at)).where(schedules.c.paused_at.is_not(None)))


def amend(connection: Connection, schedule_id: str, columns: dict[str, Any]) -> bool:
    """Overwrites these columns; False when there is no such schedule."""
    return _update(connection, schedules.c.id == schedule_id, columns)


def _update(connection: Connection, where, columns: dict[str, Any]) -> bool:
    now = clock.now()
    # Moves forward even if the clock does not: a scheduler compares it with what it has seen.
    later = case((schedules.c.changed_at >= now, schedules.c.changed_at + 1), else_=now)
    changed = connection.execute(update(schedules).where(where).values(**columns, changed_at=later)).rowcount
    announce(connection)
    return bool(changed)


def _check(connection: Connection, schedule_id: str) -> None:
    if connection.scalar(select(schedules.c.id).where(schedules.c.id == schedule_id)) is None:
        raise ScheduleNotFound(schedule_id)


def remove(connection: Connection, schedule_id: str) -> None:
    """Deletes the schedule and the record of its ticks; its runs stay. Raises ScheduleNotFound."""
    if not connection.execute(delete(schedules).where(schedules.c.id == schedule_id)).rowcount:
        raise ScheduleNotFound(schedule_id)
    announce(connection)


_ticks = schedules.c.paused_at.is_(None)


def enabled(connection: Connection, ids: list[str] | None = None) -> list[Enabled]:
    """The schedules that tick, by name; of these ``ids`` only, where some are given, and in no order."""
    if ids is not None:
        parts = (ids[start : start + AT_ONCE] for start in range(0, len(ids), AT_ONCE))
        return [each for part in parts for each in _enabled(connection, schedules.c.id.in_(part))]
    return _enabled(connection)


def _enabled(connection: Connection, *where) -> list[Enabled]:
    rows = connection.execute(select(schedules).where(_ticks, *where).order_by(schedules.c.name))
    return [Enabled(row.id, row.name, rule_of(row), row.watermark) for row in rows]


def changes(connection: Connection) -> dict[str, int]:
    """Of each schedule that ticks, when it was changed last."""
    return dict(connection.execute(select(schedules.c.id, schedules.c.changed_at).where(_ticks)).fetchall())


_newest_change = Prepared(
    select(
        func.count(),
        func.coalesce(func.max(schedules.c.changed_at), 0),
        func.coalesce(func.sum(schedules.c.changed_at % DIGEST), 0),
    )
)


def newest_change(connection: Connection) -> tuple[int, int, int]:
    """Differs from what it was before whenever a schedule was made, changed or deleted.

    The newest time alone would not do: of two changes, the one that was made first may be committed last.
    """
    return tuple(_newest_change.run(connection, {}).one())
