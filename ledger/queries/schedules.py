"""Schedules for pages: what ticks next and what became of the last ticks."""

from dataclasses import dataclass, replace

from sqlalchemy import Connection, Engine, Row, bindparam, func, or_, select

from ledger import clock, recurrence, texts
from ledger.engine import reading
from ledger.errors import ScheduleNotFound
from ledger.firing import newest_by_hand, rule_of
from ledger.prepared import Prepared
from ledger.queries.finding import has
from ledger.queries.lines import RunLine, lines
from ledger.queries.next_first import next_first
from ledger.queries.origins import Fault, Origin, faults, origins
from ledger.queries.system import system_of
from ledger.queries.tick_marks import TickMark, marks
from ledger.queries.upcoming import NextTicks, upcoming
from ledger.queries.workers import Process, alive_processes
from ledger.recurrence import Rule
from ledger.tables import jobs, runs, schedules, ticks
from ledger.ticks import TickOutcome, missed

MOST_SCHEDULES = 50  # on one page
LAST_TICKS = 60  # that a page tells one by one


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
    """``last`` is its newest run, by a tick or by hand; ``marks`` are its last ticks; ``served`` by a worker that is
    alive."""

    schedule: Schedule
    last: RunLine | None
    marks: tuple[TickMark, ...]
    served: bool
    origin: Origin


@dataclass(frozen=True, slots=True)
class Wanted:
    """Schedules with ``text`` in their name or job, the next that fires first, or all ``by_name``. From the one of
    this ``name`` on, which fires ``at`` that time: how a list goes on where a page ended."""

    text: str = ""
    name: str = ""
    at: int = 0
    by_name: bool = False


EVERYTHING = Wanted()


@dataclass(frozen=True, slots=True)
class SchedulesPage:
    """``next`` fires first of all, and ``soon`` schedules do within the hour; ``following`` is the next page."""

    lines: tuple[ScheduleLine, ...]
    following: Wanted | None
    next: NextTicks | None
    soon: int
    paused: int
    number: int
    scheduler_ok: bool
    scheduler_beat: int | None
    has_jobs: bool
    faults: tuple[Fault, ...]


@dataclass(frozen=True, slots=True)
class SchedulePage:
    """``missed`` are the times of those of its last ticks that can still be run, the newest first."""

    line: ScheduleLine
    ticks: tuple[TickLine, ...]
    missed: tuple[int, ...]
    scheduler_ok: bool

    @property
    def schedule(self) -> Schedule:
        return self.line.schedule

    @property
    def origin(self) -> Origin:
        return self.line.origin


def schedules_page(engine: Engine, wanted: Wanted = EVERYTHING) -> SchedulesPage:
    """So many schedules as a page has room for."""
    now = clock.now()
    with reading(engine) as connection:
        rows, following = _page(connection, wanted, now)
        system = system_of(connection, now, alive_processes(connection))
        counted = select(func.count(), func.count(schedules.c.paused_at))
        number, paused = connection.execute(counted).one()
        ahead = upcoming(connection, now)
        return SchedulesPage(
            lines=_lines(connection, rows, now),
            following=following,
            next=ahead.next,
            soon=len(ahead.soon) + ahead.more,
            paused=paused,
            number=number,
            scheduler_ok=system.scheduler_ok,
            scheduler_beat=system.scheduler_beat,
            has_jobs=connection.scalar(select(jobs.c.name).limit(1)) is not None,
            faults=faults(connection),
        )


def _page(connection: Connection, wanted: Wanted, now: int) -> tuple[list[Row], Wanted | None]:
    """The rows of a page, and where the next one begins."""
    if wanted.by_name:
        found = rows_of(connection, wanted, MOST_SCHEDULES + 1)
        places = [(0, row.name) for row in found]
    else:
        names = connection.scalars(select(schedules.c.name).where(*_with_words(wanted.text)))
        places = next_first(connection, names, now, (wanted.at, wanted.name), MOST_SCHEDULES + 1)
        found = _named(connection, [name for _at, name in places])
    at, name = places[MOST_SCHEDULES] if len(places) > MOST_SCHEDULES else (0, "")
    return found[:MOST_SCHEDULES], replace(wanted, at=at, name=name) if name else None


def _named(connection: Connection, names: list[str]) -> list[Row]:
    """In the order of the names; one that was deleted meanwhile is left out."""
    found = {row.name: row for row in connection.execute(select(schedules).where(schedules.c.name.in_(names)))}
    return [found[name] for name in names if name in found]


def rows_of(connection: Connection, wanted: Wanted, most: int) -> list[Row]:
    """By name."""
    here = (schedules.c.name >= wanted.name, *_with_words(wanted.text))
    return list(connection.execute(select(schedules).where(*here).order_by(schedules.c.name).limit(most)))


def _with_words(text: str) -> list:
    words = text.lower().split()
    return [or_(has(schedules.c.name, word), has(schedules.c.job, word)) for word in words]


def _lines(connection: Connection, rows: list[Row], now: int) -> tuple[ScheduleLine, ...]:
    last = _last_runs(connection, [row.id for row in rows])
    serving = [each for each in alive_processes(connection) if each.takes_runs]
    queues, from_where = _queues(connection, rows), origins(connection, rows)
    return tuple(
        ScheduleLine(
            _schedule(row, now),
            last.get(row.id),
            marks(connection, row.id),
            _is_served(serving, row.job, row.queue or queues.get(row.job)),
            from_where[row.id],
        )
        for row in rows
    )


def _queues(connection: Connection, rows: list[Row]) -> dict[str, str]:
    """The queue of each of their jobs."""
    own = select(jobs.c.name, jobs.c.queue).where(jobs.c.name.in_({row.job for row in rows}))
    return dict(connection.execute(own).all())


def _is_served(serving: list[Process], job: str, queue: str | None) -> bool:
    return any(job in each.jobs and queue in each.queues for each in serving)


def schedule_page(engine: Engine, schedule_id: str) -> SchedulePage:
    """Raises ScheduleNotFound."""
    now = clock.now()
    with reading(engine) as connection:
        (line,) = _lines(connection, [_row(connection, schedule_id)], now)
        ok = system_of(connection, now, alive_processes(connection)).scheduler_ok
        return SchedulePage(line, _ticks(connection, schedule_id), tuple(missed(connection, schedule_id)[::-1]), ok)


def schedules_of(engine: Engine, ids: list[str]) -> tuple[Schedule, ...]:
    """Those of these that are there, by name."""
    now, own = clock.now(), select(schedules).where(schedules.c.id.in_(ids)).order_by(schedules.c.name)
    with reading(engine) as connection:
        return tuple(_schedule(row, now) for row in connection.execute(own))


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
    own = {"schedule_id": schedule_id}
    return _by_tick.run(connection, own).scalar(), _by_hand.run(connection, own).scalar()


_own = select(runs.c.id).where(runs.c.schedule_id == bindparam("schedule_id")).limit(1)
_by_tick = Prepared(_own.where(runs.c.tick_at.is_not(None)).order_by(runs.c.tick_at.desc()))
_by_hand = Prepared(_own.where(runs.c.tick_at.is_(None)).order_by(newest_by_hand))


def _ticks(connection: Connection, schedule_id: str) -> tuple[TickLine, ...]:
    own = select(ticks).where(ticks.c.schedule_id == schedule_id).order_by(ticks.c.tick_at.desc()).limit(LAST_TICKS)
    rows = connection.execute(own).fetchall()
    made = {line.id: line for line in lines(connection, [row.run_id for row in rows if row.run_id])}
    return tuple(TickLine(row.tick_at, TickOutcome(row.outcome), row.reason, made.get(row.run_id)) for row in rows)
