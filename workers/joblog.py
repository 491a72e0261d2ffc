"""Keeps what a job's code logs with the standard ``logging``: each record goes to the run of its thread."""

import logging

from workers import context

#: Loggers that speak about the machinery, not for a job. Jobs that ship live below ``workers.jobs``.
MACHINERY = ("ledger", "workers", "dramatiq", "pika", "sqlalchemy", "apscheduler", "alembic", "asyncio")


class Undisturbed(logging.Handler):
    """A handler in whose locks no interrupt of a body lands: all threads of the process log through them."""

    def handle(self, record: logging.LogRecord) -> bool | logging.LogRecord:
        with context.undisturbed():
            return super().handle(record)


class ProcessLogHandler(Undisturbed, logging.StreamHandler):
    """The process's own log, on standard error."""


class RunLogHandler(Undisturbed):
    """Hands records of a running job to its run; others pass by."""

    def emit(self, record: logging.LogRecord) -> None:
        run = context.current.get()
        if run is None or is_machinery(record.name):
            return
        try:
            run.log(record.levelname, record.name, self.format(record))
        except Exception:
            self.handleError(record)


def is_machinery(logger: str) -> bool:
    return logger.partition(".")[0] in MACHINERY and not logger.startswith("workers.jobs")


def set_up(level: str) -> None:
    """The process's own log on standard error, and the runs' log in the ledger."""
    logging.basicConfig(
        level=level, format="%(asctime)s %(levelname)-7s %(name)s: %(message)s", handlers=[ProcessLogHandler()]
    )
    logging.getLogger("dramatiq").setLevel(logging.CRITICAL)  # a job's failure is told by desk, once
    handler = RunLogHandler()
    handler.setFormatter(logging.Formatter("%(message)s"))
    logging.getLogger().addHandler(handler)
