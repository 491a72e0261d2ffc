"""Schedules of the made-up shop, and what became of their ticks: fired, late, skipped, missed; one waits."""

import json
from dataclasses import dataclass
from typing import Any

from bench.demo.kinds import KINDS
from bench.demo.paint import Painting
from bench.demo.past import happened
from bench.demo.times import DAY, HOUR, MINUTE, SECOND, id_at
from ledger import declarations, recurrence
from ledger.recurrence import Rule

#: Nobody looked after the schedules then: ages, from and until.
DOWN = (52 * HOUR, 50 * HOUR)
MOST_TICKS = 700


@dataclass(frozen=True, slots=True)
class Plan:
    name: str
    job: str
    args: dict[str, Any]
    kind: str
    rule: str
    timezone: str = "UTC"
    overlap: str = "skip"
    catchup: str = "none"
    is_paused: bool = False
    declared: dict[str, Any] | None = None  # what the shop's code says, or said, where that differs from the above


PLANS = (
    Plan("stock, every hour", "stock.sync", {"warehouse": "north"}, "cron", "5 * * * *", declared={}),
    Plan("thumbnail probe", "media.thumbnail", {"path": "/uploads/probe.jpg", "width": 64}, "interval", "15 min",
         overlap="queue"),
    Plan("nightly cleanup", "night.cleanup", {"days": 30}, "cron", "0 3 * * *", "Europe/Madrid", catchup="latest",
         declared={"cron": "0 2 * * *"}),
    Plan("subject 7, weekdays", "imaging.segment", {"subject": 7}, "cron", "0 22 * * 1-5", catchup="all"),
    Plan("month's end", "reports.build", {"month": "2026-10"}, "cron", "0 6 1 * *", "Europe/Madrid", declared={}),
    Plan("harbour movements", "stock.extract", {"warehouse": "harbour"}, "cron", "30 */4 * * *", is_paused=True),
)  # fmt: skip


def paint(painting: Painting) -> tuple[list[dict], list[dict]]:
    """Rows of schedules and of ticks; the runs that they made are painted too."""
    schedules, ticks = [], []
    for plan in PLANS:
        rule = recurrence.parse(plan.kind, plan.rule, plan.timezone)
        row = _row(painting, plan, rule)
        schedules.append(row)
        end = row["paused_at"] or painting.now
        times = recurrence.latest(rule, painting.now - 7 * DAY, end - MINUTE, MOST_TICKS)
        ticks += [_tick(painting, plan, row["id"], at, at == times[-1]) for at in times]
        row["watermark"] = end - MINUTE
    return schedules, ticks


def _row(painting: Painting, plan: Plan, rule: Rule) -> dict:
    made = painting.now - 40 * DAY
    return {
        "id": id_at(painting.rng, made), "name": plan.name, "job": plan.job, "args": json.dumps(plan.args),
        "queue": None, "priority": None, "kind": rule.kind, "rule": rule.text, "timezone": rule.timezone,
        "anchor_at": rule.anchor, "overlap": plan.overlap, "catchup": plan.catchup, "watermark": painting.now,
        "paused_at": painting.now - 30 * HOUR if plan.is_paused else None,
        "paused_by": "ana" if plan.is_paused else None,
        "created_at": made, "created_by": "ana", "changed_at": made, **_declared(plan, made),
    }  # fmt: skip


def _declared(plan: Plan, made: int) -> dict:
    """As workers of the shop's code announced it; “month's end” is not in that code any more."""
    if plan.declared is None:
        return {"origin": "site", "declared_as": None, "declared": None, "declared_at": None}
    keys = ("name", "job", "args", "timezone", "overlap", "catchup")
    said = declarations.read({key: getattr(plan, key) for key in keys} | {plan.kind: plan.rule} | plan.declared)
    said |= {"place": "demo/jobs.py", "module": "bench.demo.jobs"}
    return {"origin": "code", "declared_as": plan.name, "declared": json.dumps(said), "declared_at": made}


def _tick(painting: Painting, plan: Plan, schedule_id: str, at: int, is_newest: bool) -> dict:
    waits = is_newest and plan.overlap == "queue"
    outcome, reason = ("waiting", None) if waits else _outcome(painting, plan, at)
    row = {"schedule_id": schedule_id, "tick_at": at, "outcome": outcome, "reason": reason, "run_id": None,
           "recorded_at": at + (7 * MINUTE if outcome == "late" else SECOND)}  # fmt: skip
    if outcome in ("fired", "late"):
        kind = KINDS[plan.job]
        columns = {"origin": "schedule", "schedule_id": schedule_id, "tick_at": at, "created_by": plan.name}
        row["run_id"] = happened(painting, kind, row["recorded_at"], plan.args, **columns)["id"]
    return row


def _outcome(painting: Painting, plan: Plan, at: int) -> tuple[str, str | None]:
    age = painting.now - at
    if DOWN[1] <= age <= DOWN[0]:
        return ("missed", "no scheduler ran at that time") if plan.catchup == "none" else ("late", None)
    if plan.kind == "cron" and painting.rng.random() < 0.03:
        return "skipped", "the run before it was not finished"
    return ("late", None) if painting.rng.random() < 0.01 else ("fired", None)
