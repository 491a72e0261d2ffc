"""Two days of ticks on one axis: what became of them in the last 24 hours, and what is to come in the next."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import lru_cache

from sqlalchemy import Connection, Engine, func, literal_column, select

from ledger import clock, recurrence
from ledger.engine import reading
from ledger.queries.schedules import EVERYTHING, Wanted, rows_of
from ledger.queries.upcoming import enabled
from ledger.recurrence import Rule
from ledger.tables import schedules as schedules_table
from ledger.tables import ticks

PART = 15 * 60 * clock.SECOND
HOUR, DAY = 4 * PART, 96 * PART
MOST_ROWS = 50
MOST_TICKS = 100_000  # of one schedule: a day has fewer seconds
NEXT = "next"  # stands beside the outcomes of ticks that have been


@dataclass(frozen=True, slots=True)
class Part:
    """Ticks from ``at`` on for ``PART``: how many of each outcome, and of those to come."""

    at: int
    counts: tuple[tuple[str, int], ...]

    @property
    def number(self) -> int:
        return sum(number for _, number in self.counts)


@dataclass(frozen=True, slots=True)
class CalendarRow:
    """``parts`` that are empty are left out."""

    id: str
    name: str
    job: str
    paused: bool
    parts: tuple[Part, ...]


@dataclass(frozen=True, slots=True)
class Calendar:
    """``since`` is the beginning of a part, a day before ``now``; ``all`` adds up the ticks of all schedules."""

    since: int
    until: int
    now: int
    rows: tuple[CalendarRow, ...]
    all: tuple[Part, ...]
    following: str | None
    number: int


def calendar(engine: Engine, wanted: Wanted = EVERYTHING) -> Calendar:
    now = clock.now()
    since = (now - DAY) // PART * PART
    until = since + 2 * DAY + PART
    with reading(engine) as connection:
        found = _past(connection, since)
        for each in enabled(connection):
            found.setdefault(each.id, Counter()).update(_ahead(each.rule, max(now, each.watermark), until))
        rows = rows_of(connection, wanted, MOST_ROWS + 1)
        number = connection.scalar(select(func.count()).select_from(schedules_table))
    return Calendar(
        since=since,
        until=until,
        now=now,
        rows=tuple(_row(row, found.get(row.id, Counter())) for row in rows[:MOST_ROWS]),
        all=_parts(_sum(found.values())),
        following=rows[MOST_ROWS].name if len(rows) > MOST_ROWS else None,
        number=number,
    )


def _row(row, counts: Counter) -> CalendarRow:
    return CalendarRow(row.id, row.name, row.job, row.paused_at is not None, _parts(counts))


def _parts(counts: Counter) -> tuple[Part, ...]:
    found: dict[int, list[tuple[str, int]]] = {}
    for (part, outcome), number in sorted(counts.items()):
        found.setdefault(part, []).append((outcome, number))
    return tuple(Part(part * PART, tuple(each)) for part, each in found.items())


def _past(connection: Connection, since: int) -> dict[str, Counter]:
    """By schedule, then by part and outcome. Joined from the schedules, so that each is a range of the primary key."""
    columns = (schedules_table.c.id, _part_of_tick, ticks.c.outcome)
    own = select(*columns, func.count()).join(ticks, ticks.c.schedule_id == schedules_table.c.id)
    found: dict[str, Counter] = {}
    for schedule_id, part, outcome, number in connection.execute(
        own.where(ticks.c.tick_at >= since).group_by(*columns)
    ):
        found.setdefault(schedule_id, Counter())[part, outcome] = number
    return found


# Written out: as a parameter, PostgreSQL would not see that it groups by what it selects.
_part_of_tick = ticks.c.tick_at.op("/")(literal_column(str(PART)))


def _ahead(rule: Rule, after: int, until: int) -> Counter:
    return Counter((at // PART, NEXT) for at in _times(rule, after, until) if after < at < until)


def _sum(counters: Iterable[Counter]) -> Counter:
    total = Counter()
    for each in counters:
        total.update(each)
    return total


def _times(rule: Rule, after: int, until: int) -> Iterable[int]:
    if rule.kind != "cron":
        return recurrence.between(rule, after, until, MOST_TICKS)
    return _of_a_day(replace(rule, anchor=0), after // HOUR * HOUR)


@lru_cache(maxsize=5_000)
def _of_a_day(rule: Rule, hour: int) -> tuple[int, ...]:
    """Remembered for an hour: the day of a rule for each minute takes a tenth of a second to work out."""
    return tuple(recurrence.between(rule, hour - 1, hour + DAY + 2 * HOUR, MOST_TICKS))
