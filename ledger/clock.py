"""Time as the ledger keeps it: whole microseconds since 1970-01-01 UTC, the same on both databases. Pure."""

import time
from datetime import UTC, datetime

SECOND = 1_000_000
MILLISECOND = 1_000


def now() -> int:
    return time.time_ns() // 1_000


def from_datetime(moment: datetime) -> int:
    """Microseconds of an aware ``moment``; ValueError for a naive one, which names no instant."""
    if moment.tzinfo is None:
        raise ValueError("a time without a zone names no instant")
    whole = int(moment.astimezone(UTC).replace(microsecond=0).timestamp())
    return whole * SECOND + moment.microsecond


def to_datetime(at: int | None) -> datetime | None:
    """The aware UTC datetime of ``at``; None stays None."""
    if at is None:
        return None
    seconds, rest = divmod(at, SECOND)
    return datetime.fromtimestamp(seconds, UTC).replace(microsecond=rest)
