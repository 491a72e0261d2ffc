"""Firing a schedule: due ticks become runs, once each, whoever fires and however many do."""

import hashlib
from collections.abc import Iterable
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Connection, Select, bindparam, exists, or_, select, update

from ledger import clock, failpoints, recurrence, runs, texts, ticks
from ledger.errors import LedgerError, ScheduleNotFound
from ledger.ids import new_id
from ledger.prepared import Prepared
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
    """``fire_all`` for one. Without ``wait``, ScheduleBusy is raised where another transaction would be waited for."""
    fired, held = fire_all(connection, [schedule_id], now, wait)
    if held:
        raise ScheduleBusy(schedule_id)
    return fired


def fire_all(
    connection: Connection, schedule_ids: list[str], now: int, wait: bool = False
) -> tuple[list[Fired], list[str]]:
    """Makes the runs that are due by ``now``, records every tick and moves the watermarks. Answers the runs, and
    which of the schedules were left out because another transaction holds them, unless that is to be waited for.

    Any number of schedulers may do this at once: the row lock lets one after the other see what is left, and a
    tick that is on record makes no second run. A schedule that was paused, changed or deleted meanwhile is
    taken as it is now.
    """
    rows, held = _locked_all(connection, schedule_ids, wait)
    rows = {row.id: row for row in rows if row.paused_at is None}
    waiting = ticks.waiting(connection, list(rows))
    busy = _busy(connection, [row.id for row in rows.values() if row.overlap in (Overlap.SKIP, Overlap.QUEUE)])
    planned = {id: _planned(row, now, id in busy, len(waiting.get(id, ()))) for id, row in rows.items()}
    fired = _make(connection, rows, {id: each for id, each in planned.items() if each}, now)
    for id, times in waiting.items():
        fired += _start_waiting(connection, rows[id], times, id in busy, now)
    return fired, held


def _planned(row, now: int, busy: bool, waiting: int) -> list[Tick]:
    return ticks.plan(rule_of(row), row.watermark, now, policy_of(row), busy, waiting)


def _make(connection: Connection, rows: dict, planned: dict[str, list[Tick]], now: int) -> list[Fired]:
    """Records what was planned for each schedule, and makes the runs of it that nobody made yet."""
    if not planned:
        return []
    _move_watermark.run_many(connection, [{"the_id": id, "at": each[-1].at} for id, each in planned.items()])
    failpoints.mark(connection, "tick")
    made = ticks.record(connection, [(id, tick) for id, each in planned.items() for tick in each], now)
    for id in {id for id, _tick in made if rows[id].overlap == Overlap.CANCEL}:
        _cancel_older(connection, rows[id])
    return _insert_runs(connection, [(rows[id], tick) for id, tick in made])


#: Never back: what was dealt with stays so.
_move_watermark = Prepared(
    update(schedules)
    .where(schedules.c.id == bindparam("the_id"), schedules.c.watermark < bindparam("at"))
    .values(watermark=bindparam("at"))
)


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
        return _insert_runs(connection, [(row, tick)])
    return []


def locked(connection: Connection, schedule_id: str):
    """Its row, held until this transaction ends; None when there is none."""
    rows, _held = _locked_all(connection, [schedule_id], wait=True)
    return rows[0] if rows else None


def _locked_all(connection: Connection, ids: list[str], wait: bool) -> tuple[list, list[str]]:
    """Their rows, held until this transaction ends, and the ids of those that another one holds."""
    wanted = select(schedules).where(schedules.c.id.in_(ids))
    rows = connection.execute(wanted.with_for_update(skip_locked=not wait)).fetchall()
    missing = set(ids) - {row.id for row in rows}
    if wait or not missing:
        return rows, []
    return rows, list(connection.scalars(select(schedules.c.id).where(schedules.c.id.in_(missing))))


def rule_of(row) -> Rule:
    return Rule(row.kind, row.rule, row.timezone, row.anchor_at, row.starts_at, row.ends_at)


def policy_of(row) -> Policy:
    return Policy(row.catchup, row.overlap, row.expires_after)


def that_can_go_on(connection: Connection) -> list[str]:
    """Schedules with ticks that wait, and nothing to wait for: no run of theirs is active, or they queue no more."""
    waits = schedules.c.id.in_(select(ticks_table.c.schedule_id).where(ticks.is_waiting))
    able = or_(schedules.c.overlap != Overlap.QUEUE, ~has_active_run)
    return list(connection.scalars(select(schedules.c.id).where(waits, schedules.c.paused_at.is_(None), able)))


def _busy(connection: Connection, ids: list[str]) -> set[str]:
    """Those of the schedules that have an active run."""
    of_these = schedules.c.id.in_(ids)
    return set(connection.scalars(select(schedules.c.id).where(of_these, has_active_run))) if ids else set()


def _active(connection: Connection, schedule_id: str) -> list[str]:
    """Those of its last runs that wait or run."""
    found = [row for statement in _last_runs(schedule_id) for row in connection.execute(statement)]
    return [row.id for row in found if row.state in ACTIVE]


#: Not the id itself: PostgreSQL would walk all runs back by their key, and a schedule may have none that is by hand.
newest_by_hand = (runs_table.c.id + "").desc()


def _last_runs(schedule_id: str | ColumnElement[str]) -> tuple[Select, Select]:
    """Of its ticks, and those by hand. Looking back a little is enough: while one is active no other is made, except
    by hand or by a schedule that allowed overlaps until a moment ago.
    """
    run = runs_table.c
    own = select(run.id, run.state).where(run.schedule_id == schedule_id).limit(LOOK_BACK).correlate(schedules)
    ticked = own.where(run.tick_at.is_not(None)).order_by(run.tick_at.desc())
    return ticked, own.where(run.tick_at.is_(None)).order_by(newest_by_hand)


#: Of a row of ``schedules``.
has_active_run = or_(
    *(exists().where(last.c.state.in_(ACTIVE)) for last in (each.subquery() for each in _last_runs(schedules.c.id)))
)


def _cancel_older(connection: Connection, row) -> None:
    for run_id in _active(connection, row.id):
        runs.stop(connection, run_id, row.name)


def _insert_runs(connection: Connection, made: list[tuple[Any, Tick]]) -> list[Fired]:
    """Of ticks, each with its schedule's row."""
    if not made:
        return []
    places = _places(connection, [row for row, _tick in made])
    new = [
        _new_run(row, places, row.name, "schedule", id=tick.run_id, tick_at=tick.at, **_times(row, tick.at))
        for row, tick in made
    ]
    return _insert(connection, new)


def _insert(connection: Connection, new: list[NewRun]) -> list[Fired]:
    ids = runs.insert(connection, new)
    for each, run_id in zip(new, ids, strict=True):
        if run_id != each.id:
            ticks.note_equal(connection, each.schedule_id, each.tick_at, run_id)
    inserted = set(ids)
    return [Fired(each.id, each.job, each.queue) for each in new if each.id in inserted]


def _times(row, at: int) -> dict[str, int | None]:
    due_at = at + offset(row.id, at, row.jitter) if row.jitter else None
    return {"due_at": due_at, "expires_at": None if row.expires_after is None else (due_at or at) + row.expires_after}


def offset(schedule_id: str, at: int, jitter: int) -> int:
    """How long after its tick a run is due: the same whoever fires it, and spread evenly below ``jitter``."""
    digest = hashlib.sha256(f"{schedule_id} {at}".encode()).digest()
    return int.from_bytes(digest[:8], "big") * jitter >> 64


def run_missed(connection: Connection, schedule_id: str, times: Iterable[int], by: str) -> list[Fired]:
    """Makes the runs of those of these ticks that were missed, and nobody made yet, because a person wants them now.

    They are due at once, side by side, and do not expire. Raises ScheduleNotFound.
    """
    row = locked(connection, schedule_id)
    if row is None:
        raise ScheduleNotFound(schedule_id)
    now, wanted = clock.now(), set(times)
    made = [_by_hand(at, now, by) for at in ticks.missed(connection, schedule_id) if at in wanted]
    for tick in made:
        ticks.settle(connection, schedule_id, tick)
    places = _places(connection, [row])
    return _insert(connection, [_new_run(row, places, by, "form", id=tick.run_id, tick_at=tick.at) for tick in made])


def _by_hand(at: int, now: int, by: str) -> Tick:
    said = ticks.BY_HAND % {"person": by, "time": recurrence.spell((now - at) // clock.SECOND)}
    return Tick(at, TickOutcome.LATE, said, new_id())


def request(connection: Connection, schedule_id: str, by: str, idempotency_key: str | None = None) -> NewRun:
    """The run of a schedule that a person wants now, besides its ticks. Raises ScheduleNotFound."""
    row = connection.execute(select(schedules).where(schedules.c.id == schedule_id)).one_or_none()
    if row is None:
        raise ScheduleNotFound(schedule_id)
    return _new_run(row, _places(connection, [row]), by, "form", idempotency_key=idempotency_key)


def _new_run(row, places: dict[str, tuple[str, int]], by: str, origin: str, **more) -> NewRun:
    """The schedule's own queue and priority, else the job's as announced now.

    A job that nobody ever announced still gets its run, in the default queue: an accepted tick is not lost for
    want of a worker, and the run's page says that no worker serves the job.
    """
    queue, priority = places.get(row.job, (DEFAULT_QUEUE, 0))
    return NewRun(
        job=row.job, queue=row.queue or queue, priority=priority if row.priority is None else row.priority,
        kwargs=texts.from_json(row.args), typed=True, origin=origin, created_by=by, schedule_id=row.id, **more,
    )  # fmt: skip


def _places(connection: Connection, rows: list) -> dict[str, tuple[str, int]]:
    """Queue and priority of the schedules' jobs, by name."""
    of_these = jobs.c.name.in_({row.job for row in rows})
    found = connection.execute(select(jobs.c.name, jobs.c.queue, jobs.c.priority).where(of_these))
    return {name: (queue, priority) for name, queue, priority in found}
