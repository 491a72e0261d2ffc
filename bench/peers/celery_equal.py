"""Celery with guarantees about equal to Waybill's; its settings stand in ``bench.jobs.celery_jobs``.

Chosen to Celery's advantage: SQLite in WAL mode; the prefork pool, for only there are database connections
pooled (threads measured slower); eight processes, so that database commits overlap. Of 2, 4, 8 and 16, eight
did best on PostgreSQL, and on SQLite none was ahead by more than the noise.
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
