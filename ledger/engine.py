"""Engines and transactions, and everything in which SQLite and PostgreSQL differ."""

import random
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from pathlib import Path

from sqlalchemy import Connection, Engine, create_engine, event, inspect
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DBAPIError, IntegrityError, InterfaceError, OperationalError, TimeoutError

from ledger import failpoints
from ledger.errors import LedgerAway
from ledger.tables import metadata

CHANNEL = "waybill"  # PostgreSQL's NOTIFY channel: something was queued, canceled or changed
BUSY_SECONDS = 20  # how long a SQLite writer waits for the lock before it is told that the ledger is away

#: A database host that vanished is given up in half a minute, not in a quarter of an hour.
SHORT_SILENCE = {
    "connect_timeout": 5,
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": 25_000,  # milliseconds
}


def open_engine(url: str) -> Engine:
    """An engine for this process; never to be used across a fork."""
    parsed = make_url(url)
    return _open_sqlite(parsed) if parsed.get_backend_name() == "sqlite" else _open_postgresql(parsed)


def _open_sqlite(url) -> Engine:
    if url.database:
        Path(url.database).parent.mkdir(parents=True, exist_ok=True)
    engine = create_engine(url, pool_size=10, max_overflow=30, connect_args={"timeout": BUSY_SECONDS})
    event.listen(engine, "connect", _prepare_sqlite)
    event.listen(engine, "begin", _begin_sqlite)
    return engine


def _open_postgresql(url) -> Engine:
    return create_engine(
        url,
        pool_size=10,
        max_overflow=30,
        pool_pre_ping=True,
        connect_args=SHORT_SILENCE
        | {"options": f"-c lock_timeout={BUSY_SECONDS}s -c idle_in_transaction_session_timeout=60s"},  # of the frozen
    )


def _prepare_sqlite(connection: sqlite3.Connection, _record) -> None:
    connection.isolation_level = None  # BEGIN is ours, see _begin_sqlite
    _insist(lambda: connection.execute("PRAGMA journal_mode = WAL"))  # a new file may be locked by who makes it
    connection.execute("PRAGMA foreign_keys = ON")
    connection.execute("PRAGMA cache_size = -16000")


def _begin_sqlite(connection: Connection) -> None:
    # A deferred transaction that turns into a writer fails at once when another one writes, busy timeout or not.
    cursor = connection.connection.dbapi_connection.cursor()
    options = connection.get_execution_options()
    if options.get("glancing"):
        return
    if options.get("reading"):
        cursor.execute("BEGIN")
    else:
        _set_durability(cursor, connection.connection.info, options.get("durable", True))
        _begin_immediate(cursor)


def _set_durability(cursor: sqlite3.Cursor, known: dict, durable: bool) -> None:
    if known.get("durable") != durable:
        cursor.execute(f"PRAGMA synchronous = {'FULL' if durable else 'NORMAL'}")
        known["durable"] = durable


def _begin_immediate(cursor: sqlite3.Cursor) -> None:
    cursor.execute("PRAGMA busy_timeout = 0")
    try:
        _insist(lambda: cursor.execute("BEGIN IMMEDIATE"))
    finally:
        cursor.execute(f"PRAGMA busy_timeout = {BUSY_SECONDS * 1000}")


def _insist(act: Callable[[], object]) -> None:
    """Tries again while the database is locked. SQLite's own waiting sleeps ever longer; ours stays quick at first."""
    deadline = time.monotonic() + BUSY_SECONDS
    pause = 0.0002
    while True:
        try:
            act()
            return
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY or time.monotonic() > deadline:
                raise
        time.sleep(pause * random.uniform(0.5, 1.5))
        pause = min(pause * 1.2, 0.01)


@contextmanager
def writing(engine: Engine) -> Iterator[Connection]:
    """A transaction that is committed, on disk, when the block ends. Raises LedgerAway."""
    end_moment()
    with translated(), engine.begin() as connection:
        yield connection
        failpoints.before_commit(connection)
    failpoints.after_commit()


@contextmanager
def writing_on(connection: Connection, durable: bool) -> Iterator[Connection]:
    """``writing`` on a connection that is kept. Without ``durable``, SQLite does not wait for the disk: a power
    failure may take the transaction back, together with everything that this machine was doing then."""
    with translated(), connection.execution_options(durable=durable).begin():
        yield connection
        failpoints.before_commit(connection)
    failpoints.after_commit()


@contextmanager
def reading(engine: Engine) -> Iterator[Connection]:
    """One consistent view of the ledger, without a write lock. Raises LedgerAway."""
    moment = _moment.get()
    if moment is not None and moment.engine is engine:
        with moment.kept() as connection:
            yield connection
    else:
        with translated(), _reader(engine) as connection:
            yield connection


def _reader(engine: Engine) -> Connection:
    isolated = {} if is_sqlite(engine) else {"isolation_level": "REPEATABLE READ"}
    return engine.connect().execution_options(reading=True, **isolated)


@contextmanager
def one_moment(engine: Engine) -> Iterator[None]:
    """All that this thread reads inside is one view of the ledger, on one connection: a page that asks in several
    places shows one moment, and pays for one transaction. Ends early when the thread writes, or a reading fails."""
    moment = _Moment(engine)
    before = _moment.set(moment)
    try:
        yield
    finally:
        _moment.reset(before)
        moment.end()


class _Moment:
    """Opened with its first reading."""

    def __init__(self, engine: Engine):
        self.engine = engine
        self._connection: Connection | None = None

    @contextmanager
    def kept(self) -> Iterator[Connection]:
        try:
            with translated():
                if self._connection is None:
                    self._connection = _reader(self.engine)
                yield self._connection
        except BaseException:
            self.end()
            raise

    def end(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            with suppress(DBAPIError):
                connection.close()


_moment: ContextVar[_Moment | None] = ContextVar("moment", default=None)


def end_moment() -> None:
    """What this thread reads from now on is of now. For whoever writes, or waits for news."""
    if moment := _moment.get():
        moment.end()


class Glance:
    """Single SELECTs on a connection that is kept: each sees its own moment, and none waits for a transaction to
    begin. One thread at a time has it."""

    def __init__(self, engine: Engine):
        self._engine = engine
        self._lock = threading.Lock()
        self._connection: Connection | None = None

    @contextmanager
    def __call__(self) -> Iterator[Connection]:
        """The connection; a new one after a failure. Raises LedgerAway."""
        with self._lock:
            try:
                with translated():
                    if self._connection is None:
                        self._connection = self._connect()
                    yield self._connection
            except Exception:
                self.close()
                raise

    def _connect(self) -> Connection:
        options = {"glancing": True} if is_sqlite(self._engine) else {"isolation_level": "AUTOCOMMIT"}
        return self._engine.connect().execution_options(**options)

    def close(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            with suppress(DBAPIError):
                connection.close()


@contextmanager
def translated() -> Iterator[None]:
    """Turns the driver's 'cannot reach it now' into LedgerAway; faults of ours stay what they are."""
    try:
        yield
    except IntegrityError:
        raise
    except (sqlite3.OperationalError, OperationalError, InterfaceError, TimeoutError) as error:
        raise LedgerAway(error) from error
    except DBAPIError as error:
        if error.connection_invalidated:
            raise LedgerAway(error) from error
        raise


def insert_new(connection: Connection, table):
    """An INSERT that leaves out rows which are there already, by any unique key."""
    dialect = sqlite if is_sqlite(connection) else postgresql
    return dialect.insert(table).on_conflict_do_nothing()


def insert_if_new(connection: Connection, table, row: dict) -> bool:
    """Whether the row was new. Asked for what it returns: drivers do not all count what they left out."""
    statement = insert_new(connection, table).values(row).returning(*table.primary_key)
    return connection.execute(statement).first() is not None


def upsert(connection: Connection, table, key: str, changed: dict | None = None):
    """An INSERT that overwrites the row of the same ``key``, column by column, or as ``changed`` says."""
    dialect = sqlite if is_sqlite(connection) else postgresql
    statement = dialect.insert(table)
    new = {column.name: statement.excluded[column.name] for column in table.columns if column.name != key}
    return statement.on_conflict_do_update(index_elements=[key], set_=changed or new)


def lock_against_writes(connection: Connection, table: str) -> None:
    """Nobody else writes to the table until this transaction ends. On SQLite nobody does anyway."""
    if not is_sqlite(connection):
        connection.exec_driver_sql(f"LOCK TABLE {table} IN SHARE ROW EXCLUSIVE MODE")


def accumulate(connection: Connection, table, numbers: dict[tuple, int]) -> None:
    """Adds each of ``numbers`` to the column ``number`` of the row with its key, which is made when it is new."""
    if not numbers:
        return
    keys = [column.name for column in table.primary_key]
    dialect = sqlite if is_sqlite(connection) else postgresql
    statement = dialect.insert(table)
    added = {"number": table.c.number + statement.excluded.number}
    rows = [dict(zip(keys, key, strict=True), number=number) for key, number in sorted(numbers.items())]
    connection.execute(statement.on_conflict_do_update(index_elements=keys, set_=added), rows)


def version(connection: Connection) -> str:
    """``SQLite 3.40.1``, ``PostgreSQL 15.9``."""
    if is_sqlite(connection):
        return f"SQLite {sqlite3.sqlite_version}"
    return f"PostgreSQL {connection.exec_driver_sql('SHOW server_version').scalar().split()[0]}"


def size(connection: Connection) -> int:
    """Bytes of the database, without SQLite's log of what is not yet in it."""
    statement = "SELECT pg_database_size(current_database())"
    if is_sqlite(connection):
        statement = "SELECT page_count * page_size FROM pragma_page_count, pragma_page_size"
    return connection.exec_driver_sql(statement).scalar()


def rows_roughly(connection: Connection, table) -> int:
    """A guess that costs nothing, at how many rows a table has: the newest row's number, the statistics."""
    statement = f"SELECT reltuples::bigint FROM pg_class WHERE oid = '{table.name}'::regclass"
    if is_sqlite(connection):
        first, last = (f"SELECT {end}(rowid) FROM {table.name}" for end in ("min", "max"))
        statement = f"SELECT ({last}) - ({first}) + 1"  # asked for both at once, SQLite walks all rows
    return max(0, connection.exec_driver_sql(statement).scalar() or 0)


def without_waiting(connection: Connection) -> None:
    """From now on this transaction waits a moment at most for rows that others hold, and raises LedgerAway then."""
    if not is_sqlite(connection):
        connection.exec_driver_sql("SET LOCAL lock_timeout = '500ms'")


def announce(connection: Connection) -> None:
    """Wakes whoever watches the ledger, when this transaction commits. SQLite needs no word: see watch."""
    if not is_sqlite(connection):
        connection.exec_driver_sql(f"NOTIFY {CHANNEL}")


OUTLAST_SECONDS = 0.7
_WRITERS = (
    "SELECT DISTINCT virtualtransaction FROM pg_locks WHERE mode = 'RowExclusiveLock'"
    " AND relation = %(table)s::regclass"
    " AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
)


def outlast_writers(engine: Engine, table) -> None:
    """Waits for the transactions that write to ``table`` now: on PostgreSQL they may not see what was just committed.

    Without a lock, which would hold up all others behind one that is slow; and so for a moment at most.
    """
    if is_sqlite(engine):
        return
    deadline = time.monotonic() + OUTLAST_SECONDS
    with translated(), engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        left = _writers(connection, table)
        while left and time.monotonic() < deadline:
            time.sleep(0.002)
            left &= _writers(connection, table)


def _writers(connection: Connection, table) -> set[str]:
    return set(connection.exec_driver_sql(_WRITERS, {"table": table.name}).scalars())


def has_wal_reset_bug() -> bool:
    """Whether this SQLite may, rarely, corrupt a WAL database (fixed in 3.51.3, 3.50.7 and 3.44.6)."""
    version = sqlite3.sqlite_version_info
    fixed = version >= (3, 51, 3) or (3, 50, 7) <= version < (3, 51) or (3, 44, 6) <= version < (3, 45)
    return version >= (3, 7) and not fixed


def is_sqlite(bind: Connection | Engine) -> bool:
    return bind.dialect.name == "sqlite"


def is_prepared(connection: Connection) -> bool:
    """Whether anybody has migrated this database yet. Says nothing about the age of its schema."""
    return inspect(connection).has_table("runs")


def schema_differences(engine: Engine) -> list:
    """What Alembic would still have to change; empty when the migrations and ``tables`` say the same."""
    from alembic.autogenerate import compare_metadata
    from alembic.migration import MigrationContext

    with engine.connect() as connection:
        return compare_metadata(MigrationContext.configure(connection), metadata)
