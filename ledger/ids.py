"""Ids of runs, processes and artifacts: UUID version 7 (RFC 9562), so that ids sort by the time they were made."""

import secrets
import threading
import time
from uuid import UUID

RANDOM_BITS = 74
STEP_BITS = 32  # RFC 9562, 6.2: within one millisecond, the next id is larger by a random step

_lock = threading.Lock()
_last = 0


def new_id() -> str:
    """A UUIDv7 as text. Those of one process ascend, also within a millisecond."""
    return str(UUID(int=_with_version(_next_number())))


def _next_number() -> int:
    """48 bits of milliseconds, then 74 random bits; always larger than the last one."""
    global _last
    with _lock:
        fresh = (time.time_ns() // 1_000_000) << RANDOM_BITS | secrets.randbits(RANDOM_BITS)
        same_or_earlier = fresh >> RANDOM_BITS <= _last >> RANDOM_BITS
        _last = _last + 1 + secrets.randbits(STEP_BITS) if same_or_earlier else fresh
        return _last


def _with_version(number: int) -> int:
    milliseconds, high, low = number >> 74, number >> 62 & 0xFFF, number & (1 << 62) - 1
    return milliseconds << 80 | 0x7 << 76 | high << 64 | 0b10 << 62 | low


def made_at(text: str) -> int | None:
    """When the id was made, in microseconds, as a UUIDv7 tells; None for what is none."""
    if not is_id(text) or UUID(text).version != 7:
        return None
    return (UUID(text).int >> 80) * 1_000


def is_id(text: str) -> bool:
    try:
        return str(UUID(text)) == text
    except ValueError:
        return False
