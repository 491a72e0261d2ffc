"""Which runs are the same: a job may say that an equal one, by its arguments, is no new run.

For each job and arguments one row names the run that was accepted last. It is locked while a request for another is
decided, so that two requests at once are one after the other.
"""

import hashlib
import json
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, bindparam, exists, select, update

from ledger import clock, texts
from ledger.engine import upsert
from ledger.states import ACTIVE, State
from ledger.tables import jobs, limits, runs, unique_runs

#: Whoever asks for a run again after one of these means it, however soon that is.
CAME_TO_NOTHING = {State.FAILED, State.DEAD, State.CANCELED, State.EXPIRED}

job_is_unique = exists().where(
    limits.c.job == bindparam("job", type_=limits.c.job.type), limits.c.unique_while.is_not(None)
)


@dataclass(frozen=True, slots=True)
class Rule:
    """How a job is unique; ``parameters`` is its JSON Schema."""

    job: str
    unique_while: str
    period: int | None
    by: list[str] | None
    replaces: bool
    parameters: dict[str, Any]

    def key(self, args: tuple, kwargs: dict[str, Any]) -> str:
        """The same for the same arguments, given by place or by name, or left to their defaults."""
        properties = self.parameters.get("properties", {})
        presets = {name: its["default"] for name, its in properties.items() if "default" in its}
        named = presets | dict(zip(properties, args, strict=False)) | kwargs
        counting = named if self.by is None else {name: named.get(name) for name in self.by}
        said = [self.job, counting, args[len(properties) :] if self.by is None else ()]
        return hashlib.sha256(json.dumps(said, sort_keys=True).encode()).hexdigest()

    def counts(self, state: str, created_at: int, now: int) -> bool:
        """Whether the run that was accepted last stands in the way of another."""
        if self.unique_while == "queued":
            return state == State.QUEUED
        if self.unique_while == "active":
            return state in ACTIVE
        return state not in CAME_TO_NOTHING and created_at > now - self.period


def rules(connection: Connection, names: set[str]) -> dict[str, Rule]:
    """Of those of these jobs that are unique."""
    columns = (limits.c.job, limits.c.unique_while, limits.c.unique_period, limits.c.unique_by, limits.c.on_duplicate)
    found = select(*columns, jobs.c.parameters).outerjoin(jobs, jobs.c.name == limits.c.job)
    rows = connection.execute(found.where(limits.c.job.in_(names), limits.c.unique_while.is_not(None)))
    return {row.job: _rule(row) for row in rows}


def _rule(row) -> Rule:
    by = row.unique_by and texts.from_json(row.unique_by)
    parameters = texts.from_json(row.parameters) if row.parameters else {}
    return Rule(row.job, row.unique_while, row.unique_period, by, row.on_duplicate == "replace", parameters)


def earlier(connection: Connection, rule: Rule, key: str, run_id: str) -> str | None:
    """The run that stands in the way of ``run_id``, if one does; nobody else decides on ``key`` until this
    transaction ends."""
    # Names the row's own value where there is one already: only to lock it, and to have it answered.
    held = upsert(connection, unique_runs, "key", {"run_id": unique_runs.c.run_id}).returning(unique_runs.c.run_id)
    holder = connection.scalar(held, {"key": key, "run_id": run_id})
    row = connection.execute(select(runs.c.state, runs.c.created_at).where(runs.c.id == holder)).first()
    return holder if row is not None and rule.counts(row.state, row.created_at, clock.now()) else None


def hold(connection: Connection, key: str, run_id: str) -> None:
    """``run_id`` is the run that was accepted last."""
    connection.execute(update(unique_runs).where(unique_runs.c.key == key).values(run_id=run_id))
