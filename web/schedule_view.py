"""From schedules in the ledger to their pages: every sentence and every time in a schedule's own zone."""

from dataclasses import dataclass, replace

from flask import url_for
from flask_babel import gettext as _

from ledger import clock
from ledger.queries.lines import RunLine
from ledger.queries.schedules import Schedule, ScheduleLine, SchedulePage, SchedulesPage, TickLine, Wanted
from ledger.queries.upcoming import NextTicks
from ledger.ticks import TickOutcome
from web import arguments, schedule_origin, schedule_words
from web.schedule_origin import OriginView
from web.schedule_warnings import Warning, warnings
from web.schedule_words import CATCHUP_SHORT, OVERLAP_SHORT, Fires
from web.tick_strip import TickStrip, plain_strip, tick_strip


@dataclass(frozen=True, slots=True)
class Row:
    """``here`` is the next tick in the schedule's zone."""

    schedule: Schedule
    when: str
    policy: str
    here: str
    last: RunLine | None
    strip: TickStrip
    warnings: tuple[Warning, ...]
    missed: int
    badge: str
    is_gone: bool


@dataclass(frozen=True, slots=True)
class ListPage:
    """``next`` fires first of all, and ``soon`` do within the hour; the addresses are those of its pages and orders."""

    rows: tuple[Row, ...]
    wanted: Wanted
    first_url: str
    more_url: str
    next_first_url: str
    by_name_url: str
    next: NextTicks | None
    soon: int
    paused: int
    number: int
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
    strip: TickStrip
    ticks: tuple[Tick, ...]
    missed: int
    warnings: tuple[Warning, ...]
    scheduler_ok: bool
    origin: OriginView


def schedules_view(page: SchedulesPage, wanted: Wanted) -> ListPage:
    begin = replace(wanted, name="", at=0)
    return ListPage(
        rows=tuple(_row(line) for line in page.lines),
        wanted=wanted,
        first_url=address("schedules.index", begin),
        more_url=address("schedules.index", page.following) if page.following else "",
        next_first_url=address("schedules.index", replace(begin, by_name=False)),
        by_name_url=address("schedules.index", replace(begin, by_name=True)),
        next=page.next,
        soon=page.soon,
        paused=page.paused,
        number=page.number,
        scheduler_ok=page.scheduler_ok,
        has_jobs=page.has_jobs,
        faults=tuple(schedule_origin.fault_words(each) for each in page.faults),
    )


def address(endpoint: str, wanted: Wanted) -> str:
    asked = {"q": wanted.text, "sort": "name" if wanted.by_name else "", "at": wanted.at, "from": wanted.name}
    return url_for(endpoint, **{name: value for name, value in asked.items() if value})


def _row(line: ScheduleLine) -> Row:
    schedule = line.schedule
    return Row(
        schedule=schedule,
        when=when(schedule),
        policy=_policy(schedule),
        here=schedule_words.here(schedule.next_at, schedule.rule.timezone) if schedule.next_at else "",
        last=line.last,
        strip=plain_strip(line.marks),
        warnings=warnings(line),
        missed=sum(mark.outcome == TickOutcome.MISSED for mark in line.marks),
        badge=schedule_origin.badge(line.origin),
        is_gone=line.origin.is_gone,
    )


def when(schedule: Schedule) -> str:
    """``At 03:00 every day, Europe/Madrid``."""
    words = schedule_words.in_words(schedule.rule)
    if schedule.rule.kind != "cron":
        return words
    return _("%(rule)s, %(zone)s", rule=words, zone=schedule.rule.timezone)


def _policy(schedule: Schedule) -> str:
    overlap, catchup = OVERLAP_SHORT[schedule.overlap], CATCHUP_SHORT[schedule.catchup]
    return _("%(overlap)s, %(catchup)s", overlap=overlap, catchup=catchup)


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
        last=page.line.last,
        strip=tick_strip(page.line.marks, schedule.rule.timezone),
        ticks=tuple(Tick(each, schedule_words.tick_time(each.at, schedule.rule.timezone)) for each in page.ticks),
        missed=len(page.missed),
        warnings=warnings(page.line),
        scheduler_ok=page.scheduler_ok,
        origin=schedule_origin.view(schedule, page.origin),
    )


@dataclass(frozen=True, slots=True)
class MissedPage:
    """Each missed tick, and how it reads in the schedule's zone."""

    schedule: Schedule
    ticks: tuple[tuple[int, str], ...]


def missed_view(page: SchedulePage) -> MissedPage:
    zone = page.schedule.rule.timezone
    return MissedPage(page.schedule, tuple((at, schedule_words.tick_time(at, zone)) for at in page.missed))


def _edge(schedule: Schedule, at: int | None) -> str:
    return "" if at is None else schedule_words.tick_time(at, schedule.rule.timezone)


def _from(schedule: Schedule) -> int:
    """A paused schedule shows what it would do from now on."""
    return clock.now() if schedule.next_at is None else schedule.next_at - 1
