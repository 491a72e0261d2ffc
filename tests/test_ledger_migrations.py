"""The schema comes from the migrations alone, whoever runs them and however often."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import Engine, inspect

from ledger.engine import open_engine, reading, schema_differences, writing
from ledger.migrate import downgrade, is_current, migrate
from ledger.tables import metadata
from tests.ledger_circumstances import at_once, write_lock_held
from tests.ledger_steps import (
    dispatch,
    migrated,  # noqa: F401
    row,
)
from tests.servers import Processes

INDEXES = {
    "sqlite": "SELECT sql FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL",
    "postgresql": "SELECT indexdef FROM pg_indexes WHERE tablename <> 'alembic_version'"
    " AND schemaname = 'public'",
}
TRIGGERS = {
    "sqlite": "SELECT name FROM sqlite_master WHERE type = 'trigger'",
    "postgresql": "SELECT proname FROM pg_proc WHERE starts_with(proname, 'runs_')",
}


def names(engine: Engine, queries: dict[str, str]) -> set[str]:
    with reading(engine) as connection:
        return set(connection.exec_driver_sql(queries[engine.dialect.name]).scalars())


def tables_in(engine: Engine) -> set[str]:
    return set(inspect(engine).get_table_names()) - {"alembic_version"}


def description(engine: Engine) -> dict[str, str]:
    """What ``schema_differences`` does not compare: defaults, and the conditions of partial indexes."""
    columns = {name: str(inspect(engine).get_columns(name)) for name in tables_in(engine)}
    return columns | {"indexes": "\n".join(sorted(names(engine, INDEXES)))}


def test_migrations_from_nothing_make_the_tables_of_the_code(empty_database_url: str):
    engine = open_engine(empty_database_url)
    migrate(engine)
    assert schema_differences(engine) == []
    assert tables_in(engine) == set(metadata.tables)
    with reading(engine) as connection:
        assert is_current(connection)
    engine.dispose()


def test_migrations_make_the_defaults_and_partial_indexes_of_the_code(engine: Engine):
    made = description(engine)
    downgrade(engine, "base")
    metadata.create_all(engine)
    assert made == description(engine)


def test_a_downgrade_leaves_nothing_and_an_upgrade_brings_all_back(engine: Engine):
    triggers = names(engine, TRIGGERS)
    downgrade(engine, "base")
    assert tables_in(engine) == set()
    assert names(engine, TRIGGERS) == set()
    migrate(engine)
    assert schema_differences(engine) == []
    assert names(engine, TRIGGERS) == triggers != set()


def test_an_empty_database_is_not_current(empty_database_url: str):
    engine = open_engine(empty_database_url)
    with reading(engine) as connection:
        assert not is_current(connection)
    engine.dispose()


def test_migrating_again_keeps_what_is_there(engine: Engine):
    run = row(engine, dispatch(engine))
    migrate(engine)
    assert row(engine, run.id) == run


def test_processes_that_migrate_at_once_all_succeed(empty_database_url: str, processes: Processes):
    command = ["-m", "ledger"]
    started = [processes.python(*command, DATABASE_URL=empty_database_url) for _ in range(3)]
    assert [process.wait(60) for process in started] == [0, 0, 0]
    engine = open_engine(empty_database_url)
    assert schema_differences(engine) == []
    engine.dispose()


def test_threads_that_migrate_at_once_all_succeed(empty_database_url: str):
    engines = [open_engine(empty_database_url) for _ in range(4)]
    at_once(4, lambda number: migrate(engines[number]))
    assert schema_differences(engines[0]) == []
    for engine in engines:
        engine.dispose()


def test_a_file_that_another_process_is_just_making_is_waited_for(sqlite_url: str):
    engine = open_engine(sqlite_url)
    with ThreadPoolExecutor(1) as pool:
        with write_lock_held(sqlite_url):
            done = pool.submit(migrate, engine)
            with pytest.raises(TimeoutError):
                done.result(0.3)
        done.result(30)
    assert schema_differences(engine) == []
    engine.dispose()


def test_a_newer_schema_is_left_alone(engine: Engine):
    with writing(engine) as connection:
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")
    migrate(engine)
    with reading(engine) as connection:
        assert not is_current(connection)
        assert connection.exec_driver_sql("SELECT version_num FROM alembic_version").scalar() == "9999"
