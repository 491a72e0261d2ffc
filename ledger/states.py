"""The states of a run and the moves between them: listed once, read by everything. Pure."""

from enum import StrEnum


class State(StrEnum):
    QUEUED = "queued"
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELED = "canceled"
    EXPIRED = "expired"
    DEAD = "dead"


#: What may follow a state. A state that nothing follows is terminal: a database trigger refuses to change it.
MOVES: dict[State, frozenset[State]] = {
    State.QUEUED: frozenset({State.RUNNING, State.CANCELED, State.EXPIRED}),
    State.RUNNING: frozenset({State.SUCCEEDED, State.FAILED, State.CANCELED, State.QUEUED, State.DEAD}),
    State.SUCCEEDED: frozenset(),
    State.FAILED: frozenset(),
    State.CANCELED: frozenset(),
    State.EXPIRED: frozenset(),
    State.DEAD: frozenset(),
}

TERMINAL = frozenset(state for state, following in MOVES.items() if not following)
ACTIVE = frozenset(MOVES) - TERMINAL


class Outcome(StrEnum):
    """How one attempt ended; a run that is tried again has several of them."""

    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"  # an exception; the run may have been queued again
    CANCELED = "canceled"
    INTERRUPTED = "interrupted"  # its worker shut down; uses up no retry
    LOST = "lost"  # its worker died, or the process of its own that it ran in
