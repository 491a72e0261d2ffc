"""Waiting for news: commits of other processes wake whoever waits for them here.

SQLite: ``PRAGMA data_version`` changes when another connection commits; asking costs a few microseconds, so one of
those who wait asks again and again, for all. PostgreSQL: a thread that LISTENs. Either way a wake-up is a hint to
look; a watch that is cut off only makes looking slower.
"""

import logging
import sqlite3
import threading
import time
from contextlib import suppress

import sqlalchemy.exc
from sqlalchemy import Connection, Engine

from ledger.engine import CHANNEL, SHORT_SILENCE, is_sqlite

log = logging.getLogger(__name__)

#: How often SQLite is asked after so many seconds of waiting: news soon follow news, and idle processes sleep.
POLLS = ((0.05, 0.00025), (10.0, 0.001), (float("inf"), 0.002))
LISTEN_SECONDS = 0.5
AWAY_SECONDS = 1.0


class Watch:
    """``wait`` returns early when the ledger changed. ``close`` ends all waiting."""

    def __init__(self, engine: Engine):
        self._engine = engine
        self._changed = threading.Condition()
        self._version = 0
        self._closing = threading.Event()

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

    def _cut_off(self, error: BaseException) -> None:
        log.warning("The watch on the ledger was cut off, trying again: %s", error)
        self._closing.wait(AWAY_SECONDS)


class SqliteWatch(Watch):
    """No thread: to be woken by one costs more than the news are old."""

    def __init__(self, engine: Engine):
        super().__init__(engine)
        self._polling = threading.Lock()  # held by the one who asks for all
        self._connection: Connection | None = None
        self._seen: tuple | None = None

    @property
    def version(self) -> int:
        if self._polling.acquire(blocking=False):
            try:
                self._look()
            finally:
                self._let_another_poll()
        return self._version

    def wait(self, seen: int, timeout: float) -> int:
        until = time.monotonic() + timeout
        while self._version == seen and not self._closing.is_set() and (rest := until - time.monotonic()) > 0:
            if self._polling.acquire(blocking=False):
                try:
                    self._poll(seen, rest)
                finally:
                    self._let_another_poll()
            else:
                self._wait_for_the_other(seen, rest)
        return self._version

    def close(self) -> None:
        super().close()
        with self._polling:
            self._disconnect()

    def _let_another_poll(self) -> None:
        self._polling.release()
        with self._changed:
            self._changed.notify_all()

    def _wait_for_the_other(self, seen: int, timeout: float) -> None:
        with self._changed:
            if self._version == seen and self._polling.locked():
                self._changed.wait(timeout)

    def _poll(self, seen: int, timeout: float) -> None:
        began = time.monotonic()
        while self._version == seen and not self._closing.is_set() and (waited := time.monotonic() - began) < timeout:
            self._look()
            time.sleep(min(next(pause for limit, pause in POLLS if waited < limit), timeout))

    def _look(self) -> None:
        try:
            version = self._cursor().execute("PRAGMA data_version").fetchone()
        except (sqlalchemy.exc.SQLAlchemyError, sqlite3.Error) as error:
            self._disconnect()
            self._cut_off(error)
        else:
            if version != self._seen:
                self._seen = version
                self.wake()

    def _cursor(self) -> sqlite3.Cursor:
        if self._connection is None:
            self._connection = self._engine.connect().execution_options(reading=True)
            self._seen = None
        return self._connection.connection.dbapi_connection.cursor()

    def _disconnect(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            with suppress(sqlalchemy.exc.SQLAlchemyError):
                connection.close()


class PostgresqlWatch(Watch):
    def __init__(self, engine: Engine):
        super().__init__(engine)
        self._thread = threading.Thread(target=self._run, name="ledger-watch", daemon=True)
        self._thread.start()

    def close(self) -> None:
        super().close()
        self._thread.join(timeout=5)

    def _run(self) -> None:
        while not self._closing.is_set():
            try:
                self._listen()
            except (sqlalchemy.exc.SQLAlchemyError, OSError) as error:
                self._cut_off(error)

    def _listen(self) -> None:
        import psycopg

        url = self._engine.url.set(drivername="postgresql").render_as_string(hide_password=False)
        try:
            with psycopg.connect(url, autocommit=True, **SHORT_SILENCE) as connection:
                connection.execute(f"LISTEN {CHANNEL}")
                self.wake()  # whatever was said before we listened
                while not self._closing.is_set():
                    for _ in connection.notifies(timeout=LISTEN_SECONDS, stop_after=1):
                        self.wake()
        except psycopg.Error as error:
            raise OSError(str(error)) from error


def open_watch(engine: Engine) -> Watch:
    return SqliteWatch(engine) if is_sqlite(engine) else PostgresqlWatch(engine)
