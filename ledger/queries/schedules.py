"""Schedules for pages: what ticks next and what became of the last ticks."""

from dataclasses import dataclass

from sqlalchemy import Connection, Engine, Row, select

from ledger import clock, recurrence, texts
from ledger.engine import reading
from ledger.errors import ScheduleNotFound
from ledger.firing import rule_of
from ledger.queries.lines import RunLine, lines
from ledger.queries.origins import Fault, Origin, faults, origin_of, origins
from ledger.queries.system import system_of
from ledger.recurrence import Rule
from ledger.tables import jobs, runs, schedules, ticks
from ledger.ticks import TickOutcome

MOST_SCHEDULES = 300
LAST_TICKS = 30
DAY = 24 * 3_600 * clock.SECOND


@dataclass(frozen=True, slots=True, kw_only=True)
class Schedule:
    """``next_at`` is None while it is paused, and when no tick is to come. ``args`` are the keyword arguments of its
    runs; ``jitter`` and ``expires_after`` are microseconds."""

    id: str
    name: str
    job: str
    args: dict
    queue: str | None
    priority: int | None
    rule: Rule
    overlap: str
    catchup: str
    jitter: int | None
    expires_after: int | None
    keep_runs: int | None
    paused_at: int | None
    paused_by: str | None
    paused_reason: str | None
    resumes_at: int | None
    created_at: int
    created_by: str | None
    next_at: int | None
    is_declared: bool
    is_held_up: bool  # paused because it is not declared any more


@dataclass(frozen=True, slots=True)
class TickLine:
    at: int
    outcome: TickOutcome
    reason: str | None
    run: RunLine | None


@dataclass(frozen=True, slots=True)
class ScheduleLine:
    """``last`` is its newest run, by a tick or by hand; ``missed`` are the missed ones of its last ticks, of a day."""

    schedule: Schedule
    last: RunLine | None
    missed: tuple[int, ...]
    origin: Origin


@dataclass(frozen=True, slots=True)
class SchedulesPage:
    lines: tuple[ScheduleLine, ...]
    scheduler_ok: bool
    scheduler_beat: int | None
    has_jobs: bool
    faults: tuple[Fault, ...]


@dataclass(frozen=True, slots=True)
class SchedulePage:
    schedule: Schedule
    last: RunLine | None
    ticks: tuple[TickLine, ...]
    scheduler_ok: bool
    origin: Origin


def schedules_page(engine: Engine) -> SchedulesPage:
    """All schedules by name, up to ``MOST_SCHEDULES``."""
    now = clock.now()
    with reading(engine) as connection:
        rows = connection.execute(select(schedules).order_by(schedules.c.name).limit(MOST_SCHEDULES)).fetchall()
        last = _last_runs(connection, [row.id for row in rows])
        system, from_where = system_of(connection, now), origins(connection, rows)
        return SchedulesPage(
            lines=tuple(_line(connection, row, last.get(row.id), now, from_where[row.id]) for row in rows),
            scheduler_ok=system.scheduler_ok,
            scheduler_beat=system.scheduler_beat,
            has_jobs=connection.scalar(select(jobs.c.name).limit(1)) is not None,
            faults=faults(connection),
        )


def _line(connection: Connection, row: Row, last: RunLine | None, now: int, origin: Origin) -> ScheduleLine:
    return ScheduleLine(_schedule(row, now), last, _missed(connection, row.id, now - DAY), origin)


def schedule_page(engine: Engine, schedule_id: str) -> SchedulePage:
    """Raises ScheduleNotFound."""
    now = clock.now()
    with reading(engine) as connection:
        row = _row(connection, schedule_id)
        last = _last_runs(connection, [schedule_id]).get(schedule_id)
        ok = system_of(connection, now).scheduler_ok
        origin = origin_of(connection, schedule_id)
        return SchedulePage(_schedule(row, now), last, _ticks(connection, schedule_id), ok, origin)


def schedule_of(engine: Engine, schedule_id: str) -> Schedule:
    """Raises ScheduleNotFound."""
    with reading(engine) as connection:
        return _schedule(_row(connection, schedule_id), clock.now())


def _row(connection: Connection, schedule_id: str) -> Row:
    row = connection.execute(select(schedules).where(schedules.c.id == schedule_id)).one_or_none()
    if row is None:
        raise ScheduleNotFound(schedule_id)
    return row


def _schedule(row: Row, now: int) -> Schedule:
    rule = rule_of(row)
    paused = row.paused_at is not None
    return Schedule(
        id=row.id, name=row.name, job=row.job, args=texts.from_json(row.args), queue=row.queue, priority=row.priority,
        rule=rule, overlap=row.overlap, catchup=row.catchup, jitter=row.jitter,
        expires_after=row.expires_after, keep_runs=row.keep_runs, paused_at=row.paused_at, paused_by=row.paused_by,
        paused_reason=row.paused_reason, resumes_at=row.resumes_at,
        created_at=row.created_at, created_by=row.created_by,
        is_declared=row.declared is not None, is_held_up=paused and row.paused_at == row.undeclared_at,
        next_at=None if paused else recurrence.next_after(rule, max(now, row.watermark)),
    )  # fmt: skip


def _last_runs(connection: Connection, ids: list[str]) -> dict[str, RunLine]:
    newest = {each: max(filter(None, _newest_ids(connection, each)), default=None) for each in ids}
    found = {line.id: line for line in lines(connection, [run_id for run_id in newest.values() if run_id])}
    return {each: found[run_id] for each, run_id in newest.items() if run_id in found}


def _newest_ids(connection: Connection, schedule_id: str) -> tuple[str | None, str | None]:
    """By a tick, and by hand: apart, because that is how the index of ticks finds them at once."""
    own = select(runs.c.id).where(runs.c.schedule_id == schedule_id).limit(1)
    by_tick = own.where(runs.c.tick_at.is_not(None)).order_by(runs.c.tick_at.desc())
    by_hand = own.where(runs.c.tick_at.is_(None)).order_by(runs.c.id.desc())
    return connection.scalar(by_tick), connection.scalar(by_hand)


def _missed(connection: Connection, schedule_id: str, since: int) -> tuple[int, ...]:
    own = select(ticks.c.tick_at, ticks.c.outcome).where(ticks.c.schedule_id == schedule_id, ticks.c.tick_at > since)
    rows = connection.execute(own.order_by(ticks.c.tick_at.desc()).limit(LAST_TICKS))
    return tuple(row.tick_at for row in rows if row.outcome == TickOutcome.MISSED)


def _ticks(connection: Connection, schedule_id: str) -> tuple[TickLine, ...]:
    own = select(ticks).where(ticks.c.schedule_id == schedule_id).order_by(ticks.c.tick_at.desc()).limit(LAST_TICKS)
    rows = connection.execute(own).fetchall()
    made = {line.id: line for line in lines(connection, [row.run_id for row in rows if row.run_id])}
    return tuple(TickLine(row.tick_at, TickOutcome(row.outcome), row.reason, made.get(row.run_id)) for row in rows)
