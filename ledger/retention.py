"""Forgetting what is old: finished runs with their logs, and the files that belonged to them."""

from sqlalchemy import Connection, delete, select

from ledger import clock, failpoints
from ledger.limit_tables import unique_runs
from ledger.tables import artifacts, processes, rejected, runs

BATCH = 500
DAY = 24 * 3600 * clock.SECOND


def prune(connection: Connection, days: int) -> list[str]:
    """Deletes up to ``BATCH`` runs finished more than ``days`` ago; answers the paths of their artifacts."""
    failpoints.mark(connection, "prune")
    before = clock.now() - days * DAY
    old = list(connection.scalars(select(runs.c.id).where(runs.c.finished_at < before).limit(BATCH)))
    paths = list(connection.scalars(select(artifacts.c.path).where(artifacts.c.run_id.in_(old)))) if old else []
    if old:
        connection.execute(delete(unique_runs).where(unique_runs.c.run_id.in_(old)))
        connection.execute(delete(runs).where(runs.c.id.in_(old)))
    connection.execute(delete(rejected).where(rejected.c.received_at < before))
    connection.execute(delete(processes).where(processes.c.ended_at < before))
    return paths
