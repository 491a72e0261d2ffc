"""Ways of failing: each is noted once, when a run first fails so.

A run carries the fingerprint of its failure; numbers and times are counted from the runs. So no row is written again
and again, however often something fails. What people say about them stands in ``muting``.
"""

import hashlib
from collections.abc import Iterable
from typing import Any

from sqlalchemy import Connection, bindparam

from ledger import texts
from ledger.engine import insert_new
from ledger.prepared import Prepared
from ledger.tables import failures

NAME_LIMIT = 200
PLACE_LIMIT = 400
#: What the ledger notes as the error of a run whose worker, or whose own process, died.
CRASHES = frozenset({"WorkerDied", "ProcessDied"})


def fingerprint(job: str, error_type: str, place: str) -> str:
    """Of runs of ``job`` that fail alike: by exception type and the function of the job's code that failed last.

    No line number and no message: an edit above, or another order id, does not split a group.
    """
    said = "\0".join((job, error_type, place)).encode("utf-8", "backslashreplace")
    return hashlib.blake2b(said, digest_size=16).hexdigest()


_note = Prepared(
    lambda connection: insert_new(connection, failures).values(
        {
            name: bindparam(name)
            for name in ("fingerprint", "job", "error_type", "place", "sample", "first_run_id", "first_seen_at")
        }
    )
)


def row_of(mark: str, job: str, error_type: str | None, place: str, error: str | None, run_id: str, at: int) -> dict:
    return {
        "fingerprint": mark, "job": job, "error_type": texts.clean(error_type or "")[:NAME_LIMIT],
        "place": texts.clean(place)[:PLACE_LIMIT], "sample": texts.clean(error or ""), "first_run_id": run_id,
        "first_seen_at": at,
    }  # fmt: skip


def note_new(connection: Connection, rows: Iterable[dict[str, Any]]) -> None:
    """Adds those that are not known; the known are not touched, so nobody waits for anybody."""
    new = {row["fingerprint"]: row for row in rows}
    if new:
        _note.run_many(connection, [new[each] for each in sorted(new)])  # one order, or two first ones deadlock
