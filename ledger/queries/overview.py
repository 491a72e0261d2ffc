"""Is anything wrong, since when, and is it getting worse? The last hour on one page."""

from dataclasses import dataclass

from sqlalchemy import Connection, Engine, select

from ledger import clock
from ledger.engine import reading
from ledger.queries.backlog import Backlog, backlog
from ledger.queries.counting import Count, count
from ledger.queries.failures import HOUR, Failures, failures
from ledger.queries.lines import LINE_COLUMNS, RunLine, lines, lines_of
from ledger.queries.system import System, system_of
from ledger.queries.throughput import Throughput, throughput
from ledger.schedules import next_fire
from ledger.states import State
from ledger.tables import runs

MOST_RUNNING = 6
MOST_RECENT = 8


@dataclass(frozen=True, slots=True)
class NextSchedule:
    name: str
    at: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Overview:
    backlog: Backlog
    running: Count
    at_work: tuple[RunLine, ...]
    throughput: Throughput
    failures: Failures
    recent: tuple[RunLine, ...]
    next_schedule: NextSchedule | None
    system: System
    has_any: bool


def overview(engine: Engine) -> Overview:
    with reading(engine) as connection:
        now = clock.now()
        at_work = select(runs.c.id).where(runs.c.state == State.RUNNING)
        recent = _recent(connection)
        return Overview(
            backlog=backlog(connection, now),
            running=count(connection, at_work),
            at_work=_at_work(connection),
            throughput=throughput(connection, now - HOUR, now),
            failures=failures(connection, now),
            recent=recent,
            next_schedule=next_schedule(connection),
            system=system_of(connection, now),
            has_any=bool(recent),
        )


def _at_work(connection: Connection) -> tuple[RunLine, ...]:
    """The longest at work first: those are the ones to wonder about."""
    statement = select(*LINE_COLUMNS).where(runs.c.state == State.RUNNING)
    return lines_of(connection, connection.execute(statement.order_by(runs.c.id).limit(MOST_RUNNING)).fetchall())


def _recent(connection: Connection) -> tuple[RunLine, ...]:
    newest = select(runs.c.id).order_by(runs.c.id.desc()).limit(MOST_RECENT)
    return lines(connection, list(connection.scalars(newest)))


def next_schedule(connection: Connection) -> NextSchedule | None:
    """The schedule that fires next, and when; None when there is none."""
    found = next_fire(connection)
    return found and NextSchedule(*found)
