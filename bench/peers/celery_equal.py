"""Celery with guarantees about equal to Waybill's; its settings stand in ``bench.jobs.celery_jobs``.

Chosen to Celery's advantage: SQLite in WAL mode; the prefork pool, for only there are database connections
pooled; eight processes, so that database commits overlap. Between 2 and 16 processes the measurements differed
by less than their noise on a busy machine: `CONCURRENCY` is worth trying again on a quiet one.
"""

import importlib
import sqlite3

from bench.system import System
from tests.servers import Process

JOBS = "bench.jobs.celery_jobs"
CONCURRENCY = 8


class EqualCelery(System):
    def prepare(self) -> None:
        jobs = importlib.import_module(JOBS)
        self.noop, self.app = jobs.noop, jobs.app

    def send(self, number: int) -> None:
        self.noop.delay(number)

    def start_workers(self) -> Process:
        options = ["--concurrency", CONCURRENCY, "--events"]
        return self.processes.python("-m", "celery", "-A", JOBS, "worker", *options, name="celery")

    def close(self) -> None:
        self.app.close()


class CelerySqlite(EqualCelery):
    name = "celery-sqlite"
    label = "Celery, equal guarantees, SQLite"
    database = "sqlite"
    jobs = 1_000
    sends = 1_000

    def prepare(self) -> None:
        super().prepare()
        with sqlite3.connect(self.folder / "ledger.db") as database:
            database.execute("PRAGMA journal_mode = WAL")
        database.close()


class CeleryPostgresql(EqualCelery):
    name = "celery-postgresql"
    label = "Celery, equal guarantees, PostgreSQL"
    database = "postgresql"
    jobs = 2_000
    sends = 1_000
