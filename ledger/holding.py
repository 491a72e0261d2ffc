"""Whether an attempt still has its run: what it says besides how it ended counts only then."""

from typing import NamedTuple

from sqlalchemy import Connection, select

from ledger.tables import runs

NOBODY = "someone"


class Holder(NamedTuple):
    """``by``: the person, the job or the schedule that asked for the run."""

    by: str


def holder(connection: Connection, run_id: str, token: str) -> Holder | None:
    """Of the run, which stays locked until this transaction ends; None if the attempt with this token lost it."""
    held = select(runs.c.created_by).where(runs.c.id == run_id, runs.c.claim_token == token)
    row = connection.execute(held.with_for_update()).one_or_none()
    return row and Holder(row.created_by or NOBODY)
