"""The places that runs take in pipelines and groups. A repetition takes the place of what it repeats.

A place (slot) is named by the message id of the member, or of a pipeline's first step. It travels in a message's
options, so steps that follow and runs that repeat carry it along.
"""

from typing import Any

from sqlalchemy import Connection, bindparam

from ledger import clock
from ledger.engine import insert_new
from ledger.prepared import Prepared
from ledger.tables import group_passes, members

#: In a message's options: the place, and which step of a pipeline.
SLOT, STEP = "waybill_slot", "waybill_step"
#: ``{"id", "size"}`` of a group that no callback follows.
GROUP = "waybill_group"
#: Options that tie a run to others; what takes the place of a run carries them.
TIES = (SLOT, STEP, GROUP, "pipe_target", "pipe_ignore", "group_completion_uuid", "group_completion_callbacks")
LONGEST_PIPELINE = 200  # steps that are looked at
LONGEST_NAME = 200


def stamped(options: dict[str, Any], message_id: str) -> dict[str, Any]:
    """``options`` with the place, if the message has one: a first step, or a member of a group."""
    if SLOT in options or not any(name in options for name in ("pipe_target", "group_completion_uuid", GROUP)):
        return options
    return options | {SLOT: message_id, STEP: 1}


def is_tied(options: dict[str, Any]) -> bool:
    """Whether others wait for a run of these options."""
    return any(name in options for name in TIES)


def following(options: dict[str, Any]) -> dict[str, Any]:
    """What the next step of a pipeline gets in its options."""
    if SLOT not in options:
        return {}
    group = {GROUP: options[GROUP]} if GROUP in options else {}
    return {SLOT: options[SLOT], STEP: step_of(options) + 1} | group


def step_of(options: dict[str, Any]) -> int:
    step = options.get(STEP)
    return step if isinstance(step, int) else 1


def planned(options: dict[str, Any]) -> list[dict[str, Any]]:
    """The messages of the steps that follow, as a pipeline's message carries them."""
    steps: list[dict[str, Any]] = []
    target = options.get("pipe_target")
    while isinstance(target, dict) and len(steps) < LONGEST_PIPELINE:
        steps.append(target)
        target = options_of(target).get("pipe_target")
    return steps


def options_of(message: dict[str, Any]) -> dict[str, Any]:
    """Of a message inside another's options, which anybody may have written."""
    options = message.get("options")
    return options if isinstance(options, dict) else {}


def group_of(options: dict[str, Any]) -> str | None:
    """The key of the group that this run, or the pipeline's last step, counts for."""
    following = planned(options)
    last = options_of(following[-1]) if following else options
    key = last.get("group_completion_uuid") or named_group(options).get("id")
    return key if isinstance(key, str) and len(key) <= LONGEST_NAME else None


def named_group(options: dict[str, Any]) -> dict[str, Any]:
    """Empty unless it is a member of a group that no callback follows."""
    group = options.get(GROUP)
    return group if isinstance(group, dict) and isinstance(group.get("size"), int) else {}


def row_of(run_id: str, options: dict[str, Any]) -> dict[str, Any] | None:
    """None for a run that has no place anywhere, which is the usual one."""
    slot = options.get(SLOT) if options else None
    if not isinstance(slot, str) or len(slot) > LONGEST_NAME:
        return None
    return {"run_id": run_id, "slot": slot, "step": step_of(options), "group_id": group_of(options)}


_add = Prepared(
    lambda connection: insert_new(connection, members).values(
        {name: bindparam(name) for name in ("run_id", "slot", "step", "group_id")}
    )
)
_pass = Prepared(
    lambda connection: insert_new(connection, group_passes).values(
        {name: bindparam(name) for name in ("key", "slot", "expires_at")}
    )
)


def add(connection: Connection, rows: list[dict[str, Any]]) -> None:
    _add.run_many(connection, rows)


def pass_once(connection: Connection, key: str, slot: str, keep: int) -> bool:
    """Whether this place is counted for the first time: a run and its repetition may both succeed."""
    return bool(_pass.run_many(connection, [{"key": key, "slot": slot, "expires_at": clock.now() + keep}]))
