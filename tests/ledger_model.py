"""The ledger as it should behave, in plain Python: no database, no clock, one thread."""

from dataclasses import dataclass, field

from ledger.claims import Claim
from ledger.finishing import Ending
from ledger.runs import NewRun
from ledger.states import TERMINAL, Outcome, State


@dataclass
class Attempt:
    token: str
    outcome: str = Outcome.RUNNING
    ended_at: int | None = None
    late: bool = False


@dataclass
class Run:
    id: str
    job: str
    priority: int
    due_at: int
    expires_at: int | None
    state: str = State.QUEUED
    token: str | None = None
    worker: str | None = None
    cancel_requested: bool = False
    failures: int = 0
    crashes: int = 0
    dispatches: int = 0
    attempts: list[Attempt] = field(default_factory=list)
    workers: list[str] = field(default_factory=list)

    @property
    def finished(self) -> bool:
        return self.state in TERMINAL

    def is_held_by(self, claim: Claim) -> bool:
        return self.state == State.RUNNING and self.token == claim.token

    def let_go(self, state: str, outcome: str, at: int | None) -> None:
        self.state, self.token = state, None
        self.attempts[-1].outcome, self.attempts[-1].ended_at = outcome, at


class Model:
    def __init__(self, members: int):
        self.runs: dict[str, Run] = {}
        self.keys: dict[str, str] = {}
        self.remaining = members

    def dispatch(self, new: NewRun) -> str:
        if new.idempotency_key in self.keys:
            return self.keys[new.idempotency_key]
        if new.idempotency_key:
            self.keys[new.idempotency_key] = new.id
        self.runs[new.id] = Run(new.id, new.job, new.priority, new.due_at, new.expires_at)
        return new.id

    def ready(self, jobs: list[str], now: int) -> list[str]:
        """What may start now, in the order in which it is to start."""
        found = [run for run in self.runs.values() if run.state == State.QUEUED and run.job in jobs]
        due = [run for run in found if run.due_at <= now and (run.expires_at is None or run.expires_at > now)]
        return [run.id for run in sorted(due, key=lambda run: (run.priority, run.due_at, run.id))]

    def start(self, claim: Claim, worker: str) -> None:
        run = self.runs[claim.id]
        assert run.state == State.QUEUED
        run.state, run.token, run.worker = State.RUNNING, claim.token, worker
        run.attempts.append(Attempt(claim.token))
        run.workers.append(worker)

    def finish(self, endings: list[Ending]) -> list[bool]:
        answers, accepted = [], []
        for ending in endings:
            held = self.runs[ending.claim.id].is_held_by(ending.claim)
            if held:
                self._end(ending)
                accepted.append(ending)
            answers.append(held or self._is_in_already(ending))
        for ending in sorted(accepted, key=lambda ending: ending.claim.id):
            for new in ending.next_runs + self._after_barrier(ending):
                self.dispatch(new)
        return answers

    def _end(self, ending: Ending) -> None:
        run, state = self.runs[ending.claim.id], ending.state
        if state == State.QUEUED and run.cancel_requested:
            state = State.CANCELED
        if state == State.QUEUED:
            run.due_at, run.dispatches = ending.retry_at, 0
        run.failures += ending.outcome == Outcome.FAILED
        run.let_go(state, ending.outcome, ending.at)

    def _is_in_already(self, ending: Ending) -> bool:
        for attempt in self.runs[ending.claim.id].attempts:
            if attempt.token == ending.claim.token:
                same = (attempt.ended_at, attempt.outcome) == (ending.at, ending.outcome)
                attempt.late = attempt.late or not same
                return same
        return False

    def _after_barrier(self, ending: Ending) -> list[NewRun]:
        if ending.barrier is None or ending.state != State.SUCCEEDED or not self.remaining:
            return []
        self.remaining -= 1
        return [] if self.remaining else ending.barrier_runs

    def give_back(self, claim: Claim) -> None:
        run = self.runs[claim.id]
        if run.is_held_by(claim):
            run.attempts.pop()
            run.workers.pop()
            run.worker = run.workers[-1] if run.workers else None
            run.state, run.token = State.CANCELED if run.cancel_requested else State.QUEUED, None

    def cancel(self, run_id: str) -> str:
        """The state in which it finds the run."""
        run = self.runs[run_id]
        before = run.state
        if before == State.QUEUED:
            run.state = State.CANCELED
        elif before == State.RUNNING:
            run.cancel_requested = True
        return before

    def rescue(self, worker: str, crash_limit: int) -> dict[str, str]:
        held = [run for run in self.runs.values() if run.state == State.RUNNING and run.worker == worker]
        for run in held:
            run.crashes += 1
            state = (
                State.CANCELED
                if run.cancel_requested
                else State.DEAD
                if run.crashes >= crash_limit
                else State.QUEUED
            )
            run.let_go(state, Outcome.LOST, None)
            run.dispatches = 0 if state == State.QUEUED else run.dispatches
        return {run.id: run.state for run in held}

    def attempts(self) -> list[tuple]:
        return [
            (run.id, number, attempt.token, attempt.outcome, attempt.outcome != Outcome.RUNNING, attempt.late)
            for run in self.runs.values()
            for number, attempt in enumerate(run.attempts, 1)
        ]

    def expire(self, now: int) -> int:
        waiting = [
            run for run in self.runs.values() if run.state == State.QUEUED and run.expires_at is not None
        ]
        over = [run for run in waiting if run.expires_at <= now]
        for run in over:
            run.state = State.EXPIRED
        return len(over)


# What is compared: rows on the one side, the model on the other.


def of_row(row) -> tuple:
    ended, stops = row.finished_at is not None, row.cancel_requested_at is not None
    counts = (row.attempt, row.failures, row.crashes, row.dispatches)
    return row.state, row.claim_token, row.worker_id, row.due_at, row.priority, counts, ended, stops


def of_run(run: Run) -> tuple:
    counts = (len(run.attempts), run.failures, run.crashes, run.dispatches)
    return (
        run.state,
        run.token,
        run.worker,
        run.due_at,
        run.priority,
        counts,
        run.finished,
        run.cancel_requested,
    )


def of_attempt(row) -> tuple:
    ended, late = row.finished_at is not None, row.late_at is not None
    return row.run_id, row.number, row.claim_token, row.outcome, ended, late


def without_times(row) -> dict:
    """But for those times that this test itself moves."""
    return {name: value for name, value in row._mapping.items() if name not in {"due_at", "expires_at"}}
