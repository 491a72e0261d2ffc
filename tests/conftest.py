"""The fixtures that every test may ask for. Servers start when the first test needs them, once a session."""

import gc
from collections.abc import Iterator
from pathlib import Path

import dramatiq
import pytest
from dramatiq.brokers.stub import StubBroker

from tests.ledgers import made_at
from tests.processes import Processes
from tests.servers import PostgreSQL, RabbitMQ
from tests.stack import Stack
from workers.options import ActorOptions

#: What takes longest, first: whole files go to the process that is free, and a long one at the end keeps all waiting.
HEAVY = (
    "scheduler_process", "browser_walk", "flows", "faults", "rabbitmq_flows", "browser", "browser_volume", "isolation",
    "browser_pages", "limits_flow", "pauses_flow", "queries", "supervisor", "results", "recycling", "bench_ticks",
    "servers", "browser_schedules", "web_outages", "browser_photos", "web_process", "browser_volume_flow",
    "recurrence", "browser_keys", "runs_list", "schedules", "web_schedules", "schedule_clocks", "ledger_plans",
)  # fmt: skip

dramatiq.set_broker(StubBroker(middleware=[ActorOptions()]))  # for job modules that a test imports as plain functions


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    order = {f"test_{name}": place for place, name in enumerate(HEAVY)}
    items.sort(key=lambda item: order.get(item.path.stem, len(HEAVY)))


def pytest_collection_finish() -> None:
    """What was imported and collected stays: the garbage collector need not walk through all of it again and again."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(10_000, 20, 20)


@pytest.fixture(scope="session")
def rabbitmq() -> Iterator[RabbitMQ]:
    """The node itself: to stop, kill, wipe, freeze. Whoever needs a clean place on it takes `broker_url`."""
    with RabbitMQ() as node:
        yield node


@pytest.fixture(scope="session")
def postgresql() -> Iterator[PostgreSQL]:
    """The cluster itself: to stop, kill, restart. Whoever needs a clean database takes `postgresql_url`."""
    with PostgreSQL(fsync="off") as cluster:  # processes die in these tests, the machine does not
        yield cluster


@pytest.fixture
def broker_url(rabbitmq: RabbitMQ) -> str:
    """A virtual host of this test alone, on a node that answers. A wipe of the node takes it away."""
    return a_vhost(rabbitmq)


def a_vhost(rabbitmq: RabbitMQ) -> str:
    rabbitmq.revive()
    return rabbitmq.fresh_vhost()


@pytest.fixture
def sqlite_url(tmp_path: Path) -> str:
    """A file that is not there yet; ``ledgers.prepare`` makes it."""
    return f"sqlite:///{tmp_path / 'ledger.db'}"


@pytest.fixture(scope="session")
def ready_database(postgresql: PostgreSQL) -> str:
    """The name of a migrated database to copy, which nobody may use."""
    postgresql.revive()
    return made_at(postgresql.create_database("ready")).rpartition("/")[2]


@pytest.fixture
def postgresql_url(request: pytest.FixtureRequest) -> str:
    """A migrated database of this test alone; it goes with the cluster."""
    return a_postgresql_database(request)


def a_postgresql_database(request: pytest.FixtureRequest) -> str:
    cluster = request.getfixturevalue("postgresql")
    cluster.revive()
    return cluster.create_database(template=request.getfixturevalue("ready_database"))


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest) -> str:
    """A database of this test alone; the test runs once on SQLite and once on PostgreSQL."""
    return request.getfixturevalue(f"{request.param}_url")


@pytest.fixture(params=["sqlite", "postgresql"])
def empty_database_url(request: pytest.FixtureRequest) -> str:
    """Nothing is in it; otherwise as ``database_url``."""
    if request.param == "sqlite":
        return request.getfixturevalue("sqlite_url")
    postgresql = request.getfixturevalue("postgresql")
    postgresql.revive()
    return postgresql.create_database()


@pytest.fixture
def processes(tmp_path: Path) -> Iterator[Processes]:
    """Starts processes in the test's folder; all end with the test, which shows their logs if it fails."""
    with Processes(tmp_path) as started:
        yield started
        print(started.logs())
        started.kill()


@pytest.fixture(params=["embedded-sqlite", "rabbitmq-postgresql"])
def stack(request: pytest.FixtureRequest, processes: Processes) -> Iterator[Stack]:
    """Waybill with nothing installed, and in full dress; only the servers are started yet."""
    yield from a_stack(request, processes, request.param)


@pytest.fixture(params=["embedded-sqlite", "embedded-postgresql", "rabbitmq-sqlite", "rabbitmq-postgresql"])
def any_stack(request: pytest.FixtureRequest, processes: Processes) -> Iterator[Stack]:
    """Waybill on each pair of broker and database."""
    yield from a_stack(request, processes, request.param)


def a_stack(request: pytest.FixtureRequest, processes: Processes, pair: str) -> Iterator[Stack]:
    broker, database = pair.split("-")
    broker_url = request.getfixturevalue("broker_url") if broker == "rabbitmq" else ""
    made = Stack(processes, request.getfixturevalue(f"{database}_url"), broker_url)
    yield made
    made.close()


@pytest.fixture(scope="module")
def stacks_at_work(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator:
    """``stacks_at_work("embedded-sqlite")``: a stack for all tests of a module that only look, at work already.

    The module says what works there: ``WORKERS = {"processes": 1, "threads": 4, "JOBS": …}``, ``SCHEDULER = True``.
    """
    chosen = {"processes": 1, "threads": 4} | getattr(request.module, "WORKERS", {})
    schedules = getattr(request.module, "SCHEDULER", False)
    made: dict[str, Stack] = {}

    def at_work(pair: str) -> Stack:
        if pair not in made:
            broker, database = pair.split("-")
            folder = tmp_path_factory.mktemp("stack")
            url = f"sqlite:///{folder / 'ledger.db'}" if database == "sqlite" else a_postgresql_database(request)
            broker_url = a_vhost(request.getfixturevalue("rabbitmq")) if broker == "rabbitmq" else ""
            made[pair] = Stack(Processes(folder), url, broker_url)
            made[pair].workers(**chosen)
            if schedules:
                made[pair].scheduler()
        return made[pair]

    yield at_work
    for each in made.values():
        each.close()


@pytest.fixture(params=["embedded-sqlite", "rabbitmq-postgresql"])
def at_work(request: pytest.FixtureRequest, stacks_at_work) -> Iterator[Stack]:
    """As ``stack``, with workers, and shared: for tests that ask about runs of their own and stop nothing."""
    yield (shared := stacks_at_work(request.param))
    print(shared.processes.logs())


@pytest.fixture
def embedded_at_work(stacks_at_work) -> Iterator[Stack]:
    """As ``embedded_stack``, with workers, and shared."""
    yield (shared := stacks_at_work("embedded-sqlite"))
    print(shared.processes.logs())


@pytest.fixture
def embedded_stack(processes: Processes, sqlite_url: str) -> Iterator[Stack]:
    """Waybill with nothing installed, for what does not depend on brokers and databases."""
    made = Stack(processes, sqlite_url)
    yield made
    made.close()


@pytest.fixture
def rabbitmq_stack(rabbitmq: RabbitMQ, processes: Processes, postgresql_url: str) -> Iterator[Stack]:
    """Waybill on the node itself, which the test may stop, wipe or kill."""
    rabbitmq.revive()
    made = Stack(processes, postgresql_url, rabbitmq.url)
    yield made
    made.close()
