"""The fixtures that every test may ask for. Servers start when the first test needs them, once a session."""

from collections.abc import Iterator
from itertools import count
from pathlib import Path

import pytest

from tests.servers import PostgreSQL, Processes, RabbitMQ

_vhosts = count(1)


@pytest.fixture(scope="session")
def rabbitmq() -> Iterator[RabbitMQ]:
    """The node itself: to stop, kill, wipe, freeze. Whoever needs a clean place on it takes `broker_url`."""
    with RabbitMQ() as node:
        yield node


@pytest.fixture(scope="session")
def postgresql() -> Iterator[PostgreSQL]:
    """The cluster itself: to stop, kill, restart. Whoever needs a clean database takes `postgresql_url`."""
    with PostgreSQL() as cluster:
        yield cluster


@pytest.fixture
def broker_url(rabbitmq: RabbitMQ) -> str:
    """A virtual host of this test alone, on a node that answers. A wipe of the node takes it away."""
    rabbitmq.revive()
    return rabbitmq.create_vhost(f"test{next(_vhosts)}")


@pytest.fixture
def sqlite_url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path / 'ledger.db'}"


@pytest.fixture
def postgresql_url(postgresql: PostgreSQL) -> Iterator[str]:
    """An empty database of this test alone, dropped after it."""
    postgresql.revive()
    url = postgresql.create_database()
    yield url
    postgresql.revive()
    postgresql.drop_database(url)


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest) -> str:
    """An empty database of this test alone; the test runs once on SQLite and once on PostgreSQL."""
    return request.getfixturevalue(f"{request.param}_url")


@pytest.fixture
def processes(tmp_path: Path) -> Iterator[Processes]:
    """Starts processes in the test's folder; all end with the test, which shows their logs if it fails."""
    with Processes(tmp_path) as started:
        yield started
        print(started.logs())
