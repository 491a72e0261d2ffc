"""Ids of runs, processes and artifacts: UUID version 7 (RFC 9562), so that ids sort by the time they were made."""

import secrets
import time
from uuid import UUID


def new_id() -> str:
    """A UUIDv7 as text: 48 bits of milliseconds, then 74 random bits around the version and the variant."""
    milliseconds = time.time_ns() // 1_000_000
    random = secrets.randbits(74)
    value = (
        (milliseconds & (1 << 48) - 1) << 80
        | 0x7 << 76
        | (random >> 62) << 64
        | 0b10 << 62
        | random & (1 << 62) - 1
    )
    return str(UUID(int=value))


def is_id(text: str) -> bool:
    try:
        return str(UUID(text)) == text
    except ValueError:
        return False
