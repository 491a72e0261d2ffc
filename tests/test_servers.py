"""The servers that tests and benches lean on are real: they keep, lose and refuse what real ones do."""

import signal
import socket
import subprocess
import sys
from pathlib import Path

import pika
import psycopg
import pytest

from tests.processes import ROOT
from tests.servers import PostgreSQL, Processes, RabbitMQ, free_port, is_running, wait_until

QUEUE = "letters"


def publish(url: str, body: bytes) -> None:
    with pika.BlockingConnection(pika.URLParameters(url)) as connection:
        channel = connection.channel()
        channel.confirm_delivery()
        channel.queue_declare(QUEUE, durable=True)
        channel.basic_publish("", QUEUE, body, pika.BasicProperties(delivery_mode=2), mandatory=True)


def take(url: str) -> bytes | None:
    with pika.BlockingConnection(pika.URLParameters(url)) as connection:
        channel = connection.channel()
        channel.queue_declare(QUEUE, durable=True)
        return channel.basic_get(QUEUE, auto_ack=True)[2]


def select_1(url: str) -> int:
    with psycopg.connect(url.replace("+psycopg", "")) as connection:
        return connection.execute("SELECT 1").fetchone()[0]


def test_a_published_message_is_consumed_once(broker_url: str):
    publish(broker_url, b"hello")
    assert take(broker_url) == b"hello"
    assert take(broker_url) is None


def test_virtual_hosts_are_apart(rabbitmq: RabbitMQ, broker_url: str):
    publish(broker_url, b"hello")
    assert take(rabbitmq.create_vhost("elsewhere")) is None


def test_a_durable_queue_outlives_kill_9(rabbitmq: RabbitMQ):
    rabbitmq.revive()
    publish(rabbitmq.url, b"kept")
    # Without this the queue is gone now and then: RabbitMQ writes its definition a little after it was
    # declared, and a message that was confirmed in between goes with it.
    rabbitmq.rabbitmqctl("eval", "mnesia:sync_log().")
    killed, port = rabbitmq.pid, rabbitmq.port
    rabbitmq.kill()
    assert not rabbitmq.running
    assert not rabbitmq.answers()
    rabbitmq.start()
    assert rabbitmq.port == port
    assert rabbitmq.pid != killed
    assert take(rabbitmq.url) == b"kept"


def test_a_wipe_loses_everything(rabbitmq: RabbitMQ):
    rabbitmq.revive()
    publish(rabbitmq.url, b"lost")
    rabbitmq.wipe()
    assert QUEUE not in rabbitmq.rabbitmqctl("list_queues", "name")


def test_a_frozen_node_says_nothing_until_it_thaws(rabbitmq: RabbitMQ):
    rabbitmq.revive()
    rabbitmq.freeze()
    try:
        with socket.create_connection(("127.0.0.1", rabbitmq.port), timeout=1) as client:
            client.sendall(b"AMQP\x00\x00\x09\x01")
            with pytest.raises(TimeoutError):
                client.recv(8)
            rabbitmq.thaw()
            client.settimeout(20)
            assert client.recv(8)
    finally:
        rabbitmq.thaw()


def test_every_test_gets_a_database_of_its_own(postgresql: PostgreSQL, postgresql_url: str):
    assert select_1(postgresql_url) == 1
    assert postgresql_url not in (postgresql.url, postgresql.create_database("another"))


def test_a_database_is_copied_from_a_template(postgresql: PostgreSQL):
    postgresql.create_database("mould")
    postgresql.execute("CREATE TABLE shape (id integer)", database="mould")
    postgresql.create_database("cast", template="mould")
    assert postgresql.execute("SELECT count(*) FROM shape", database="cast") == [(0,)]
    postgresql.drop_database("cast")


@pytest.mark.parametrize("mode", ["fast", "immediate"])
def test_committed_rows_outlive_a_restart(postgresql: PostgreSQL, mode: str):
    database = f"kept_{mode}"
    postgresql.create_database(database)
    postgresql.execute("CREATE TABLE kept AS SELECT 7 AS n", database)
    postgresql.restart(mode)
    assert postgresql.execute("SELECT n FROM kept", database) == [(7,)]


def test_committed_rows_outlive_kill_9(postgresql: PostgreSQL):
    postgresql.create_database("killed")
    postgresql.execute("CREATE TABLE kept AS SELECT 7 AS n", "killed")
    postgresql.kill()
    assert not postgresql.answers()
    postgresql.start()
    assert postgresql.execute("SELECT n FROM kept", "killed") == [(7,)]


def test_postgresql_syncs_to_disk_unless_told_otherwise(postgresql: PostgreSQL):
    with PostgreSQL() as careful:
        assert careful.execute("SHOW fsync") == [("on",)]
        assert careful.execute("SHOW synchronous_commit") == [("on",)]
    assert postgresql.execute("SHOW fsync") == [("off",)]


def test_database_urls_work_on_both_databases(empty_database_url: str):
    import sqlalchemy

    engine = sqlalchemy.create_engine(empty_database_url)
    with engine.begin() as connection:
        assert sqlalchemy.inspect(connection).get_table_names() == []
    engine.dispose()


def test_a_process_is_stopped_by_id_and_its_log_is_kept(processes: Processes):
    sleeper = processes.python("-c", "import time; print('ready'); time.sleep(600)", name="sleeper")
    sleeper.wait_for_log("ready")
    assert sleeper.stop() == -signal.SIGTERM
    assert not sleeper.running


def test_a_process_that_ends_early_is_told_with_its_log(processes: Processes):
    failing = processes.python("-c", "raise SystemExit('no such job')", name="failing")
    with pytest.raises(RuntimeError, match="(?s)ended before .*no such job"):
        failing.wait_for_log("ready")


def test_processes_do_not_see_settings_of_the_shell(processes: Processes, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("DATABASE_URL", "sqlite:////somewhere/precious.db")
    script = "import os; print(os.environ.get('DATABASE_URL'), os.environ['WAYBILL_VAR'])"
    shown = processes.python("-c", script, name="shown")
    assert shown.wait() == 0
    assert shown.log_text().split() == ["None", str(processes.folder / "var")]


@pytest.mark.parametrize("own_session", [False, True])
def test_killing_a_process_reaches_its_children_in_any_session(processes: Processes, own_session: bool):
    nested = f"import subprocess; subprocess.run(['sleep', '600'], start_new_session={own_session})"
    parent = processes.python("-c", nested, name="parent")
    [child] = wait_until(lambda: parent.children, 10, "the child")
    parent.kill()
    wait_until(lambda: not is_running(child), 10, "the child is gone")


def test_children_of_a_process_that_died_are_ended_too(processes: Processes):
    nested = "import os, subprocess; print(subprocess.Popen(['sleep', '600'], start_new_session=True).pid)"
    parent = processes.python("-c", nested, name="parent")
    assert parent.wait() == 0
    child = int(parent.log_text())
    assert is_running(child)
    parent.close()
    wait_until(lambda: not is_running(child), 10, "the child is gone")


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGKILL])
def test_what_a_killed_interpreter_started_ends_with_it(tmp_path: Path, how: int):
    program = (
        "import time; from tests.servers import Processes, wait_until\n"
        "p = Processes(); c = p.start('setsid', '--fork', '--wait', 'sleep', '600')\n"
        "print(*wait_until(lambda: c.children, 10), p.folder, flush=True); time.sleep(600)"
    )
    owner = subprocess.Popen([sys.executable, "-c", program], cwd=ROOT, stdout=subprocess.PIPE, text=True)
    child, folder = owner.stdout.readline().split()
    assert is_running(int(child)) and Path(folder).is_dir()
    owner.send_signal(how)
    owner.communicate()
    wait_until(lambda: not is_running(int(child)) and not Path(folder).exists(), 15, "all is gone")


def test_ports_are_free_and_handed_out_once():
    ports = [free_port() for _ in range(50)]
    assert len(set(ports)) == 50
    with socket.socket() as server:
        server.bind(("127.0.0.1", ports[0]))


def test_waiting_in_vain_says_for_what():
    with pytest.raises(TimeoutError, match="not within 0.3 s: the train"):
        wait_until(lambda: False, 0.1, "the train")
