"""Groups with completion callbacks: a count that goes down once for each member that succeeded."""

from sqlalchemy import Connection, delete, update

from ledger import clock, members
from ledger.engine import insert_new
from ledger.tables import barriers, group_passes

KEEP = 400 * 24 * 3600 * clock.SECOND  # what was counted is known for longer than any barrier stands


def create(connection: Connection, key: str, parties: int, ttl: int) -> bool:
    """A barrier for ``parties`` members, forgotten after ``ttl`` microseconds; False when the key is taken."""
    row = {"key": key, "remaining": parties, "parties": parties, "expires_at": clock.now() + ttl}
    return bool(connection.execute(insert_new(connection, barriers).returning(barriers.c.key), row).fetchall())


def create_all(connection: Connection, wanted: list[tuple[str, int, int]]) -> list[bool]:
    """``create`` for the writer: key, parties and ttl of each."""
    return [create(connection, *each) for each in wanted]


def pass_one(connection: Connection, key: str, slot: str | None = None) -> bool:
    """Counts one member down; True for the last one, and only for it. A place that was counted before counts no
    more: a member that was run again twice may succeed twice."""
    if slot is not None and not members.pass_once(connection, key, slot, KEEP):
        return False
    statement = (
        update(barriers)
        .where(barriers.c.key == key, barriers.c.remaining > 0)
        .values(remaining=barriers.c.remaining - 1)
        .returning(barriers.c.remaining)
    )
    return connection.scalar(statement) == 0


def forget_expired(connection: Connection) -> int:
    connection.execute(delete(group_passes).where(group_passes.c.expires_at < clock.now()))
    return connection.execute(delete(barriers).where(barriers.c.expires_at < clock.now())).rowcount
