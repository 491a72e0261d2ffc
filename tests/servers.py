"""Real servers for tests and benches, each on loopback ports and in a folder of its own.

``RabbitMQ`` and ``PostgreSQL`` start what Debian packages install, as any user, beside whatever else runs on
the machine. As context managers they start on entry and are gone, folder included, on exit. Their data is on
disk and synced as in production: durability is part of what is tested.
"""

import glob
import json
import os
import pwd
import shutil
import signal
import socket
import subprocess
from functools import cached_property
from itertools import count
from pathlib import Path
from typing import Any, Self

import pika
import psycopg

from tests.processes import (
    Process,
    Processes,
    free_port,
    is_running,
    remove_folder,
    remove_folder_by_and_by,
    temporary_folder,
    wait_until,
)

__all__ = ["PostgreSQL", "Process", "Processes", "RabbitMQ", "free_port", "is_running", "wait_until"]

VHOSTS_AT_ONCE = 8


class RabbitMQ:
    """One private RabbitMQ node; ports and data outlive a stop, a kill or a restart.

    ``erl_args`` go to the Erlang machine (``+S 1:1``: one scheduler), ``config`` lines to rabbitmq.conf.
    """

    def __init__(self, erl_args: str = "", config: str = "", plugins: tuple[str, ...] = ()):
        self.folder = temporary_folder("rabbitmq")
        self.port = free_port()
        self.node = f"waybill-{self.port}@localhost"
        self._epmd_port, self._dist_port = free_port(), free_port()
        self._erl_args = erl_args
        self._epmd: Process | None = None
        self._server: Process | None = None
        self._spare: list[str] = []
        self._numbers = count(1)
        _write(self.folder / "rabbitmq.conf", f"listeners.tcp.1 = 127.0.0.1:{self.port}\n{config}\n")
        _write(self.folder / "enabled_plugins", f"[{','.join(plugins)}].\n")
        _write(self.folder / ".erlang.cookie", f"waybill{os.urandom(12).hex()}", mode=0o400)

    @property
    def url(self) -> str:
        return f"amqp://guest:guest@127.0.0.1:{self.port}/%2F"

    @property
    def pid(self) -> int:
        """The Erlang machine itself, not the shell around it."""
        return int((self.folder / "pid").read_text())

    @property
    def running(self) -> bool:
        return self._server is not None and self._server.running

    def start(self, timeout: float = 90) -> None:
        self._start_epmd()
        (self.folder / "pid").unlink(missing_ok=True)
        self._server = Process([_rabbitmq("rabbitmq-server")], self.folder / "log", self._environment)
        self._server.wait_until(self.answers, timeout, "RabbitMQ answers")

    def answers(self) -> bool:
        parameters = pika.URLParameters(self.url)
        parameters.socket_timeout = parameters.stack_timeout = 5
        try:
            # pika logs a refused connection at length; the first knock is without it.
            socket.create_connection(("127.0.0.1", self.port), timeout=5).close()
            pika.BlockingConnection(parameters).close()
        except (pika.exceptions.AMQPError, OSError):
            return False
        return True

    def stop(self) -> None:
        """Shuts down as a service manager would."""
        if self.running:
            self._signal(signal.SIGTERM)
            self._end()

    def kill(self) -> None:
        """`kill -9`: no goodbye to clients, nothing flushed."""
        self._spare.clear()  # they may have been made a moment ago
        if self.running:
            self._signal(signal.SIGKILL)
            self._end()

    def restart(self) -> None:
        self.stop()
        self.start()

    def wipe(self) -> None:
        """Comes back on the same port, knowing nothing: no queues, no messages."""
        self.kill()
        shutil.rmtree(self.folder / "data", ignore_errors=True)
        self.start()

    def freeze(self) -> None:
        """Connections stay open and nothing answers, until `thaw`."""
        self._signal(signal.SIGSTOP)

    def thaw(self) -> None:
        self._signal(signal.SIGCONT)

    def rabbitmqctl(self, *arguments: Any, timeout: float = 60) -> str:
        command = [_rabbitmq("rabbitmqctl"), "--quiet", "--node", self.node, *map(str, arguments)]
        return _run(command, env=self._environment, timeout=timeout)

    def log_text(self) -> str:
        return self._server.log_text()

    def create_vhost(self, name: str) -> str:
        """A virtual host with no queues that `guest` may use; its URL. Doing it again changes nothing."""
        self._create_vhosts([name])
        return self.url.removesuffix("%2F") + name

    def fresh_vhost(self) -> str:
        """As ``create_vhost``, under a name that nobody had; several are made at once, for it takes a second."""
        if not self._spare:
            self._spare = [f"fresh{next(self._numbers)}" for _ in range(VHOSTS_AT_ONCE)]
            self._create_vhosts(self._spare)
        return self.url.removesuffix("%2F") + self._spare.pop()

    def _create_vhosts(self, names: list[str]) -> None:
        all_rights = {"user": "guest", "configure": ".*", "write": ".*", "read": ".*"}
        vhosts, permissions = [{"name": name} for name in names], [all_rights | {"vhost": name} for name in names]
        definitions = self.folder / "vhost.json"
        _write(definitions, json.dumps({"vhosts": vhosts, "permissions": permissions}))
        self.rabbitmqctl("import_definitions", definitions)

    def create_user(self, name: str, password: str, vhost: str, configure: str, write: str, read: str) -> str:
        """A virtual host, and a user who may do no more than this in it; the URL for them."""
        permission = {"user": name, "vhost": vhost, "configure": configure, "write": write, "read": read}
        users, vhosts = [{"name": name, "password": password, "tags": ""}], [{"name": vhost}]
        definitions = self.folder / "user.json"
        _write(definitions, json.dumps({"users": users, "vhosts": vhosts, "permissions": [permission]}))
        self.rabbitmqctl("import_definitions", definitions)
        return f"amqp://{name}:{password}@127.0.0.1:{self.port}/{vhost}"

    def revive(self) -> None:
        """Awake and answering, whatever was done to it before."""
        if self.running:
            self.thaw()
        if not self.running:
            self.start()

    def close(self) -> None:
        for process in filter(None, [self._server, self._epmd]):
            process.kill()
        remove_folder(self.folder)

    def __enter__(self) -> Self:
        return _entered(self)

    def __exit__(self, *_: Any) -> None:
        self.close()

    def _start_epmd(self) -> None:
        # Started here, it can be stopped here; Erlang's own would be a daemon that outlives the node.
        if self._epmd is None or not self._epmd.running:
            command = ["epmd", "-port", self._epmd_port, "-address", "127.0.0.1"]
            self._epmd = Process(command, self.folder / "epmd.log", self._environment)

    def _signal(self, number: int) -> None:
        os.kill(self.pid, number)

    def _end(self) -> None:
        try:
            self._server.wait(60)
        finally:
            self._server.kill()

    @property
    def _environment(self) -> dict[str, str]:
        loopback = "-kernel inet_dist_use_interface {127,0,0,1}"
        return {
            "PATH": f"{os.environ['PATH']}:/usr/sbin:/usr/bin:/sbin:/bin",
            "LANG": "C.UTF-8",
            "HOME": str(self.folder),
            "ERL_EPMD_PORT": str(self._epmd_port),
            "ERL_EPMD_ADDRESS": "127.0.0.1",
            "ERL_CRASH_DUMP_SECONDS": "0",
            "RABBITMQ_CONF_ENV_FILE": "/dev/null",
            "RABBITMQ_CONFIG_FILE": str(self.folder / "rabbitmq.conf"),
            "RABBITMQ_CTL_ERL_ARGS": loopback,
            "RABBITMQ_DIST_PORT": str(self._dist_port),
            "RABBITMQ_ENABLED_PLUGINS_FILE": str(self.folder / "enabled_plugins"),
            "RABBITMQ_LOGS": "-",
            "RABBITMQ_LOG_BASE": str(self.folder),
            "RABBITMQ_MNESIA_BASE": str(self.folder / "data"),
            "RABBITMQ_NODENAME": self.node,
            "RABBITMQ_PID_FILE": str(self.folder / "pid"),
            "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": f"{loopback} {self._erl_args}",
        }


class PostgreSQL:
    """One private PostgreSQL cluster; port and data outlive a stop, a kill or a restart."""

    def __init__(self, **settings: Any):
        self.folder = temporary_folder("postgresql")
        self.port = free_port()
        self._settings = settings
        self._user = _unprivileged_user()
        self._server: Process | None = None
        self._databases = 0

    @property
    def url(self) -> str:
        return self.url_of("waybill")

    def url_of(self, database: str) -> str:
        return f"postgresql+psycopg://postgres@127.0.0.1:{self.port}/{database}"

    @property
    def pid(self) -> int:
        return self._server.pid

    @property
    def running(self) -> bool:
        return self._server is not None and self._server.running

    def start(self, timeout: float = 60) -> None:
        fresh = not self._data.exists()
        if fresh:
            self._initdb()
        command = [_postgresql("postgres"), "-D", self._data, *self._options()]
        self._server = Process(command, self.folder / "log", dict(os.environ), cwd=self._data, **self._user)
        self._server.wait_until(self.answers, timeout, "PostgreSQL answers")
        if fresh:
            self.create_database("waybill")

    def answers(self) -> bool:
        try:
            self.execute("SELECT 1")
        except psycopg.OperationalError:
            return False
        return True

    def stop(self, mode: str = "fast") -> None:
        """``fast`` ends sessions and writes a checkpoint, ``immediate`` leaves recovery to the next start."""
        if self.running:
            self._server.stop({"fast": signal.SIGINT, "immediate": signal.SIGQUIT}[mode], timeout=60)

    def kill(self) -> None:
        """`kill -9` to every process of the server."""
        if self._server is not None:
            backends = self._server.children
            self._server.kill()
            for pid in backends:
                _kill_if_running(pid)
            wait_until(lambda: not any(map(is_running, backends)), 20, "PostgreSQL's backends are gone")

    def restart(self, mode: str = "fast") -> None:
        self.stop(mode)
        self.start()

    def create_database(self, name: str = "", template: str = "template1") -> str:
        """A fresh database, or a copy of the template that nobody may be using; its URL."""
        self._databases += 1
        name = name or f"waybill_{self._databases}"
        self.execute(f'CREATE DATABASE "{name}" TEMPLATE "{template}" {self._copied_by}')
        return self.url_of(name)

    @cached_property
    def _copied_by(self) -> str:
        """Files as they are, which PostgreSQL 14 does anyway: half the work of writing each page to the log."""
        [(version,)] = self.execute("SHOW server_version_num")
        return "STRATEGY FILE_COPY" if int(version) >= 15_00_00 else ""

    def drop_database(self, name_or_url: str) -> None:
        """Drops it even under open connections."""
        name = name_or_url.rpartition("/")[2]
        self.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')

    def create_role(self, name: str) -> None:
        """A role that may log in and has no rights. Doing it again changes nothing."""
        if not self.execute(f"SELECT 1 FROM pg_roles WHERE rolname = '{name}'"):
            self.execute(f'CREATE ROLE "{name}" LOGIN')

    def execute(self, statement: str, database: str = "postgres") -> list[tuple]:
        """Runs one statement as superuser; its rows, if it has any."""
        url = self.url_of(database).replace("+psycopg", "")
        with psycopg.connect(url, autocommit=True, connect_timeout=5) as connection:
            cursor = connection.execute(statement)
            return cursor.fetchall() if cursor.description else []

    def revive(self) -> None:
        """Running, whatever was done to it before."""
        if not self.running:
            self.start()

    def close(self) -> None:
        self.kill()
        remove_folder_by_and_by(self.folder)

    def __enter__(self) -> Self:
        return _entered(self)

    def __exit__(self, *_: Any) -> None:
        self.close()

    @property
    def _data(self) -> Path:
        return self.folder / "data"

    def _initdb(self) -> None:
        if self._user:
            shutil.chown(self.folder, self._user["user"], self._user["group"])
        command = [_postgresql("initdb"), "-A", "trust", "-U", "postgres", "-E", "UTF8", "--locale=C.UTF-8"]
        _run([*command, "--no-sync", "-D", str(self._data)], cwd=self.folder, timeout=60, **self._user)

    def _options(self) -> list[str]:
        settings = {"listen_addresses": "127.0.0.1", "port": self.port, "unix_socket_directories": ""}
        # Said, not left to the installation: some machines turn it off for all clusters to save time.
        settings |= {"fsync": "on", "synchronous_commit": "on", "full_page_writes": "on"}
        return [f"--{name}={value}" for name, value in (settings | self._settings).items()]


def _entered(server: Any) -> Any:
    try:
        server.start()
    except BaseException:
        server.close()
        raise
    return server


def _unprivileged_user() -> dict[str, Any]:
    """How to start as another user when this one is root, which PostgreSQL refuses to run as."""
    if os.geteuid() != 0:
        return {}
    user = pwd.getpwnam("postgres")
    return {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}


def _rabbitmq(program: str) -> str:
    return _newest(f"/usr/lib/rabbitmq/lib/rabbitmq_server-*/sbin/{program}")


def _postgresql(program: str) -> str:
    return _newest(f"/usr/lib/postgresql/*/bin/{program}")


def _newest(pattern: str) -> str:
    found = sorted(glob.glob(pattern), key=lambda path: (len(path), path))
    if not found:
        raise FileNotFoundError(f"{pattern}: not installed; scripts/install-debian.sh does it")
    return found[-1]


def _run(command: list[str], **options: Any) -> str:
    done = subprocess.run(command, capture_output=True, text=True, stdin=subprocess.DEVNULL, **options)
    if done.returncode:
        raise RuntimeError(f"{' '.join(command)} ended with {done.returncode}\n{done.stdout}{done.stderr}")
    return done.stdout


def _write(path: Path, text: str, mode: int = 0o600) -> None:
    path.write_text(text)
    path.chmod(mode)


def _kill_if_running(pid: int) -> None:
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        pass
