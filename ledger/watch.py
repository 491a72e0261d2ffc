"""One thread per process that notices commits of other processes and wakes whoever waits for news.

SQLite: ``PRAGMA data_version`` changes when another connection commits; asking costs a few microseconds.
PostgreSQL: LISTEN. Either way a wake-up is a hint to look; a watcher that is cut off only makes looking slower.
"""

import logging
import sqlite3
import threading
import time

import sqlalchemy.exc
from sqlalchemy import Engine

from ledger.engine import CHANNEL, is_sqlite

log = logging.getLogger(__name__)

POLL_SECONDS = 0.001
LISTEN_SECONDS = 0.5
AWAY_SECONDS = 1.0


class Watch:
    """``wait`` returns early when the ledger changed. ``close`` ends the thread."""

    def __init__(self, engine: Engine):
        self._engine = engine
        self._changed = threading.Condition()
        self._version = 0
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._run, name="ledger-watch", daemon=True)
        self._thread.start()

    @property
    def version(self) -> int:
        return self._version

    def wait(self, seen: int, timeout: float) -> int:
        """Blocks until something changed after ``seen``, or for ``timeout`` seconds; the newest version."""
        with self._changed:
            self._changed.wait_for(lambda: self._version != seen or self._closing.is_set(), timeout)
            return self._version

    def wake(self) -> None:
        with self._changed:
            self._version += 1
            self._changed.notify_all()

    def close(self) -> None:
        self._closing.set()
        self.wake()
        self._thread.join(timeout=5)

    def _run(self) -> None:
        follow = self._poll_sqlite if is_sqlite(self._engine) else self._listen_postgresql
        while not self._closing.is_set():
            try:
                follow()
            except (sqlalchemy.exc.SQLAlchemyError, sqlite3.Error, OSError) as error:
                log.warning("The watch on the ledger was cut off, trying again: %s", error)
                self._closing.wait(AWAY_SECONDS)

    def _poll_sqlite(self) -> None:
        with self._engine.connect().execution_options(reading=True) as connection:
            cursor = connection.connection.dbapi_connection.cursor()
            seen = None
            while not self._closing.is_set():
                version = cursor.execute("PRAGMA data_version").fetchone()
                if version != seen:
                    seen = version
                    self.wake()
                time.sleep(POLL_SECONDS)

    def _listen_postgresql(self) -> None:
        import psycopg

        url = self._engine.url.set(drivername="postgresql").render_as_string(hide_password=False)
        try:
            with psycopg.connect(url, autocommit=True, connect_timeout=5) as connection:
                connection.execute(f"LISTEN {CHANNEL}")
                self.wake()  # whatever was said before we listened
                while not self._closing.is_set():
                    for _ in connection.notifies(timeout=LISTEN_SECONDS, stop_after=1):
                        self.wake()
        except psycopg.Error as error:
            raise OSError(str(error)) from error
