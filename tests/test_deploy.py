"""What docs/deploy.md tells people to type, typed: the least rights, backup and restore, settings for a Procfile."""

import re
import sqlite3
from io import StringIO
from pathlib import Path

import honcho.environ
import psycopg
import pytest
from dotenv import dotenv_values
from pika import BlockingConnection, URLParameters
from pika.exceptions import AMQPError

from tests.documented import block, run_documented
from tests.ledgers import made_at
from tests.processes import ROOT, Processes, wait_until
from tests.servers import PostgreSQL, RabbitMQ
from tests.stack import Stack

DEPLOY = "docs/deploy.md"


NAME = "limited"  # for `waybill`: that may be there already


@pytest.fixture(scope="module")
def broker_url(rabbitmq: RabbitMQ) -> str:
    """The virtual host and the user of the document."""
    rabbitmq.revive()
    patterns = re.findall(r"'(.+?)'", block(DEPLOY, "rights-rabbitmq"))
    return rabbitmq.create_user(NAME, "secret", NAME, *patterns)


@pytest.fixture(scope="module")
def database_url(postgresql: PostgreSQL) -> str:
    """The role and the database of the document."""
    postgresql.revive()
    for statement in block(DEPLOY, "rights-postgresql").replace("waybill", NAME).strip().split("\n"):
        postgresql.execute(statement)
    return postgresql.url_of(NAME).replace("postgres@", f"{NAME}:secret@")


def test_the_rights_of_the_document_are_enough(
    rabbitmq: RabbitMQ, postgresql: PostgreSQL, broker_url: str, database_url: str, processes: Processes
):
    logged = len(rabbitmq.log_text())
    assert processes.python("-m", "ledger", DATABASE_URL=database_url).wait() == 0
    stack = Stack(processes, database_url, broker_url, jobs="tests.jobs.stock")
    workers, _, site = stack.workers(), stack.scheduler(), stack.web()
    workers.wait_for_log("The consumer of default is connected to RabbitMQ")
    stack.wait_for_state(stack.dispatch("flaky", 2), "succeeded")
    wait_until(lambda: "RabbitMQ is away" not in site.client.get("/queues").text, 20, "the site is connected too")
    # The pattern does not name this queue: its runs wait for a look into the ledger.
    stack.wait_for_state(stack.dispatch("collect", 1, queue="side"), "succeeded", 40)
    assert "The consumer of side lost RabbitMQ" in workers.log_text()
    refused = re.findall(r"access to (\S+ '\S+') in vhost", rabbitmq.log_text()[logged:])
    assert {name.split("'")[1] for name in refused} <= {"side", "side.DQ", "side.XQ"}
    assert "permission denied" not in (postgresql.folder / "log").read_text()
    stack.close()


def test_they_open_nothing_else(broker_url: str, database_url: str):
    with pytest.raises(AMQPError), BlockingConnection(URLParameters(broker_url.rpartition("/")[0] + "/%2F")):
        pass
    with BlockingConnection(URLParameters(broker_url)) as connection, pytest.raises(AMQPError):
        connection.channel().exchange_declare("strange")
    with psycopg.connect(database_url.replace("+psycopg", "")) as connection, pytest.raises(psycopg.Error):
        connection.execute("CREATE ROLE strange")


def test_a_backup_of_sqlite_is_one_moment_and_replaces_what_was_there(tmp_path: Path):
    var, backup = tmp_path / "var", tmp_path / "backup"
    var.mkdir()
    backup.mkdir()
    made_at(f"sqlite:///{var / 'ledger.db'}")
    names = {"WAYBILL_VAR": var, "BACKUP": backup}
    with sqlite3.connect(var / "ledger.db", isolation_level=None) as connection:
        connection.execute("CREATE TABLE notes AS SELECT 1 AS number")
        run_documented(DEPLOY, "backup-sqlite", tmp_path, **names)
        connection.execute("INSERT INTO notes VALUES (2)")
        (var / "ledger.db-wal").rename(var / "old-wal")
    connection.close()
    (var / "old-wal").rename(var / "ledger.db-wal")  # as a machine that went down leaves it
    run_documented(DEPLOY, "restore-sqlite", tmp_path, **names)
    with sqlite3.connect(var / "ledger.db") as restored:
        assert restored.execute("SELECT number FROM notes").fetchall() == [(1,)]
        assert restored.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    restored.close()


def test_the_example_of_settings_reads_the_same_for_those_who_start_a_procfile():
    text = re.sub(r"^# (?=[A-Z_]+=)", "", (ROOT / ".env.example").read_text(), flags=re.MULTILINE)
    assert honcho.environ.parse(text) == dotenv_values(stream=StringIO(text)) != {}
