"""What people see of a run: its state, and for a queued or running one what it waits for. Pure."""

from enum import StrEnum

from ledger.states import State


class Status(StrEnum):
    """The states of the ledger, with ``queued`` and ``running`` told apart further."""

    QUEUED = "queued"
    SCHEDULED = "scheduled"  # queued, due later, never failed
    RETRYING = "retrying"  # queued after a failure
    RUNNING = "running"
    CANCELING = "canceling"  # running, and asked to stop
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    DEAD = "dead"
    CANCELED = "canceled"
    EXPIRED = "expired"


WAITING = frozenset({Status.QUEUED, Status.SCHEDULED, Status.RETRYING})
AT_WORK = frozenset({Status.RUNNING, Status.CANCELING})


def status_of(row, now: int) -> Status:
    """Of a row with ``state``, ``failures``, ``due_at`` and ``cancel_requested_at``."""
    if row.state == State.QUEUED:
        return _of_queued(row, now)
    if row.state == State.RUNNING and row.cancel_requested_at is not None:
        return Status.CANCELING
    return Status(row.state)


def _of_queued(row, now: int) -> Status:
    if row.failures:
        return Status.RETRYING
    return Status.SCHEDULED if row.due_at > now else Status.QUEUED
