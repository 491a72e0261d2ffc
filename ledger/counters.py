"""Numbers under a key that run out: what Dramatiq's rate limiters and barriers keep, which Redis kept before.

Each function does one kind of request for the writer's whole group, in order.
"""

import hashlib
from dataclasses import dataclass

from sqlalchemy import Connection, delete, func, select, update

from ledger import clock, texts
from ledger.engine import announce, insert_new
from ledger.tables import counters

KEY_LIMIT = 200


@dataclass(frozen=True, slots=True)
class Change:
    """``amount`` more, or less if negative, unless the result lies beyond ``bound``; ``ttl`` in microseconds. With
    ``beside``, the bound is on the sum of those keys and ``amount`` too."""

    key: str
    amount: int
    bound: int
    ttl: int
    beside: tuple[str, ...] = ()


def add(connection: Connection, wanted: list[tuple[str, int, int]]) -> list[bool]:
    """Key, value and ttl of each; False where there is such a key already."""
    return [_add(connection, stored(key), value, ttl) for key, value, ttl in wanted]


def change(connection: Connection, wanted: list[Change]) -> list[bool]:
    """Whether each was made."""
    return [_change(connection, each) for each in wanted]


def notify(connection: Connection, wanted: list[tuple[str, int]]) -> list[None]:
    """Key and ttl of each; who waits for one of them is woken."""
    for key, ttl in wanted:
        _put(connection, stored(key), 1, ttl)
    announce(connection)
    return [None] * len(wanted)


def exists(connection: Connection, key: str) -> bool:
    own = select(counters.c.value).where(counters.c.key == stored(key), counters.c.expires_at > clock.now())
    return connection.scalar(own) is not None


def forget_expired(connection: Connection) -> int:
    return connection.execute(delete(counters).where(counters.c.expires_at <= clock.now())).rowcount


def stored(key: str) -> str:
    """The key as a column can hold it."""
    clean = texts.clean(key)
    if clean == key and len(clean) <= KEY_LIMIT:
        return clean
    return hashlib.sha256(key.encode(errors="replace")).hexdigest()


def _add(connection: Connection, key: str, value: int, ttl: int) -> bool:
    connection.execute(delete(counters).where(counters.c.key == key, counters.c.expires_at <= clock.now()))
    row = {"key": key, "value": value, "expires_at": clock.now() + ttl}
    return bool(connection.execute(insert_new(connection, counters).returning(counters.c.key), row).fetchall())


def _change(connection: Connection, wanted: Change) -> bool:
    key = stored(wanted.key)
    _add(connection, key, 0, wanted.ttl)
    value = _locked(connection, key) + wanted.amount
    beyond = value > wanted.bound if wanted.amount > 0 else value < wanted.bound
    if beyond or (wanted.beside and _sum(connection, wanted.beside) + wanted.amount > wanted.bound):
        return False
    _put(connection, key, value, wanted.ttl)
    return True


def _locked(connection: Connection, key: str) -> int:
    return connection.scalar(select(counters.c.value).where(counters.c.key == key).with_for_update())


def _sum(connection: Connection, keys: tuple[str, ...]) -> int:
    own = counters.c.key.in_([stored(key) for key in keys])
    return connection.scalar(
        select(func.coalesce(func.sum(counters.c.value), 0)).where(own, counters.c.expires_at > clock.now())
    )


def _put(connection: Connection, key: str, value: int, ttl: int) -> None:
    row = {"value": value, "expires_at": clock.now() + ttl}
    connection.execute(insert_new(connection, counters), {"key": key} | row)
    connection.execute(update(counters).where(counters.c.key == key).values(row))
