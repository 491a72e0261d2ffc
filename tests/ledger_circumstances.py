"""What happens around a ledger while it is used: many at once, a lock that others hold, an absence."""

import sqlite3
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import pytest
from sqlalchemy import Engine

from ledger.engine import is_sqlite
from tests.servers import PostgreSQL


def at_once(number: int, act: Callable[[int], Any]) -> list[Any]:
    """The answers of ``act(0)`` to ``act(number - 1)``, each in a thread, all let go at the same moment."""
    start = threading.Barrier(number)

    def one(index: int) -> Any:
        start.wait()
        return act(index)

    with ThreadPoolExecutor(number) as pool:
        return list(pool.map(one, range(number)))


@contextmanager
def write_lock_held(url: str) -> Iterator[None]:
    """Somebody else writes to the SQLite file, and takes their time."""
    connection = sqlite3.connect(url.removeprefix("sqlite:///"), isolation_level=None)
    connection.execute("BEGIN IMMEDIATE")
    yield
    connection.rollback()
    connection.close()


@contextmanager
def away(engine: Engine, request: pytest.FixtureRequest) -> Iterator[None]:
    """Nobody can write: the PostgreSQL server is stopped; the SQLite file is locked for too long."""
    if is_sqlite(engine):
        request.getfixturevalue("monkeypatch").setattr("ledger.engine.BUSY_SECONDS", 0.2)
        with write_lock_held(str(engine.url)):
            yield
    else:
        server: PostgreSQL = request.getfixturevalue("postgresql")
        server.stop()
        yield
        server.start()
