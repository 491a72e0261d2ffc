"""Bulk actions for pages: how far one is, what became of its runs, and where a worker for it is found."""

from dataclasses import dataclass, replace

from sqlalchemy import Connection, Engine, func, select

from ledger import clock
from ledger.actions import JOB, UNDO_TIME, UNDONE_BY, Kind, Outcome, action_of
from ledger.engine import reading
from ledger.errors import ActionNotFound
from ledger.queries.consumers import consumers
from ledger.queries.counting import Count
from ledger.queries.lines import RunLine, lines
from ledger.queries.places import place_of
from ledger.queries.wanted import WINDOW, Wanted, instant_of, resolved
from ledger.tables import action_runs, actions, jobs, runs

MOST_SHOWN = 10
MOST_RECENT = 50
#: How many runs are looked at, at most, to find those that a filter means.
MOST_LOOKED_AT = 100_000


@dataclass(frozen=True, slots=True)
class Progress:
    """``outcomes``: how many runs of each."""

    number: int
    outcomes: dict[str, int]

    @property
    def acted(self) -> int:
        return sum(self.outcomes.values())


def progress_of(engine: Engine, action_id: str) -> Progress:
    """Raises ActionNotFound."""
    with reading(engine) as connection:
        return _progress(connection, action_of(connection, action_id))


def _progress(connection: Connection, action) -> Progress:
    outcome = action_runs.c.outcome
    mine = select(outcome, func.count()).where(action_runs.c.action_id == action.id, outcome.is_not(None))
    return Progress(action.number, {name: number for name, number in connection.execute(mine.group_by(outcome))})


@dataclass(frozen=True, slots=True)
class Found:
    """How many runs had one outcome because of the state they were found in; None: they were gone."""

    outcome: str
    state: str | None
    number: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ActionLine:
    """``undone_id`` is the action that took it back."""

    id: str
    kind: str
    by: str
    at: int
    target: str
    said: str
    number: int
    progress: Progress
    undoes_id: str | None
    undone_id: str | None

    @property
    def may_be_undone(self) -> bool:
        is_own = self.undoes_id is None and self.undone_id is None and Kind(self.kind) in UNDONE_BY
        changed = self.progress.outcomes.get(Outcome.DONE, 0) or self.progress.acted < self.number
        return is_own and bool(changed) and clock.now() <= self.undo_until

    @property
    def undo_until(self) -> int:
        return self.at + UNDO_TIME


@dataclass(frozen=True, slots=True, kw_only=True)
class ActionPage(ActionLine):
    """``line`` is the run that does it, None when that was forgotten."""

    found: tuple[Found, ...]
    line: RunLine | None
    made: Count
    shown: tuple[RunLine, ...]


def recent(engine: Engine) -> tuple[ActionLine, ...]:
    """The last ``MOST_RECENT``, the newest first."""
    with reading(engine) as connection:
        rows = connection.execute(select(actions).order_by(actions.c.id.desc()).limit(MOST_RECENT)).fetchall()
        return tuple(ActionLine(**_columns(connection, row)) for row in rows)


def _columns(connection: Connection, row) -> dict:
    return {
        "id": row.id, "kind": row.kind, "by": row.by, "at": row.at, "target": row.target, "said": row.said,
        "number": row.number, "progress": _progress(connection, row), "undoes_id": row.undoes_id,
        "undone_id": _undone_id(connection, row.id),
    }  # fmt: skip


def id_of_run(engine: Engine, run_id: str) -> str:
    """The action that this run does. Raises ActionNotFound."""
    with reading(engine) as connection:
        found = connection.scalar(select(actions.c.id).where(actions.c.run_id == run_id))
    if found is None:
        raise ActionNotFound(run_id)
    return found


def action_page(engine: Engine, action_id: str) -> ActionPage:
    """Raises ActionNotFound."""
    with reading(engine) as connection:
        row = action_of(connection, action_id)
        return ActionPage(
            **_columns(connection, row),
            found=_found(connection, action_id),
            line=next(iter(lines(connection, [row.run_id])), None),
            made=_made(connection, action_id),
            shown=_shown(connection, action_id),
        )  # fmt: skip


def undone_by(engine: Engine, action_id: str) -> str | None:
    """The action that took this one back."""
    with reading(engine) as connection:
        return _undone_id(connection, action_id)


def _undone_id(connection: Connection, action_id: str) -> str | None:
    return connection.scalar(select(actions.c.id).where(actions.c.undoes_id == action_id))


def _found(connection: Connection, action_id: str) -> tuple[Found, ...]:
    columns = (action_runs.c.outcome, action_runs.c.found)
    mine = select(*columns, func.count()).where(action_runs.c.action_id == action_id, columns[0].is_not(None))
    return tuple(Found(*row) for row in connection.execute(mine.group_by(*columns).order_by(*columns)))


def _made(connection: Connection, action_id: str) -> Count:
    made = action_runs.c.made_id
    return Count(connection.scalar(select(func.count(made)).where(action_runs.c.action_id == action_id)))


def _shown(connection: Connection, action_id: str) -> tuple[RunLine, ...]:
    """The newest runs that it made, or else of those that it is about."""
    for column in (action_runs.c.made_id, action_runs.c.run_id):
        mine = select(column).where(action_runs.c.action_id == action_id, column.is_not(None))
        if ids := list(connection.scalars(mine.order_by(column.desc()).limit(MOST_SHOWN))):
            return lines(connection, ids)
    return ()


@dataclass(frozen=True, slots=True)
class Frozen:
    """Ids of runs, newest first. ``more``: there are others beyond ``looked_to``, an instant."""

    ids: list[str]
    more: bool = False
    looked_to: int | None = None


def frozen(engine: Engine, wanted: Wanted, most: int) -> Frozen:
    """All runs that match now, up to ``most`` of them."""
    with reading(engine) as connection:
        now, wanted = clock.now(), resolved(connection, wanted)
        return _collect(connection, wanted, now, most)


def _collect(connection: Connection, wanted: Wanted, now: int, most: int) -> Frozen:
    place = place_of(connection, wanted, now, most)
    ids = place.ids
    for _ in range(MOST_LOOKED_AT // WINDOW - 1):
        if place.older is None or len(ids) >= most:
            break
        place = place_of(connection, replace(wanted, before=place.older), now, most - len(ids))
        ids = ids + place.ids
    return Frozen(ids, place.older is not None, instant_of(place.looked_to))


def known(engine: Engine, ids: list[str]) -> list[str]:
    """Those of ``ids`` that are runs, newest first."""
    with reading(engine) as connection:
        return list(connection.scalars(select(runs.c.id).where(runs.c.id.in_(ids)).order_by(runs.c.id.desc())))


def first_of(engine: Engine, ids: list[str]) -> tuple[RunLine, ...]:
    with reading(engine) as connection:
        return lines(connection, ids[:MOST_SHOWN])


def serving_queue(engine: Engine) -> str:
    """A queue in which a live worker serves ``waybill.bulk``; "default" when there is none."""
    with reading(engine) as connection:
        serving = consumers(connection, clock.now())
    queues = [queue for queue in sorted(serving.jobs) if serving.know(queue, JOB)]
    return next(iter(sorted(queues, key=lambda queue: queue != "default")), "default")


def all_queues(engine: Engine) -> tuple[str, ...]:
    """Those of announced jobs, and those that somebody serves."""
    with reading(engine) as connection:
        announced = set(connection.scalars(select(jobs.c.queue).distinct().limit(1_000)))
        return tuple(sorted(announced | set(consumers(connection, clock.now()).jobs)))
