"""Celery with guarantees about equal to Waybill's; its settings stand in ``bench.jobs.celery_jobs``.

Chosen to Celery's advantage: the prefork pool with as many processes as Waybill has threads, which measured
faster than two (database commits overlap); SQLite in WAL mode; pooled connections, which only prefork has.
"""

import importlib
import os
import sqlite3

from bench.system import PROCESSES, THREADS, System
from tests.servers import Process

JOBS = "bench.jobs.celery_jobs"


class EqualCelery(System):
    def prepare(self) -> None:
        jobs = importlib.import_module(JOBS)
        self.noop, self.app = jobs.noop, jobs.app

    def send(self, number: int) -> None:
        self.noop.delay(number)

    def start_workers(self) -> Process:
        options = ["--concurrency", os.environ.get("CEL_C", PROCESSES * THREADS), "--events"]
        if "CEL_PM" in os.environ: options += ["--prefetch-multiplier", os.environ["CEL_PM"]]
        if "CEL_POOL" in os.environ: options += ["--pool", os.environ["CEL_POOL"]]
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
