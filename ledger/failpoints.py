"""Named steps at which a process can be told to fail, so that a test hits each of them every time.

``WAYBILL_FAIL_AT=claim.after_commit:kill:3`` kills the process when it gets there the third time. Without that
setting every call here is one comparison. A fourth part names a file: who gets there first makes it and fails,
and nobody does after that, so that a restarted worker is not killed for ever.

Two kinds of steps: those of a commit are *marked* inside its transaction and reached before and after the
commit, whoever makes it; the others are reached where they stand.
"""

import os
import signal
import threading
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

#: What a transaction may do, each a step before its commit and one after.
COMMITS = (
    "act", "beat", "begin", "cancel", "claim", "disown", "dispatch", "expire", "finish", "give_back", "hint", "note",
    "progress", "prune", "register", "reject", "rescue", "tally", "tick",
)  # fmt: skip
SENDS = ("publish", "ack")
STEPS = (
    *(f"{name}.{when}" for name in COMMITS for when in ("before_commit", "after_commit")),
    *(f"{name}.{when}" for name in SENDS for when in ("before", "after")),
)
ACTIONS = ("kill", "raise", "hang")


class StepReached(Exception):
    """Raised at a step whose action is ``raise``."""


@dataclass
class Plan:
    """Fail at ``step``, the ``turn``-th time; ``once`` is a file that only one process can make."""

    step: str
    action: str
    turn: int = 1
    once: Path | None = None
    _turns: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def reach(self, step: str) -> None:
        if step == self.step and self._is_our_turn():
            getattr(self, f"_{self.action}")()

    def _is_our_turn(self) -> bool:
        with self._lock:
            self._turns += 1
            return self._turns == self.turn and self._is_first()

    def _is_first(self) -> bool:
        if self.once is None:
            return True
        try:
            os.close(os.open(self.once, os.O_CREAT | os.O_EXCL | os.O_WRONLY))
        except FileExistsError:
            return False
        return True

    def _kill(self) -> None:
        os.kill(os.getpid(), signal.SIGKILL)

    def _raise(self) -> None:
        raise StepReached(self.step)

    def _hang(self) -> None:
        threading.Event().wait()


_plan: Plan | None = None
_marked = threading.local()


def parse(text: str) -> Plan | None:
    """The plan that ``text`` describes, None for an empty one. ValueError names what is wrong and what there is."""
    if not text:
        return None
    step, action, turn, once = (text.split(":", 3) + ["kill", "1", ""][text.count(":") :])[:4]
    if step not in STEPS:
        raise ValueError(f"names an unknown step {step!r}; these are known: {', '.join(STEPS)}")
    if action not in ACTIONS:
        raise ValueError(f"names an unknown action {action!r}; these are known: {', '.join(ACTIONS)}")
    if not (turn.isascii() and turn.isdigit() and int(turn) > 0):
        raise ValueError(f"counts turns from 1: {turn!r}")
    return Plan(step, action, int(turn), Path(once) if once else None)


def arm(text: str) -> None:
    """Makes this process fail as ``text`` says; an empty one makes it sound again."""
    global _plan
    _plan = parse(text)


def reached(step: str) -> None:
    """Said at a step that is no commit."""
    if _plan is not None:
        _plan.reach(step)


def mark(connection: Any, name: str) -> None:
    """Said inside a transaction: its commit is now also one of ``name``."""
    if _plan is not None:
        _names().append((connection.get_transaction(), name))


def before_commit(connection: Any) -> None:
    """Said when a transaction is about to be committed. Marks of one that failed count no more."""
    if _plan is not None:
        transaction = connection.get_transaction()
        _marked.names = [(held, name) for held, name in _names() if held is transaction]
        for _, name in list(_marked.names):
            _plan.reach(f"{name}.before_commit")


def after_commit() -> None:
    """Said when that commit has returned."""
    if _plan is not None:
        names, _marked.names = _names(), []
        for _, name in names:
            _plan.reach(f"{name}.after_commit")


def _names() -> list[tuple[Any, str]]:
    if not hasattr(_marked, "names"):
        _marked.names = []
    return _marked.names
