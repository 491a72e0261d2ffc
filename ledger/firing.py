"""Firing a schedule: due ticks become runs, once each, whoever fires and however many do."""

import hashlib
from collections.abc import Iterable
from typing import NamedTuple

from sqlalchemy import ColumnElement, Connection, Select, Subquery, exists, or_, select, update

from ledger import clock, failpoints, recurrence, runs, texts, ticks
from ledger.errors import LedgerError, ScheduleNotFound
from ledger.ids import new_id
from ledger.recurrence import Rule
from ledger.runs import NewRun
from ledger.states import ACTIVE
from ledger.tables import jobs, schedules
from ledger.tables import runs as runs_table
from ledger.tables import ticks as ticks_table
from ledger.ticks import Overlap, Policy, Tick, TickOutcome

DEFAULT_QUEUE = "default"
LOOK_BACK = 50  # runs of a schedule that are looked at for one that is not finished


class Fired(NamedTuple):
    run_id: str
    job: str
    queue: str


class ScheduleBusy(LedgerError):
    """Somebody else holds the schedule's row just now; raised by ``fire`` when it was told not to wait."""

    def __init__(self, schedule_id: str):
        self.schedule_id = schedule_id
        super().__init__(f"schedule {schedule_id} is held by another transaction")


def fire(connection: Connection, schedule_id: str, now: int, wait: bool = True) -> list[Fired]:
    """Makes the runs that are due by ``now``, records every tick and moves the watermark.

    Any number of schedulers may do this at once: the row lock lets one after the other see what is left, and a
    tick that is on record makes no second run. A schedule that was paused, changed or deleted meanwhile is
    taken as it is now. Without ``wait``, ScheduleBusy is raised where another transaction would be waited for.
    """
    row = locked(connection, schedule_id, wait)
    if row is None or row.paused_at is not None:
        return []
    waiting = ticks.waiting(connection, schedule_id)
    busy = row.overlap in (Overlap.SKIP, Overlap.QUEUE) and _is_busy(connection, schedule_id)
    planned = ticks.plan(rule_of(row), row.watermark, now, policy_of(row), busy, len(waiting))
    fired: list[Fired] = []
    if planned and _move_watermark(connection, row, planned[-1].at):
        failpoints.mark(connection, "tick")
        made = [tick for tick in ticks.record(connection, schedule_id, planned, now) if tick.run_id]
        if made and row.overlap == Overlap.CANCEL:
            _cancel_older(connection, row)
        fired = _insert_runs(connection, row, made)
    return fired or (_start_waiting(connection, row, waiting, busy, now) if waiting else [])


def fire_all(connection: Connection, schedule_ids: list[str], now: int) -> tuple[list[Fired], list[str]]:
    """``fire`` for several, without waiting: what was fired, and the schedules that somebody else holds just now."""
    fired, held = [], []
    for each in schedule_ids:
        try:
            fired += fire(connection, each, now, wait=False)
        except ScheduleBusy:
            held.append(each)
    return fired, held


def _start_waiting(connection: Connection, row, waiting: list[int], busy: bool, now: int) -> list[Fired]:
    """The first of the ticks that waited for the run before, once that has finished."""
    if row.overlap != Overlap.QUEUE:  # somebody changed that meanwhile
        for at in waiting:
            ticks.settle(connection, row.id, Tick(at, TickOutcome.SKIPPED, ticks.NOT_FINISHED))
        return []
    for at in () if busy else waiting:
        waited = {"time": recurrence.spell((now - at) // clock.SECOND)}
        if row.expires_after is not None and now - at >= row.expires_after:
            ticks.settle(connection, row.id, Tick(at, TickOutcome.MISSED, ticks.EXPIRED % waited))
            continue
        tick = Tick(at, TickOutcome.LATE, ticks.WAITED % waited, new_id())
        ticks.settle(connection, row.id, tick)
        return _insert_runs(connection, row, [tick])
    return []


def locked(connection: Connection, schedule_id: str, wait: bool = True):
    """Its row, held until this transaction ends; None when there is none. Raises ScheduleBusy without ``wait``."""
    statement = select(schedules).where(schedules.c.id == schedule_id)
    row = connection.execute(statement.with_for_update(skip_locked=not wait)).one_or_none()
    if row is None and not wait and connection.execute(statement).one_or_none():
        raise ScheduleBusy(schedule_id)
    return row


def rule_of(row) -> Rule:
    return Rule(row.kind, row.rule, row.timezone, row.anchor_at, row.starts_at, row.ends_at)


def policy_of(row) -> Policy:
    return Policy(row.catchup, row.overlap, row.expires_after)


def that_can_go_on(connection: Connection) -> list[str]:
    """Schedules with ticks that wait, and nothing to wait for: no run of theirs is active, or they queue no more."""
    waits = schedules.c.id.in_(select(ticks_table.c.schedule_id).where(ticks.is_waiting))
    active = or_(*(_has_active(last.subquery()) for last in _last_runs(schedules.c.id)))
    able = or_(schedules.c.overlap != Overlap.QUEUE, ~active)
    return list(connection.scalars(select(schedules.c.id).where(waits, schedules.c.paused_at.is_(None), able)))


def _has_active(last: Subquery) -> ColumnElement[bool]:
    return exists().where(last.c.state.in_(ACTIVE))


def _is_busy(connection: Connection, schedule_id: str) -> bool:
    return bool(_active(connection, schedule_id))


def _active(connection: Connection, schedule_id: str) -> list[str]:
    """Those of its last runs that wait or run."""
    found = [row for statement in _last_runs(schedule_id) for row in connection.execute(statement)]
    return [row.id for row in found if row.state in ACTIVE]


def _last_runs(schedule_id: str | ColumnElement[str]) -> tuple[Select, Select]:
    """Of its ticks, and those by hand. Looking back a little is enough: while one is active no other is made, except
    by hand or by a schedule that allowed overlaps until a moment ago.
    """
    run = runs_table.c
    own = select(run.id, run.state).where(run.schedule_id == schedule_id).limit(LOOK_BACK).correlate(schedules)
    ticked = own.where(run.tick_at.is_not(None)).order_by(run.tick_at.desc())
    return ticked, own.where(run.tick_at.is_(None)).order_by(run.id.desc())


def _cancel_older(connection: Connection, row) -> None:
    for run_id in _active(connection, row.id):
        runs.stop(connection, run_id, row.name)


def _move_watermark(connection: Connection, row, at: int) -> bool:
    guarded = update(schedules).where(schedules.c.id == row.id, schedules.c.watermark == row.watermark)
    return bool(connection.execute(guarded.values(watermark=at)).rowcount)


def _insert_runs(connection: Connection, row, made: Iterable[Tick]) -> list[Fired]:
    new = [
        _new_run(connection, row, row.name, "schedule", id=tick.run_id, tick_at=tick.at, **_times(row, tick.at))
        for tick in made
    ]
    ids = runs.insert(connection, new)
    for each, run_id in zip(new, ids, strict=True):
        if run_id != each.id:
            ticks.note_equal(connection, row.id, each.tick_at, run_id)
    return [Fired(each.id, each.job, each.queue) for each in new if each.id in ids]


def _times(row, at: int) -> dict[str, int | None]:
    due_at = at + offset(row.id, at, row.jitter) if row.jitter else None
    return {"due_at": due_at, "expires_at": None if row.expires_after is None else (due_at or at) + row.expires_after}


def offset(schedule_id: str, at: int, jitter: int) -> int:
    """How long after its tick a run is due: the same whoever fires it, and spread evenly below ``jitter``."""
    digest = hashlib.sha256(f"{schedule_id} {at}".encode()).digest()
    return int.from_bytes(digest[:8], "big") * jitter >> 64


def request(connection: Connection, schedule_id: str, by: str, idempotency_key: str | None = None) -> NewRun:
    """The run of a schedule that a person wants now, besides its ticks. Raises ScheduleNotFound."""
    row = connection.execute(select(schedules).where(schedules.c.id == schedule_id)).one_or_none()
    if row is None:
        raise ScheduleNotFound(schedule_id)
    return _new_run(connection, row, by, "form", idempotency_key=idempotency_key)


def _new_run(connection: Connection, row, by: str, origin: str, **more) -> NewRun:
    queue, priority = _queue_and_priority(connection, row)
    return NewRun(
        job=row.job, queue=queue, priority=priority, kwargs=texts.from_json(row.args), typed=True, origin=origin,
        created_by=by, schedule_id=row.id, **more,
    )  # fmt: skip


def _queue_and_priority(connection: Connection, row) -> tuple[str, int]:
    """The schedule's own, else the job's as announced now.

    A job that nobody ever announced still gets its run, in the default queue: an accepted tick is not lost for
    want of a worker, and the run's page says that no worker serves the job.
    """
    job = connection.execute(select(jobs.c.queue, jobs.c.priority).where(jobs.c.name == row.job)).one_or_none()
    queue, priority = job or (DEFAULT_QUEUE, 0)
    return row.queue or queue, priority if row.priority is None else row.priority
