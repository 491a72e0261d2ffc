"""Forgetting what is old: finished runs with their logs, and the files that belonged to them."""

from sqlalchemy import Connection, and_, delete, exists, select

from ledger import clock, failpoints
from ledger.tables import artifacts, failures, processes, rejected, runs

BATCH = 500
DAY = 24 * 3600 * clock.SECOND


def prune(connection: Connection, days: int) -> list[str]:
    """Deletes up to ``BATCH`` runs finished more than ``days`` ago; answers the paths of their artifacts."""
    failpoints.mark(connection, "prune")
    before = clock.now() - days * DAY
    old = list(connection.scalars(select(runs.c.id).where(runs.c.finished_at < before).limit(BATCH)))
    paths = list(connection.scalars(select(artifacts.c.path).where(artifacts.c.run_id.in_(old)))) if old else []
    if old:
        connection.execute(delete(runs).where(runs.c.id.in_(old)))
    connection.execute(delete(rejected).where(rejected.c.received_at < before))
    connection.execute(delete(processes).where(processes.c.ended_at < before))
    connection.execute(delete(failures).where(_is_forgotten(before)))
    return paths


def _is_forgotten(before: int):
    """No kept run failed so, and nobody has muted it."""
    has_run = exists().where(runs.c.fingerprint == failures.c.fingerprint)
    return and_(failures.c.first_seen_at < before, failures.c.muted_at.is_(None), ~has_run)
