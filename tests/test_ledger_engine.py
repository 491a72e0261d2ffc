"""Transactions: whole or not at all, on disk, and a reader that sees one moment of the ledger."""

import pytest
from sqlalchemy import Connection, Engine, func, select
from sqlalchemy.exc import DBAPIError

from ledger.engine import one_moment, open_engine, reading, writing, writing_on
from ledger.errors import LedgerAway
from ledger.runs import insert
from ledger.tables import runs
from tests.ledger_circumstances import at_once
from tests.ledger_steps import (
    dispatch,
    dispatch_many,
    migrated,  # noqa: F401
    new_run,
    number_of,
    opened,
)


def count(connection: Connection) -> int:
    return connection.scalar(select(func.count()).select_from(runs))


def test_a_fault_in_the_middle_of_a_transaction_takes_all_of_it_back(engine: Engine):
    with pytest.raises(ZeroDivisionError), writing(engine) as connection:
        insert(connection, [new_run()])
        assert count(connection) == 1
        raise ZeroDivisionError
    assert number_of(engine, runs) == 0


def test_a_reader_sees_one_moment_whatever_is_committed_meanwhile(engine: Engine):
    with reading(engine) as connection:
        before = count(connection)
        dispatch(engine)
        assert count(connection) == before
    assert number_of(engine, runs) == 1


def test_all_that_is_read_in_one_moment_is_one_view_on_one_connection(engine: Engine):
    with one_moment(engine):
        with reading(engine) as first:
            before = count(first)
        at_once(1, lambda _: dispatch(engine))
        with reading(engine) as second:
            assert second is first and count(second) == before
    assert number_of(engine, runs) == 1
    assert engine.pool.checkedout() == 0


def test_a_moment_ends_with_what_its_own_thread_writes(engine: Engine):
    with one_moment(engine):
        assert number_of(engine, runs) == 0
        dispatch(engine)
        assert number_of(engine, runs) == 1


def test_a_moment_in_which_a_reading_failed_goes_on_with_a_new_connection(engine: Engine):
    with one_moment(engine):
        with pytest.raises((DBAPIError, LedgerAway)), reading(engine) as connection:
            connection.exec_driver_sql("SELECT 1 FROM nowhere")
        assert number_of(engine, runs) == 0


def test_a_moment_is_of_one_engine_and_one_thread(engine: Engine, tmp_path):
    with opened(f"sqlite:///{tmp_path / 'other.db'}") as other, one_moment(engine), reading(engine) as mine:
        with reading(other) as its:
            assert its is not mine
        assert at_once(1, lambda _: _reads_on(engine)) != [mine]


def _reads_on(engine: Engine) -> Connection:
    with reading(engine) as connection:
        return connection


def test_writers_at_once_wait_for_each_other(engine: Engine):
    at_once(8, lambda _: [dispatch(engine) for _ in range(5)])
    assert number_of(engine, runs) == 40


def test_a_transaction_that_is_cut_off_is_told_as_an_absence(postgresql_url: str):
    with opened(postgresql_url) as engine, opened(postgresql_url) as other:
        with pytest.raises(LedgerAway), writing(engine) as connection:
            insert(connection, [new_run()])
            victim = connection.exec_driver_sql("SELECT pg_backend_pid()").scalar()
            with writing(other) as admin:
                admin.exec_driver_sql(f"SELECT pg_terminate_backend({victim}, 5000)")
            count(connection)
        assert number_of(engine, runs) == 0


def test_sqlite_checks_references_and_logs_ahead(sqlite_url: str):
    with opened(sqlite_url) as engine, reading(engine) as connection:
        assert connection.exec_driver_sql("PRAGMA journal_mode").scalar() == "wal"
        assert connection.exec_driver_sql("PRAGMA foreign_keys").scalar() == 1


FULL, NORMAL = 2, 1  # whether SQLite waits for the disk at each commit


def test_sqlite_waits_for_the_disk_unless_told_otherwise(sqlite_url: str):
    with opened(sqlite_url) as engine:
        with writing(engine) as connection:
            assert connection.exec_driver_sql("PRAGMA synchronous").scalar() == FULL
        with engine.connect() as kept:
            for durable, expected in [(True, FULL), (False, NORMAL), (True, FULL)]:
                with writing_on(kept, durable) as connection:
                    assert connection.exec_driver_sql("PRAGMA synchronous").scalar() == expected


def test_a_database_in_a_folder_that_is_not_there_yet_is_made(tmp_path):
    with opened(f"sqlite:///{tmp_path}/a/b/ledger.db") as engine:
        assert len(dispatch_many(engine, 2)) == 2


def test_an_address_that_nobody_answers_is_told_as_an_absence():
    engine = open_engine("postgresql+psycopg://nobody@127.0.0.1:1/none")
    with pytest.raises(LedgerAway, match="cannot be used now"):
        number_of(engine, runs)
