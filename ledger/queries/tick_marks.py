"""What became of a schedule's last ticks, and of the runs that they made: enough to draw them and to judge by them."""

from dataclasses import dataclass

from sqlalchemy import Connection, select

from ledger.states import State
from ledger.tables import runs, ticks
from ledger.ticks import TickOutcome

LAST_TICKS = 60


@dataclass(frozen=True, slots=True)
class TickMark:
    """``state`` is None when the tick made no run, or its run is no longer kept."""

    at: int
    outcome: TickOutcome
    state: State | None
    due_at: int | None
    started_at: int | None
    finished_at: int | None

    @property
    def failed(self) -> bool:
        return self.state in (State.FAILED, State.DEAD)

    @property
    def waited(self) -> int | None:
        """Microseconds from when its run was due until it started; None while it has not."""
        return None if self.started_at is None else max(0, self.started_at - self.due_at)

    @property
    def took(self) -> int | None:
        """Microseconds of a run that succeeded; None for any other."""
        return self.finished_at - self.started_at if self.state == State.SUCCEEDED else None


_last = (
    select(ticks.c.tick_at, ticks.c.outcome, runs.c.state, runs.c.due_at, runs.c.started_at, runs.c.finished_at)
    .join(runs, runs.c.id == ticks.c.run_id, isouter=True)
    .order_by(ticks.c.tick_at.desc())
    .limit(LAST_TICKS)
)


def marks(connection: Connection, schedule_id: str) -> tuple[TickMark, ...]:
    """Its last ``LAST_TICKS`` ticks, the newest first."""
    rows = connection.execute(_last.where(ticks.c.schedule_id == schedule_id))
    return tuple(_mark(*row) for row in rows)


def _mark(at: int, outcome: str, state: str | None, *times: int | None) -> TickMark:
    return TickMark(at, TickOutcome(outcome), None if state is None else State(state), *times)
