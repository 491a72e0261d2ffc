"""What an attempt leaves behind besides its result: log lines and artifacts."""

from dataclasses import dataclass

from sqlalchemy import Connection, Engine, select

from ledger.engine import reading
from ledger.queries.counting import Count, count
from ledger.tables import artifacts, logs

LOG_TAIL = 500
MOST_ARTIFACTS = 200


@dataclass(frozen=True, slots=True)
class LogLine:
    id: int
    attempt: int
    at: int
    level: str
    logger: str
    message: str


@dataclass(frozen=True, slots=True)
class Logs:
    """The last lines in the order they were said, and how many more came before them."""

    lines: tuple[LogLine, ...]
    earlier: Count


@dataclass(frozen=True, slots=True)
class Artifact:
    id: str
    run_id: str
    attempt: int
    name: str
    title: str
    media_type: str
    size: int
    path: str
    created_at: int

    @property
    def is_picture(self) -> bool:
        return self.media_type in PICTURES


#: What a browser may show in a page of ours; the site serves anything else as a download.
PICTURES = frozenset({"image/png", "image/jpeg", "image/gif", "image/webp", "image/svg+xml"})


def logs_of(connection: Connection, run_id: str) -> Logs:
    statement = select(logs.c.id, logs.c.attempt, logs.c.at, logs.c.level, logs.c.logger, logs.c.message)
    newest = statement.where(logs.c.run_id == run_id).order_by(logs.c.id.desc()).limit(LOG_TAIL)
    lines = tuple(LogLine(*row) for row in connection.execute(newest))[::-1]
    if len(lines) < LOG_TAIL:
        return Logs(lines, Count())
    earlier = select(logs.c.id).where(logs.c.run_id == run_id, logs.c.id < lines[0].id)
    return Logs(lines, count(connection, earlier))


ARTIFACT_COLUMNS = (
    artifacts.c.id, artifacts.c.run_id, artifacts.c.attempt, artifacts.c.name, artifacts.c.title,
    artifacts.c.media_type, artifacts.c.size, artifacts.c.path, artifacts.c.created_at,
)  # fmt: skip


def artifacts_of(connection: Connection, run_id: str) -> tuple[Artifact, ...]:
    """Of the last attempt that made any, in the order they were made."""
    mine = select(*ARTIFACT_COLUMNS).where(artifacts.c.run_id == run_id)
    newest = mine.order_by(artifacts.c.attempt.desc(), artifacts.c.id).limit(MOST_ARTIFACTS)
    found = tuple(Artifact(*row) for row in connection.execute(newest))
    return tuple(each for each in found if each.attempt == found[0].attempt)


def artifact(engine: Engine, artifact_id: str) -> Artifact | None:
    with reading(engine) as connection:
        statement = select(*ARTIFACT_COLUMNS).where(artifacts.c.id == artifact_id)
        row = connection.execute(statement).one_or_none()
    return row and Artifact(*row)
