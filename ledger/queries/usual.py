"""How long runs of a job usually take."""

from statistics import median_low

from sqlalchemy import Connection, bindparam, literal, select

from ledger.prepared import Prepared
from ledger.states import State
from ledger.tables import runs

#: It is taken from so many of the newest runs.
LOOKED_AT = 100


_newest = (
    select(runs.c.state, runs.c.started_at, runs.c.finished_at)
    .where(runs.c.job == bindparam("job"))
    .order_by(runs.c.id.desc())
    .limit(LOOKED_AT)
    .subquery()
)
_took = Prepared(
    select(_newest.c.finished_at - _newest.c.started_at).where(_newest.c.state == literal(State.SUCCEEDED.value))
)


def usual(connection: Connection, job: str) -> int | None:
    """The middle duration of the successful ones, in microseconds."""
    durations = _took.run(connection, {"job": job}).scalars().all()
    return median_low(durations) if durations else None
