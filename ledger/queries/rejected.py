"""Messages that nobody could read: by kind, one by one, and the bytes of each."""

from dataclasses import dataclass

from sqlalchemy import Connection, Engine, select

from ledger.engine import reading
from ledger.errors import MessageNotFound
from ledger.queries.counting import Count, count
from ledger.queries.failures import pattern_of
from ledger.tables import rejected

PAGE = 50
#: The newest ones, that kinds are made of; and how many of a kind are forgotten at once.
MOST = 5_000


@dataclass(frozen=True, slots=True)
class Rejected:
    id: str
    queue: str
    reason: str
    size: int
    received_at: int


@dataclass(frozen=True, slots=True)
class Kind:
    """Messages of one queue that were rejected for the same reason, what differs in it left out; ``newest`` is the id
    of the last one: later ones are no part of what a page shows."""

    queue: str
    reason: str
    newest: str
    number: int
    first_at: int
    last_at: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RejectedPage:
    """``older`` is where the next page begins."""

    queue: str
    kinds: tuple[Kind, ...]
    kinds_are_cut: bool
    lines: tuple[Rejected, ...]
    older: str | None
    total: Count
    queues: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class RejectedMessage:
    """``body`` may be less than its ``size``."""

    line: Rejected
    body: bytes


COLUMNS = (rejected.c.id, rejected.c.queue, rejected.c.reason, rejected.c.size, rejected.c.received_at)


def rejected_page(engine: Engine, queue: str = "", before: str = "") -> RejectedPage:
    with reading(engine) as connection:
        conditions = _on(queue)
        kinds = _kinds(connection, conditions)
        lines = _lines(connection, [*conditions, *([rejected.c.id < before] if before else [])])
        return RejectedPage(
            queue=queue,
            kinds=tuple(kinds),
            kinds_are_cut=sum(kind.number for kind in kinds) == MOST,
            lines=tuple(lines[:PAGE]),
            older=lines[PAGE - 1].id if len(lines) > PAGE else None,
            total=count(connection, select(rejected.c.id).where(*conditions)),
            queues=tuple(connection.scalars(select(rejected.c.queue).distinct().order_by(rejected.c.queue))),
        )


def _on(queue: str) -> list:
    return [rejected.c.queue.in_([queue, f"{queue}.DQ"])] if queue else []


def _lines(connection: Connection, conditions: list) -> list[Rejected]:
    newest = select(*COLUMNS).where(*conditions).order_by(rejected.c.id.desc()).limit(PAGE + 1)
    return [Rejected(*row) for row in connection.execute(newest)]


def _kinds(connection: Connection, conditions: list) -> list[Kind]:
    """Of the newest ``MOST``; the largest first."""
    groups: dict[tuple[str, str], list] = {}
    newest = select(rejected.c.id, rejected.c.queue, rejected.c.reason, rejected.c.received_at).where(*conditions)
    for row in connection.execute(newest.order_by(rejected.c.id.desc()).limit(MOST)):
        groups.setdefault((row.queue, pattern_of(row.reason)), []).append(row)
    kinds = (_kind(*key, rows) for key, rows in groups.items())
    return sorted(kinds, key=lambda kind: (-kind.number, -kind.last_at))


def _kind(queue: str, reason: str, rows: list) -> Kind:
    times = [row.received_at for row in rows]
    return Kind(queue, reason, rows[0].id, len(rows), min(times), max(times))


def ids_of_kind(connection: Connection, queue: str, reason: str, up_to: str) -> list[str]:
    """Those of a kind that were there when ``up_to`` was the newest; ``MOST`` are looked at."""
    seen = select(rejected.c.id, rejected.c.reason).where(rejected.c.queue == queue, rejected.c.id <= up_to)
    rows = connection.execute(seen.order_by(rejected.c.id.desc()).limit(MOST))
    return [row.id for row in rows if pattern_of(row.reason) == reason]


def rejected_message(engine: Engine, message_id: str) -> RejectedMessage:
    """Raises MessageNotFound."""
    with reading(engine) as connection:
        found = select(*COLUMNS, rejected.c.body).where(rejected.c.id == message_id)
        row = connection.execute(found).one_or_none()
    if row is None:
        raise MessageNotFound(message_id)
    return RejectedMessage(Rejected(*row[:-1]), bytes(row.body))
