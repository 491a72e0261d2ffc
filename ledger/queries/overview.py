"""Is anything wrong, since when, and is it getting worse? The last hour, or longer, on one page."""

from dataclasses import dataclass

from sqlalchemy import Connection, Engine, literal, select

from ledger import clock
from ledger.engine import reading
from ledger.prepared import Prepared
from ledger.queries.backlog import Backlog, backlog
from ledger.queries.counting import CAP, Count, number_of, up_to
from ledger.queries.failures import Failures, failures
from ledger.queries.flow import Flow, flow
from ledger.queries.lines import LINE_COLUMNS, RunLine, lines, lines_of
from ledger.queries.system import System, system_of
from ledger.queries.throughput import Range, Throughput, throughput
from ledger.queries.trouble import Trouble, trouble
from ledger.queries.upcoming import Upcoming, upcoming
from ledger.queries.usual import usual_at_work
from ledger.queries.workers import Process, alive_processes, last_to_serve
from ledger.states import State
from ledger.tables import runs

MOST_RUNNING = 6
MOST_RECENT = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Overview:
    backlog: Backlog
    running: Count
    at_work: tuple[RunLine, ...]
    usual: dict[str, int | None]
    throughput: Throughput
    last_hour: Throughput
    failures: Failures
    last_failures: Failures
    last_to_serve: dict[str, Process]
    recent: tuple[RunLine, ...]
    upcoming: Upcoming
    flow: Flow
    trouble: Trouble
    system: System
    has_any: bool


def overview(engine: Engine, wanted: Range = Range.HOUR, seen_at: int = 0) -> Overview:
    """``throughput`` and ``failures`` are those of the range; what needs somebody is judged by the last hour.
    ``usual`` says how long runs of the jobs at work take, where that is known; ``last_to_serve`` is of queues that
    nobody serves; ``seen_at`` is as for ``system``."""
    with reading(engine) as connection:
        now = clock.now()
        recent, waiting, at_work = _recent(connection), backlog(connection, now), _at_work(connection)
        last_hour, lately = throughput(connection, Range.HOUR, now), failures(connection, now)
        alive = alive_processes(connection)
        return Overview(
            backlog=waiting,
            running=up_to(CAP, _number_at_work.run(connection, {}).scalar_one()),
            at_work=at_work,
            usual=usual_at_work(connection, at_work, now),
            throughput=last_hour if wanted == Range.HOUR else throughput(connection, wanted, now),
            last_hour=last_hour,
            failures=lately if wanted == Range.HOUR else failures(connection, now, wanted.length),
            last_failures=lately,
            last_to_serve=last_to_serve(connection, [each.name for each in waiting.unserved]),
            recent=recent,
            upcoming=upcoming(connection, now),
            flow=flow(connection, now, waiting, alive),
            trouble=trouble(connection, now),
            system=system_of(connection, now, alive, seen_at),
            has_any=bool(recent),
        )


_works = runs.c.state == literal(State.RUNNING.value)
_number_at_work = Prepared(number_of(select(runs.c.id).where(_works)))
_longest_at_work = Prepared(select(*LINE_COLUMNS).where(_works).order_by(runs.c.id).limit(MOST_RUNNING))
_newest = Prepared(select(runs.c.id).order_by(runs.c.id.desc()).limit(MOST_RECENT))


def _at_work(connection: Connection) -> tuple[RunLine, ...]:
    """The longest at work first: those are the ones to wonder about."""
    return lines_of(connection, _longest_at_work.run(connection, {}).fetchall())


def _recent(connection: Connection) -> tuple[RunLine, ...]:
    return lines(connection, list(_newest.run(connection, {}).scalars()))
