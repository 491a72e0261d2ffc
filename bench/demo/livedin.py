"""Fills an empty ledger with a week in the life of a made-up shop. The same seed and time make the same week."""

import random
from itertools import islice
from pathlib import Path
from typing import Any

import dramatiq
import dramatiq.broker
from dramatiq.brokers.stub import StubBroker

from bench.demo import crew, files, present, schedules
from bench.demo.crew import MAIL_GONE
from bench.demo.kinds import ALWAYS
from bench.demo.paint import Painting
from bench.demo.past import happened
from bench.demo.times import moments
from ledger import clock, failures, fleet, tables, tally
from ledger.engine import is_sqlite, writing
from ledger.fleet import NewProcess
from workers import catalog

BATCH = 5_000
QUIET = 15 * clock.SECOND  # runs of the last seconds would not be finished yet


def fill(engine: Any, number: int, seed: int = 1, now: int | None = None, artifacts: Path | None = None) -> None:
    """``number`` finished runs of a week, some hundreds that wait or run, and all that belongs to them."""
    now = clock.now() if now is None else now
    rng = random.Random(seed)
    painting = Painting(rng, now, crew.ids(rng, now))
    insert(engine, tables.processes, crew.rows(painting.members, now))
    announce(engine)
    past(engine, painting, number)
    made, ticks = schedules.paint(painting)
    present.paint(painting, number)
    pictures = files.pictures(painting, artifacts)
    insert(engine, tables.schedules, made)
    flush(engine, painting)
    insert(engine, tables.ticks, ticks)
    insert(engine, tables.artifacts, pictures)
    insert(engine, tables.rejected, files.rejected(painting))
    with writing(engine) as connection:
        failures.note_new(connection, painting.failures.values())
    tally.catch_up(engine)
    measure(engine)


def past(engine: Any, painting: Painting, number: int) -> None:
    """In batches: a million runs need no more memory than five thousand."""
    shares = [kind.share for kind in ALWAYS]
    for at in moments(painting.rng, painting.now - QUIET, number):
        [kind] = painting.rng.choices(ALWAYS, shares)
        if kind.queue == "mail" and painting.now - at < MAIL_GONE:
            kind = ALWAYS[0]
        happened(painting, kind, at)
        if len(painting.runs) >= 2 * BATCH:
            flush(engine, painting, keep=BATCH)


def flush(engine: Any, painting: Painting, keep: int = 0) -> None:
    """Inserts what is painted, but for the newest ``keep`` runs, which later strokes may refer to."""
    done, painting.runs = painting.runs[: len(painting.runs) - keep], painting.runs[len(painting.runs) - keep :]
    known = {row["id"] for row in done}
    rows = {tables.runs: done}
    for name in ("attempts", "logs"):
        every = getattr(painting, name)
        rows[getattr(tables, name)] = [each for each in every if each["run_id"] in known]
        setattr(painting, name, [each for each in every if each["run_id"] not in known])
    for table, new in rows.items():
        insert(engine, table, new)


def insert(engine: Any, table: Any, rows: list[dict]) -> None:
    quickly = insert_quickly if is_sqlite(engine) else copy
    with writing(engine) as connection:
        remaining = iter(rows)
        while part := list(islice(remaining, BATCH)):
            quickly(connection, table, part)


def insert_quickly(connection: Any, table: Any, rows: list[dict]) -> None:
    names = tuple(rows[0])
    places = ", ".join(f":{name}" for name in names)
    statement = f"INSERT INTO {table.name} ({', '.join(names)}) VALUES ({places})"
    connection.connection.driver_connection.executemany(statement, rows)


def copy(connection: Any, table: Any, rows: list[dict]) -> None:
    names = tuple(rows[0])
    with connection.connection.driver_connection.cursor() as cursor:
        with cursor.copy(f"COPY {table.name} ({', '.join(names)}) FROM STDIN") as copying:
            for row in rows:
                copying.write_row([row[name] for name in names])


def announce(engine: Any) -> None:
    """What the shop's workers know, as they would say it themselves."""
    if dramatiq.broker.global_broker is None:
        dramatiq.set_broker(StubBroker())
    from bench.demo import jobs

    actors = [each for each in vars(jobs).values() if isinstance(each, dramatiq.Actor)]
    announcer = NewProcess(kind="worker", host=crew.WEB_1.host)
    fleet.register(engine, announcer, [catalog.announce(actor) for actor in actors])
    with writing(engine) as connection:
        connection.execute(tables.processes.delete().where(tables.processes.c.id == announcer.id))


def measure(engine: Any) -> None:
    """Lets the planner know what lies there, as it would after a week of a server's own upkeep."""
    options = {} if is_sqlite(engine) else {"isolation_level": "AUTOCOMMIT"}
    with engine.connect().execution_options(**options) as connection:
        if not is_sqlite(engine):
            connection.exec_driver_sql("VACUUM ANALYZE")
