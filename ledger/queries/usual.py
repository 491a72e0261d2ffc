"""How long runs of a job usually take."""

from statistics import median_low

from sqlalchemy import Connection, select

from ledger.states import State
from ledger.tables import runs

#: It is taken from so many of the newest runs.
LOOKED_AT = 100


def usual(connection: Connection, job: str) -> int | None:
    """The middle duration of the successful ones, in microseconds."""
    newest = select(runs.c.state, runs.c.started_at, runs.c.finished_at).where(runs.c.job == job)
    newest = newest.order_by(runs.c.id.desc()).limit(LOOKED_AT).subquery()
    took = select(newest.c.finished_at - newest.c.started_at).where(newest.c.state == State.SUCCEEDED)
    durations = connection.scalars(took).all()
    return median_low(durations) if durations else None
