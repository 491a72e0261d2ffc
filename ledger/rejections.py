"""Messages that nobody could read: forgetting them. ``notes.reject`` keeps them, ``queries.rejected`` reads them."""

from sqlalchemy import Connection, delete

from ledger.tables import rejected

BATCH = 500


def forget(connection: Connection, ids: list[str]) -> int:
    """Deletes these, bytes and all; how many were still there."""
    batches = (ids[first : first + BATCH] for first in range(0, len(ids), BATCH))
    return sum(connection.execute(delete(rejected).where(rejected.c.id.in_(batch))).rowcount for batch in batches)
