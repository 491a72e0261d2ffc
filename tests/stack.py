"""Waybill's own processes around one ledger, as a test or a fault needs them, and a client's view of it."""

import contextlib
import functools
import importlib
import os
import sys
from collections import Counter
from typing import Any

import dramatiq
import httpx
from dramatiq import Message
from sqlalchemy import text

from ledger import runs, settings
from ledger.engine import open_engine, reading
from ledger.runs import NewRun
from tests.ledgers import prepare
from tests.processes import Process, Processes, free_port
from workers.broker import make_broker

READY_SECONDS = 40


class Stack:
    """A ledger, perhaps a broker, and the processes that were started on them."""

    def __init__(self, processes: Processes, database_url: str, broker_url: str = "", jobs: str = "tests.jobs.stock"):
        self.processes = processes
        self.witness = processes.folder / "witness"
        self.witness.touch()
        processes.environment |= {
            "DATABASE_URL": database_url, "BROKER_URL": broker_url, "JOBS": jobs, "WITNESS": self.witness,
            "WORKER_GRACE": "2", "PORT": str(free_port()),
        }  # fmt: skip
        self.engine = open_engine(database_url)
        prepare(self.engine)
        self.settings = settings.load(
            database_url=database_url,
            broker_url=broker_url,
            jobs=jobs,
            waybill_var=processes.folder / "var",
            _env_file=None,
        )

    def workers(self, processes: int = 1, threads: int = 4, *more: str, **environment: Any) -> Process:
        """Starts a supervisor and waits until its workers have announced themselves."""
        already = self.alive("worker")
        started = self.processes.python(
            "-m", "workers", "--processes", processes, "--threads", threads, *more, name="workers", **environment
        )
        started.wait_until(lambda: self.alive("worker") >= already + processes, READY_SECONDS, "workers are ready")
        return started

    def scheduler(self, *more: str) -> Process:
        already = self.alive("scheduler")
        started = self.processes.python("scheduler.py", *more, name="scheduler")
        started.wait_until(lambda: self.alive("scheduler") > already, READY_SECONDS, "the scheduler is up")
        return started

    def web(self) -> "Site":
        site = Site(f"http://127.0.0.1:{self.processes.environment['PORT']}")
        started = self.processes.python("-m", "web", name="web")
        started.wait_until(site.is_up, READY_SECONDS, "the site answers")
        return site

    @functools.cached_property
    def broker(self):
        """A broker in this process, to send from; the stock module's actors belong to it."""
        return make_broker(self.settings)

    @contextlib.contextmanager
    def sending(self, module: str = "tests.jobs.stock"):
        """The job module, imported anew on this stack's broker."""
        os.environ["WITNESS"] = str(self.witness)
        dramatiq.set_broker(self.broker)
        sys.modules.pop(module, None)
        loaded = importlib.import_module(module)
        try:
            yield loaded
        finally:
            if ended := self.__dict__.pop("broker", None):
                ended.close()

    def dispatch(self, job: str, *args: Any, queue: str = "default", **kwargs: Any) -> str:
        return runs.dispatch(self.engine, NewRun(job=job, queue=queue, origin="code", args=args, kwargs=kwargs))

    def alive(self, kind: str) -> int:
        return self.ask("SELECT count(*) FROM processes WHERE kind = :kind AND state = 'alive'", kind=kind)

    def ask(self, statement: str, **values: Any) -> Any:
        with reading(self.engine) as connection:
            return connection.scalar(text(statement), values)

    def rows(self, statement: str, **values: Any) -> list[Any]:
        with reading(self.engine) as connection:
            return list(connection.execute(text(statement), values))

    def run(self, run_id: str) -> Any:
        return self.rows("SELECT * FROM runs WHERE id = :id", id=run_id)[0]

    def state(self, run_id: str) -> str:
        return self.run(run_id).state

    def states(self) -> dict[str, int]:
        return dict(tuple(row) for row in self.rows("SELECT state, count(*) FROM runs GROUP BY state"))

    def wait_for_state(self, run_id: str, state: str, timeout: float = 20) -> Any:
        self.processes.wait_until(lambda: self.state(run_id) == state, timeout, f"{run_id} is {state}")
        return self.run(run_id)

    def wait_for_all(self, state: str = "succeeded", timeout: float = 60) -> None:
        def all_there() -> bool:
            return set(self.states()) <= {state}

        self.processes.wait_until(all_there, timeout, f"all runs {state}, not {self.states()}")

    def witnessed(self, event: str) -> Counter:
        """How often each key's body really started."""
        lines = (line.split() for line in self.witness.read_text().splitlines())
        return Counter(key for name, key, _pid in lines if name == event)

    def find(self, message: Message) -> Any:
        return self.rows("SELECT * FROM runs WHERE message_id = :id", id=message.message_id)[0]

    def close(self) -> None:
        """Kills what runs; how that stops, its tests say, and most wait for it."""
        self.processes.kill()
        self.engine.dispose()


class Site:
    """The web process, as a browser without JavaScript uses it."""

    def __init__(self, url: str):
        self.url = url
        self.client = httpx.Client(base_url=url, timeout=20)

    def is_up(self) -> bool:
        with contextlib.suppress(httpx.TransportError):
            return self.client.get("/healthz").status_code == 200
        return False


