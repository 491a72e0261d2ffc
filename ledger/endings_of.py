"""How a run ended, for those who wait for its result in code."""

from typing import NamedTuple

from sqlalchemy import Connection, bindparam, or_, select

from ledger.tables import runs


class RunEnding(NamedTuple):
    state: str
    result: str | None
    error_type: str | None
    error: str | None


_ending = select(runs.c.state, runs.c.result, runs.c.error_type, runs.c.error).where(
    or_(runs.c.message_id == bindparam("id"), runs.c.id == bindparam("id"))
)


def ending(connection: Connection, message_or_run_id: str) -> RunEnding | None:
    """State and result as they are now; None for an id that no run has."""
    row = connection.execute(_ending, {"id": message_or_run_id}).first()
    return RunEnding(*row) if row else None
