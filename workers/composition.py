"""Groups of Dramatiq, whose members know each other here also when no completion callback is to follow.

Dramatiq names a group only for its callbacks; without one, its members are messages like any other. So ``group.run``
says here, while it enqueues them, which group they belong to.
"""

import functools
from collections.abc import Callable
from contextvars import ContextVar
from typing import Any

import dramatiq

from ledger import members
from ledger.ids import new_id

_current: ContextVar[dict[str, Any] | None] = ContextVar("group", default=None)


def name_groups() -> None:
    """For this process; once is enough."""
    if not hasattr(dramatiq.group.run, "__wrapped__"):
        dramatiq.group.run = _saying_which(dramatiq.group.run)


def _saying_which(run: Callable) -> Callable:
    @functools.wraps(run)
    def run_as_one(self, **options: Any):
        if self.completion_callbacks:
            return run(self, **options)
        before = _current.set({"id": new_id(), "size": len(self.children)})
        try:
            return run(self, **options)
        finally:
            _current.reset(before)

    return run_as_one


def membership() -> dict[str, Any]:
    """What a message that is enqueued now gets in its options."""
    group = _current.get()
    return {} if group is None else {members.GROUP: group}
