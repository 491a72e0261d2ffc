"""What people added to runs: their tags, and what was done to them together with others."""

from dataclasses import dataclass

from sqlalchemy import Connection, select

from ledger import texts
from ledger.prepared import OneOf, Prepared
from ledger.tables import action_runs, actions, jobs, run_tags

MOST_DEEDS = 20
MOST_TAGS = 1_000


@dataclass(frozen=True, slots=True)
class Deed:
    """One line of a run's history: its part in a bulk action. ``outcome`` is None until its turn."""

    action_id: str
    kind: str
    by: str
    at: int
    target: str
    number: int
    is_undo: bool
    outcome: str | None
    found: str | None
    made_id: str | None


@dataclass(frozen=True, slots=True)
class Marks:
    """``tags`` can be taken off; ``job_tags`` are its job's."""

    tags: tuple[str, ...]
    job_tags: tuple[str, ...]
    deeds: tuple[Deed, ...]


def marks_of(connection: Connection, run_id: str, job: str) -> Marks:
    options = connection.scalar(select(jobs.c.options).where(jobs.c.name == job))
    own = tags_of(connection, [run_id]).get(run_id, ())
    return Marks(own, tuple((texts.from_json(options) or {}).get("tags", ())), _deeds(connection, run_id))


_tags = Prepared(
    select(run_tags.c.run_id, run_tags.c.name)
    .where(OneOf(run_tags.c.run_id, "ids"))
    .order_by(run_tags.c.name)
    .limit(MOST_TAGS)
)


def tags_of(connection: Connection, ids: list[str]) -> dict[str, tuple[str, ...]]:
    """The runs' own tags, by run id."""
    if not ids:
        return {}
    found: dict[str, tuple[str, ...]] = {}
    for run_id, name in _tags.run(connection, {"ids": list(ids)}):
        found[run_id] = (*found.get(run_id, ()), name)
    return found


def _deeds(connection: Connection, run_id: str) -> tuple[Deed, ...]:
    """The newest first."""
    statement = (
        select(
            actions.c.id, actions.c.kind, actions.c.by, actions.c.at, actions.c.target, actions.c.number,
            actions.c.undoes_id.is_not(None), action_runs.c.outcome, action_runs.c.found, action_runs.c.made_id,
        )
        .join(actions, actions.c.id == action_runs.c.action_id)
        .where(action_runs.c.run_id == run_id)
    )  # fmt: skip
    newest = statement.order_by(actions.c.at.desc(), actions.c.id.desc()).limit(MOST_DEEDS)
    return tuple(Deed(*row) for row in connection.execute(newest))
