"""Rows of runs, attempts and logs that look as if workers had written them."""

import json
import random
from dataclasses import dataclass, field
from typing import Any

from bench.demo import crew
from bench.demo.crew import Member
from bench.demo.kinds import Kind
from bench.demo.mishaps import Mishap
from bench.demo.times import SECOND, id_at
from ledger import failures
from ledger.clock import MILLISECOND

#: Every column, so that all rows go into one statement.
UNTOLD = (
    "message_id", "created_by", "expires_at", "max_attempts", "claim_token", "worker_id", "started_at", "finished_at",
    "result", "error_type", "error", "progress_done", "progress_total", "progress_note", "cancel_requested_at",
    "canceled_by", "parent_id", "caller_id", "idempotency_key", "schedule_id", "tick_at", "fingerprint",
)  # fmt: skip
ZEROS = {"priority": 0, "dispatches": 0, "attempt": 0, "failures": 0, "crashes": 0}
BLANK = dict.fromkeys(UNTOLD) | ZEROS | {"typed": False, "options": "{}"}
as_json = json.JSONEncoder(separators=(",", ":")).encode
PEOPLE = ("ana", "ben", "chen", "dilara")


@dataclass(slots=True)
class Painting:
    """What is to be inserted, table by table; who may have run it, and when "now" is."""

    rng: random.Random
    now: int
    members: dict[Member, str]
    runs: list[dict] = field(default_factory=list)
    attempts: list[dict] = field(default_factory=list)
    logs: list[dict] = field(default_factory=list)
    artifacts: list[dict] = field(default_factory=list)
    failures: dict[str, dict] = field(default_factory=dict)  # ways of failing, by fingerprint

    def worker_of(self, kind: Kind) -> Member:
        if kind.name in crew.IMAGING:
            return crew.SCANNER
        return crew.POSTMAN if kind.queue == "mail" else self.rng.choice((crew.WEB_1, crew.WEB_2))

    def run(self, kind: Kind, at: int, given: dict | None = None, **columns: Any) -> dict:
        """A run that nobody has touched yet: queued, due at once."""
        given = kind.arguments(self.rng) if given is None else given
        by_form = columns.get("origin", kind.origin) == "form"
        row = BLANK | {
            "id": id_at(self.rng, at), "job": kind.name, "queue": kind.queue, "state": "queued", "origin": kind.origin,
            "args": as_json({"args": [], "kwargs": given}), "typed": by_form,
            "created_by": self.rng.choice(PEOPLE) if by_form else None,
            "created_at": at, "due_at": at, "dispatch_at": at + 5 * SECOND, **columns,
        }  # fmt: skip
        self.runs.append(row)
        return row

    def attempt(self, row: dict, worker: Member, started: int, finished: int | None, outcome: str) -> dict:
        row["attempt"] += 1
        row |= {"started_at": started, "worker_id": self.members[worker]}
        row["failures"] += outcome == "failed"
        row["crashes"] += outcome == "lost"
        made = {
            "run_id": row["id"], "number": row["attempt"], "claim_token": f"{self.rng.getrandbits(64):016x}",
            "worker_id": self.members[worker], "worker": worker.name, "started_at": started, "finished_at": finished,
            "outcome": outcome, "error_type": None, "error": None, "traceback": None, "retry_at": None, "late_at": None,
        }  # fmt: skip
        self.attempts.append(made)
        return made

    def fail(self, row: dict, made: dict, mishap: Mishap, given: dict, retry_at: int | None) -> None:
        says = mishap.says(self.rng, given)
        told = {"error_type": mishap.kind, "error": says}
        row |= told
        made |= told | {"traceback": mishap.traceback(says), "retry_at": retry_at}
        self.say(row, made["finished_at"] - MILLISECOND, "WARNING", f"attempt {made['number']} fails: {mishap.kind}")

    def group(self, row: dict, place: str = "") -> None:
        """The run failed for good, in a way that is noted when it is the first."""
        row["fingerprint"] = mark = failures.fingerprint(row["job"], row["error_type"], place)
        told = (row["error_type"], place, row["error"], row["id"], row["finished_at"])
        self.failures.setdefault(mark, failures.row_of(mark, row["job"], *told))

    def say(self, row: dict, at: int, level: str, message: str) -> None:
        self.logs.append({
            "run_id": row["id"], "attempt": max(1, row["attempt"]), "at": at, "level": level,
            "logger": f"shop.{row['job'].partition('.')[0]}", "message": message,
        })  # fmt: skip


def end(row: dict, state: str, at: int) -> None:
    row |= {"state": state, "finished_at": at}
