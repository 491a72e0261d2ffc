"""Where schedules come from, for pages: made here, or declared, and then what differs from the declaration."""

from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import Connection, Engine, Row, select

from ledger import declarations, declared, texts
from ledger.declarations import Difference
from ledger.engine import reading
from ledger.errors import ScheduleNotFound
from ledger.fleet import ALIVE
from ledger.prepared import OneOf, Prepared
from ledger.statements import SITE
from ledger.tables import jobs, processes, schedules, statements

MOST_FAULTS = 20
MOST_GONE = 20


@dataclass(frozen=True, slots=True)
class Origin:
    """``source`` is code, file or site; ``place`` where it is declared, and ``differences`` what was edited since."""

    source: str
    place: str = ""
    declared_at: int | None = None
    undeclared_at: int | None = None
    differences: tuple[Difference, ...] = ()

    @property
    def is_gone(self) -> bool:
        return self.undeclared_at is not None

    @property
    def is_edited(self) -> bool:
        return bool(self.differences)


@dataclass(frozen=True, slots=True)
class Gone:
    """A schedule that is not declared any more, and nobody has decided what becomes of it."""

    id: str
    name: str
    source: str
    place: str
    undeclared_at: int
    is_paused: bool


@dataclass(frozen=True, slots=True)
class Fault:
    """A declaration that cannot be used: a sentence to be translated, and what stands in it."""

    place: str
    template: str
    values: dict


def origins(connection: Connection, rows: Iterable[Row]) -> dict[str, Origin]:
    """By id; of whole rows of ``schedules``."""
    rows = list(rows)
    doubtful = {row.job for row in rows if row.declared and _differences(row, {})}
    told = select(jobs.c.name, jobs.c.parameters).where(jobs.c.name.in_(doubtful))
    parameters = {name: texts.from_json(text) for name, text in connection.execute(told)} if doubtful else {}
    return {row.id: _origin(row, parameters.get(row.job, {})) for row in rows}


def _origin(row: Row, parameters: dict) -> Origin:
    if row.declared is None:
        return Origin(SITE)
    place = texts.from_json(row.declared)["place"]
    return Origin(row.origin, place, row.declared_at, row.undeclared_at, _differences(row, parameters))


def _differences(row: Row, parameters: dict) -> tuple[Difference, ...]:
    return declarations.differences(texts.from_json(row.declared), declarations.said_by(row), parameters)


def ownership(engine: Engine, schedule_id: str) -> tuple[Origin, bool]:
    """Its origin, and whether a living process declares it now. Raises ScheduleNotFound."""
    with reading(engine) as connection:
        row = _row(connection, schedule_id)
        return origins(connection, [row])[schedule_id], declared.is_declared_now(connection, row)


def _row(connection: Connection, schedule_id: str) -> Row:
    row = connection.execute(select(schedules).where(schedules.c.id == schedule_id)).one_or_none()
    if row is None:
        raise ScheduleNotFound(schedule_id)
    return row


_left = Prepared(
    select(schedules)
    .where(schedules.c.undeclared_at.is_not(None))
    .order_by(schedules.c.undeclared_at.desc(), schedules.c.name)
    .limit(MOST_GONE)
)


def gone(connection: Connection) -> tuple[Gone, ...]:
    """The newest first."""
    return tuple(_gone(row) for row in _left.run(connection, {}))


def _gone(row: Row) -> Gone:
    place, is_paused = texts.from_json(row.declared)["place"], row.paused_at is not None
    return Gone(row.id, row.name, row.origin, place, row.undeclared_at, is_paused)


_of_alive = select(processes.c.statement).where(
    OneOf(processes.c.state, "states"), processes.c.statement.is_not(None)
)
_stated = Prepared(
    select(statements.c.faults, statements.c.obstacles)
    .where(statements.c.id.in_(_of_alive))
    .order_by(statements.c.first_at.desc(), statements.c.id)
)


def faults(connection: Connection) -> tuple[Fault, ...]:
    """What is wrong with what living processes declare, each once."""
    rows = _stated.run(connection, {"states": list(ALIVE)})
    kept = [each for row in rows for text in row for each in texts.from_json(text)]
    once = {(each["place"], each["template"] % each["values"]): each for each in kept}
    return tuple(Fault(**each) for each in list(once.values())[:MOST_FAULTS])
