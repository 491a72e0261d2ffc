"""From schedules in the ledger to their pages: every sentence and every time in a schedule's own zone."""

from dataclasses import dataclass

from flask_babel import gettext as _

from ledger import clock
from ledger.queries.lines import RunLine
from ledger.queries.schedules import Schedule, ScheduleLine, SchedulePage, SchedulesPage, TickLine
from web import arguments, schedule_origin, schedule_words
from web.schedule_origin import OriginView
from web.schedule_words import CATCHUP_SHORT, OVERLAP_SHORT, Fires

NAMED = 3


@dataclass(frozen=True, slots=True)
class Row:
    """``here`` is the next tick in the schedule's zone; ``missed`` names ticks of the last day."""

    schedule: Schedule
    when: str
    policy: str
    here: str
    last: RunLine | None
    missed: str
    badge: str
    is_gone: bool


@dataclass(frozen=True, slots=True)
class ListPage:
    """``next`` is the row that fires first."""

    rows: tuple[Row, ...]
    next: Row | None
    paused: int
    scheduler_ok: bool
    has_jobs: bool
    faults: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Tick:
    line: TickLine
    here: str


@dataclass(frozen=True, slots=True)
class OnePage:
    schedule: Schedule
    when: str
    overlap: str
    catchup: str
    starts: str
    ends: str
    fires: Fires
    arguments: tuple[tuple[str, str], ...]
    last: RunLine | None
    ticks: tuple[Tick, ...]
    scheduler_ok: bool
    origin: OriginView


def schedules_view(page: SchedulesPage) -> ListPage:
    rows = tuple(_row(line) for line in page.lines)
    ticking = [row for row in rows if row.schedule.next_at is not None]
    return ListPage(
        rows=rows,
        next=min(ticking, key=lambda row: row.schedule.next_at, default=None),
        paused=sum(row.schedule.paused_at is not None for row in rows),
        scheduler_ok=page.scheduler_ok,
        has_jobs=page.has_jobs,
        faults=tuple(schedule_origin.fault_words(each) for each in page.faults),
    )


def _row(line: ScheduleLine) -> Row:
    schedule = line.schedule
    here = schedule_words.here(schedule.next_at, schedule.rule.timezone) if schedule.next_at else ""
    badge, is_gone = schedule_origin.badge(line.origin), line.origin.is_gone
    return Row(schedule, when(schedule), _policy(schedule), here, line.last, _missed(line), badge, is_gone)


def when(schedule: Schedule) -> str:
    """``At 03:00 every day, Europe/Madrid``."""
    words = schedule_words.in_words(schedule.rule)
    if schedule.rule.kind != "cron":
        return words
    return _("%(rule)s, %(zone)s", rule=words, zone=schedule.rule.timezone)


def _policy(schedule: Schedule) -> str:
    overlap, catchup = OVERLAP_SHORT[schedule.overlap], CATCHUP_SHORT[schedule.catchup]
    return _("%(overlap)s, %(catchup)s", overlap=overlap, catchup=catchup)


def _missed(line: ScheduleLine) -> str:
    """``2 at 15:15, 14:15``."""
    if not line.missed:
        return ""
    named = [schedule_words.tick_time(at, line.schedule.rule.timezone)[11:16] for at in line.missed[:NAMED]]
    more = ", …" if len(line.missed) > NAMED else ""
    return _("%(number)s at %(times)s", number=len(line.missed), times=", ".join(named) + more)


def schedule_view(page: SchedulePage) -> OnePage:
    schedule = page.schedule
    return OnePage(
        schedule=schedule,
        when=when(schedule),
        overlap=OVERLAP_SHORT[schedule.overlap],
        catchup=CATCHUP_SHORT[schedule.catchup],
        starts=_edge(schedule, schedule.rule.starts),
        ends=_edge(schedule, schedule.rule.ends),
        fires=schedule_words.fires_of(schedule.rule, _from(schedule)),
        arguments=tuple((name, arguments.plain(value)) for name, value in schedule.args.items()),
        last=page.last,
        ticks=tuple(Tick(each, schedule_words.tick_time(each.at, schedule.rule.timezone)) for each in page.ticks),
        scheduler_ok=page.scheduler_ok,
        origin=schedule_origin.view(schedule, page.origin),
    )


def _edge(schedule: Schedule, at: int | None) -> str:
    return "" if at is None else schedule_words.tick_time(at, schedule.rule.timezone)


def _from(schedule: Schedule) -> int:
    """A paused schedule shows what it would do from now on."""
    return clock.now() if schedule.next_at is None else schedule.next_at - 1
