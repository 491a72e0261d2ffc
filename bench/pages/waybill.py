"""Waybill on a lived-in ledger (``bench.demo``), on either database. No workers: they would only take the machine."""

from contextlib import ExitStack
from typing import Any

from bench.demo import livedin
from bench.pages.site import FAR, ROWS, Site
from ledger import tables
from ledger.engine import open_engine, reading
from ledger.migrate import migrate
from tests.servers import PostgreSQL, Process


class Waybill(Site):
    health = "/healthz"

    def prepare(self, stack: ExitStack) -> None:
        self.url = self.database(stack)
        self.engine = open_engine(self.url)
        stack.callback(self.engine.dispose)
        migrate(self.engine)
        livedin.fill(self.engine, self.runs)
        self.processes.environment |= {"DATABASE_URL": self.url, "PORT": self.port, "JOBS": "bench.demo.jobs"}

    def database(self, stack: ExitStack) -> str:
        raise NotImplementedError

    def start(self) -> Process:
        return self.processes.python("-m", "web")

    def arrivals(self, rate: int, seconds: int) -> Process:
        return self.processes.python("-m", "bench.pages.arrivals", self.url, rate, seconds)

    def pages(self) -> dict[str, list[str]]:
        far, done, failed, waiting, schedule = self._ids()
        return {name: [path] for name, path in {
            "overview": "/",
            "runs": "/runs",
            "runs, page 1,000": f"/runs?before={far}",
            "runs, failed": "/runs?tab=failed",
            "runs, done": "/runs?tab=done",
            "runs, waiting": "/runs?tab=waiting",
            "runs, by job, failed": "/runs?job=imaging.segment&tab=failed",
            "runs, by queue": "/runs?queue=imaging",
            "runs, last 24 h": "/runs?age=day",
            "runs, search": "/runs?q=subject%22%3A42",
            "run, done": f"/runs/{done}",
            "run, failed": f"/runs/{failed}",
            "run, waiting": f"/runs/{waiting}",
            "jobs": "/jobs",
            "job": "/jobs/imaging.segment",
            "queues": "/queues",
            "queue": "/queues/imaging",
            "workers": "/workers",
            "failures": "/failures",
            "dead letters": "/dead-letters",
            "schedules": "/schedules",
            "schedule": f"/schedules/{schedule}",
            "calendar": "/schedules/calendar",
            "settings": "/settings",
            "metrics": "/metrics",
            "strip": "/strip",
        }.items()}  # fmt: skip

    def _ids(self) -> list[str]:
        with reading(self.engine) as connection:
            newest = tables.runs.select().with_only_columns(tables.runs.c.id).order_by(tables.runs.c.id.desc())
            far = connection.scalar(newest.offset(min(ROWS * FAR, self.runs - ROWS)).limit(1))
            found = [far, *(_newest_in(connection, newest, state) for state in ("succeeded", "failed", "queued"))]
            return [*found, connection.scalar(tables.schedules.select().order_by(tables.schedules.c.name))]


def _newest_in(connection: Any, newest: Any, state: str) -> str:
    return connection.scalar(newest.where(tables.runs.c.state == state).limit(1))


class OnSqlite(Waybill):
    name, label = "sqlite", "Waybill, SQLite"

    def database(self, stack: ExitStack) -> str:
        return f"sqlite:///{self.processes.folder / 'ledger.db'}"


class OnPostgresql(Waybill):
    name, label = "postgresql", "Waybill, PostgreSQL"

    def database(self, stack: ExitStack) -> str:
        return stack.enter_context(PostgreSQL()).url
