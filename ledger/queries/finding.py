"""What the palette finds: jobs by words of their name, runs by their id or their job. Capped, and quick at any size."""

import re
from dataclasses import dataclass

from sqlalchemy import Connection, Engine, Select, and_, or_, select

from ledger import clock, texts
from ledger.engine import reading
from ledger.queries.lines import LINE_COLUMNS, RunLine, line
from ledger.queries.queued import ranges
from ledger.queries.wanted import Like, pattern
from ledger.queries.workers import alive_processes
from ledger.tables import jobs, runs

MOST_JOBS = 8
MOST_RUNS = 6
#: The end of an id is looked for among so many of the newest runs; everything else is answered by an index.
WINDOW = 10_000
PART_OF_ID = re.compile(r"[0-9a-f][0-9a-f-]{3,35}")


@dataclass(frozen=True, slots=True)
class FoundJob:
    """``needs``: it has parameters that must be given, so it cannot be started without its form."""

    name: str
    doc: str
    queue: str
    needs: bool


@dataclass(frozen=True, slots=True)
class Found:
    jobs: tuple[FoundJob, ...] = ()
    runs: tuple[RunLine, ...] = ()


def found(engine: Engine, text: str) -> Found:
    """For ``text`` as it is typed; blank finds the first jobs and the newest runs."""
    with reading(engine) as connection:
        of_jobs = _jobs(connection, text.lower().split())
        ids = _ids(connection, text.strip(), [job.name for job in of_jobs])
        return Found(of_jobs, _lines(connection, ids))


def queue_names(engine: Engine) -> list[str]:
    """Those of jobs, of live workers, and those in which something is queued."""
    with reading(engine) as connection:
        served = {queue for each in alive_processes(connection) for queue in each.queues}
        waiting = {each.queue for each in ranges(connection, clock.now())}
        announced = connection.scalars(select(jobs.c.queue).distinct())
        return sorted({*announced, *served, *waiting})


def _jobs(connection: Connection, words: list[str]) -> tuple[FoundJob, ...]:
    """Those whose name has all words come before those whose description does."""
    columns = (jobs.c.name, jobs.c.doc, jobs.c.queue, jobs.c.parameters)
    found = select(*columns).where(*[or_(has(jobs.c.name, word), has(jobs.c.doc, word)) for word in words])
    if words:
        found = found.order_by(and_(*[has(jobs.c.name, word) for word in words]).desc())
    rows = connection.execute(found.order_by(jobs.c.name).limit(MOST_JOBS))
    return tuple(FoundJob(row.name, row.doc, row.queue, _needs(row.parameters)) for row in rows)


def has(column, word: str):
    """Whether the text contains ``word``, which is in small letters."""
    return Like(column, pattern(word))


def _needs(parameters: str) -> bool:
    return bool(texts.from_json(parameters).get("required"))


def _ids(connection: Connection, text: str, names: list[str]) -> list[str]:
    """By id first; without a match, the newest of the jobs that were found, or of one that has gone."""
    if PART_OF_ID.fullmatch(text.lower()) and (ids := _by_id(connection, text.lower())):
        return ids
    if not text:
        return _newest(connection, select(runs.c.id))
    each = [_newest(connection, select(runs.c.id).where(runs.c.job == name)) for name in {*names, text}]
    return sorted((run_id for ids in each for run_id in ids), reverse=True)[:MOST_RUNS]


def _by_id(connection: Connection, text: str) -> list[str]:
    begins = select(runs.c.id).where(runs.c.id >= text, runs.c.id < f"{text}g")  # "g" sorts after every digit
    return _newest(connection, begins) or _by_end(connection, text)


def _by_end(connection: Connection, text: str) -> list[str]:
    newest = select(runs.c.id).order_by(runs.c.id.desc()).limit(WINDOW).subquery()
    return _newest(connection, select(newest.c.id).where(newest.c.id.like(f"%{text}")))


def _newest(connection: Connection, ids: Select) -> list[str]:
    return list(connection.scalars(ids.order_by(ids.selected_columns[0].desc()).limit(MOST_RUNS)))


def _lines(connection: Connection, ids: list[str]) -> tuple[RunLine, ...]:
    """Without the reasons of those that wait: they cost more than all the rest."""
    now = clock.now()
    rows = connection.execute(select(*LINE_COLUMNS).where(runs.c.id.in_(ids)).order_by(runs.c.id.desc()))
    return tuple(line(row, now) for row in rows) if ids else ()
