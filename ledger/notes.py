"""What running jobs leave behind besides a result: log lines, artifacts; and messages that nobody could read."""

from dataclasses import dataclass, field

from sqlalchemy import Connection, Engine, insert, select

from ledger import clock, failpoints, texts
from ledger.engine import announce, writing
from ledger.ids import new_id
from ledger.prepared import OneOf, Prepared
from ledger.tables import artifacts, logs, rejected, runs

BODY_LIMIT = 1024 * 1024


@dataclass(frozen=True, slots=True)
class LogLine:
    run_id: str
    attempt: int
    level: str
    logger: str
    message: str
    at: int = field(default_factory=clock.now)


def add_logs(connection: Connection, lines: list[LogLine]) -> list[None]:
    failpoints.mark(connection, "note")
    connection.execute(insert(logs), [_log_row(line) for line in lines])
    announce(connection)
    return [None] * len(lines)


def _log_row(line: LogLine) -> dict:
    return {
        "run_id": line.run_id, "attempt": line.attempt, "at": line.at, "level": line.level,
        "logger": texts.clean(line.logger)[:200], "message": texts.clean(line.message, 8_000),
    }  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class NewArtifact:
    """A file that an attempt produced; ``path`` is relative to the artifacts folder."""

    run_id: str
    attempt: int
    name: str
    title: str
    media_type: str
    size: int
    path: str
    id: str = field(default_factory=new_id)


def add_artifacts(connection: Connection, new: list[NewArtifact]) -> list[None]:
    """Notes files; one of the same attempt and name replaces the earlier one."""
    failpoints.mark(connection, "note")
    for artifact in new:
        same = (artifacts.c.run_id == artifact.run_id) & (artifacts.c.attempt == artifact.attempt)
        connection.execute(artifacts.delete().where(same, artifacts.c.name == artifact.name))
        connection.execute(insert(artifacts), [_artifact_row(artifact)])
    announce(connection)
    return [None] * len(new)


def _artifact_row(artifact: NewArtifact) -> dict:
    return {
        "id": artifact.id, "run_id": artifact.run_id, "attempt": artifact.attempt, "name": artifact.name,
        "title": texts.clean(artifact.title)[:200], "media_type": artifact.media_type, "size": artifact.size,
        "path": artifact.path, "created_at": clock.now(),
    }  # fmt: skip


def reject(engine: Engine, queue: str, reason: str, body: bytes) -> None:
    """Keeps a message that nobody could read, with its bytes."""
    row = {
        "id": new_id(), "queue": queue, "reason": texts.clean(reason), "body": body[:BODY_LIMIT], "size": len(body),
        "received_at": clock.now(),
    }  # fmt: skip
    with writing(engine) as connection:
        failpoints.mark(connection, "reject")
        connection.execute(insert(rejected), [row])
        announce(connection)


def find_unknown(connection: Connection, run_ids: list[str]) -> list[str]:
    """Those of ``run_ids`` that no run has."""
    known = {run_id for (run_id,) in _known.run(connection, {"ids": run_ids})}
    return [run_id for run_id in run_ids if run_id not in known]


def are_known(connection: Connection, run_ids: list[str]) -> list[bool]:
    """For the writer: whether each of these runs was made."""
    unknown = set(find_unknown(connection, run_ids))
    return [run_id not in unknown for run_id in run_ids]


_known = Prepared(select(runs.c.id).where(OneOf(runs.c.id, "ids")))
