"""How far running runs are, as their jobs say: n of m and a note."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, bindparam, update

from ledger import failpoints, texts
from ledger.claims import Claim
from ledger.tables import runs


@dataclass(frozen=True, slots=True)
class Progress:
    claim: Claim
    done: int
    total: int | None
    note: str


_report = (
    update(runs)
    .where(runs.c.id == bindparam("the_id"), runs.c.claim_token == bindparam("token"))
    .values(progress_done=bindparam("done"), progress_total=bindparam("total"), progress_note=bindparam("note"))
)


def report(connection: Connection, reports: list[Progress]) -> list[None]:
    """Writes the newest progress of each run; a report by an attempt that lost its run changes nothing."""
    failpoints.mark(connection, "progress")
    newest = {each.claim.id: each for each in reports}
    connection.execute(_report, [_progress_row(newest[run_id]) for run_id in sorted(newest)])
    return [None] * len(reports)


def _progress_row(progress: Progress) -> dict[str, Any]:
    return {
        "the_id": progress.claim.id, "token": progress.claim.token, "done": progress.done, "total": progress.total,
        "note": texts.clean(progress.note, 500),
    }  # fmt: skip
