"""Random histories of a ledger, step by step beside a model of it: after each step both say the same."""

from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from sqlalchemy import Engine, delete, select, update

from ledger import barriers, clock, fleet
from ledger.claims import Claim
from ledger.engine import reading, writing
from ledger.errors import WrongState
from ledger.finishing import Ending
from ledger.runs import NewRun
from ledger.runs import dispatch_many as dispatch_all
from ledger.states import MOVES, TERMINAL, Outcome, State
from ledger.tables import attempts, processes, runs
from ledger.tables import barriers as barriers_table
from tests.ledger_model import Model, Run, of_attempt, of_row, of_run, without_times
from tests.ledger_steps import (
    HOUR,
    age,
    cancel,
    claim,
    expire,
    finish,
    give_back,
    migrated,  # noqa: F401
    new_run,
    rescue,
    row,
    take_hints,
    worker,
)

EXAMPLES, STEPS = 40, 30
CRASH_LIMIT = 2
BARRIER, MEMBERS = "group", 3
JOBS = [["add"], ["add", "subtract"]]
PHASES = set(Phase) - {Phase.explain}  # which traces every line: three minutes more before it says what it found

picks = st.integers(0, 1_000)
jobs = st.sampled_from(["add", "add", "subtract"])
priorities = st.integers(-1, 1)
keys = st.sampled_from([None, None, None, "a", "b"])
dues = st.sampled_from([-3, -2, -1, 1, 2])  # hours from now
expiries = st.sampled_from([None, None, None, -1, 1])
KINDS = {
    "succeed": (State.SUCCEEDED, Outcome.SUCCEEDED),
    "fail": (State.FAILED, Outcome.FAILED),
    "retry": (State.QUEUED, Outcome.FAILED),
    "interrupt": (State.QUEUED, Outcome.INTERRUPTED),
    "stop": (State.CANCELED, Outcome.CANCELED),
}


class LedgerBesideModel(RuleBasedStateMachine):
    engine: Engine

    @initialize()
    def begin_empty(self) -> None:
        with writing(self.engine) as connection:
            for table in (runs, processes, barriers_table):
                connection.execute(delete(table))
            barriers.create(connection, BARRIER, MEMBERS, HOUR)
        self.began_at = clock.now()
        self.model = Model(MEMBERS)
        self.workers = [worker(self.engine, *known) for known in JOBS]
        self.claims: list[Claim] = []
        self.endings: list[Ending] = []
        self.finished: dict[str, Any] = {}

    def at(self, hours: int | None) -> int | None:
        return None if hours is None else self.began_at + hours * HOUR

    def new(self, job: str, priority: int, due: int, expiry: int | None, key: str | None) -> NewRun:
        fields = {"job": job, "priority": priority, "idempotency_key": key}
        return new_run(due_at=self.at(due), expires_at=self.at(expiry), **fields)

    def run(self, pick: int) -> Run:
        return list(self.model.runs.values())[pick % len(self.model.runs)]

    def ending(self, pick: int, kind: str, due: int, **more: Any) -> Ending:
        state, outcome = KINDS[kind]
        retry_at = self.at(due) if state == State.QUEUED else None
        claimed = self.claims[-1 - pick % len(self.claims)]
        return Ending(claim=claimed, state=state, outcome=outcome, retry_at=retry_at, **more)

    @rule(asked=st.lists(st.tuples(jobs, priorities, dues, expiries, keys), min_size=1, max_size=4))
    def dispatch(self, asked: list[tuple]) -> None:
        new = [self.new(*each) for each in asked]
        assert dispatch_all(self.engine, new) == [self.model.dispatch(each) for each in new]

    @rule(number=st.integers(0, 1), most=st.integers(1, 3))
    def claim(self, number: int, most: int) -> None:
        by = self.workers[number]
        expected = self.model.ready(by.jobs, clock.now())[:most]
        claimed = claim(self.engine, by, most)
        assert [each.id for each in claimed] == expected
        for each in claimed:
            self.model.start(each, by.worker_id)
            assert (each.attempt, each.failures) == (
                len(self.run_of(each).attempts),
                self.run_of(each).failures,
            )
        self.claims += claimed

    def run_of(self, claimed: Claim) -> Run:
        return self.model.runs[claimed.id]

    @precondition(lambda self: self.claims)
    @rule(
        group=st.lists(st.tuples(picks, st.sampled_from(list(KINDS)), dues), min_size=1, max_size=3),
        member=st.booleans(),
    )
    def finish(self, group: list[tuple], member: bool) -> None:
        """By whoever holds the run, or by somebody who lost it long ago."""
        more = {"barrier": BARRIER, "barrier_runs": [self.new("add", 1, -1, None, None)]} if member else {}
        following = [self.new("subtract", 0, -1, None, "b")]
        endings = [self.ending(*each, next_runs=following if member else [], **more) for each in group]
        assert finish(self.engine, *endings) == self.model.finish(endings)
        self.endings += endings

    @precondition(lambda self: self.endings)
    @rule(pick=picks)
    def write_an_ending_again(self, pick: int) -> None:
        ending = self.endings[-1 - pick % len(self.endings)]
        assert finish(self.engine, ending) == self.model.finish([ending])

    @precondition(lambda self: self.claims)
    @rule(pick=picks)
    def give_back(self, pick: int) -> None:
        claimed = self.claims[-1 - pick % len(self.claims)]
        give_back(self.engine, claimed)
        self.model.give_back(claimed)

    @precondition(lambda self: self.model.runs)
    @rule(pick=picks)
    def cancel(self, pick: int) -> None:
        run_id = self.run(pick).id
        before = self.model.cancel(run_id)
        try:
            assert cancel(self.engine, run_id) == self.model.runs[run_id].state
            assert MOVES[State(before)]
        except WrongState:
            assert not MOVES[State(before)]

    @rule(number=st.integers(0, 1))
    def lose_a_worker(self, number: int) -> None:
        dead, before = self.workers[number], clock.now()
        expected = self.model.rescue(dead.worker_id, CRASH_LIMIT)
        assert {each.run_id: each.state for each in rescue(self.engine, dead, CRASH_LIMIT)} == expected
        for run_id in [each for each, state in expected.items() if state == State.QUEUED]:
            due_at = self.model.runs[run_id].due_at = row(self.engine, run_id).due_at
            assert before <= due_at <= clock.now()
        assert rescue(self.engine, dead, CRASH_LIMIT) == []
        assert claim(self.engine, dead, 3) == []
        self.workers[number] = worker(self.engine, *JOBS[number])

    @precondition(lambda self: self.model.runs)
    @rule(pick=picks)
    def fall_due(self, pick: int) -> None:
        run = self.run(pick)
        run.due_at = self.at(-2)
        age(self.engine, run.id, due_at=run.due_at)

    @precondition(lambda self: self.model.runs)
    @rule(pick=picks, expiry=expiries)
    def run_out(self, pick: int, expiry: int | None) -> None:
        run = self.run(pick)
        run.expires_at = self.at(expiry)
        age(self.engine, run.id, expires_at=run.expires_at)

    @rule()
    def expire(self) -> None:
        assert expire(self.engine) == self.model.expire(clock.now())

    @rule(chosen=st.lists(picks, max_size=4), most=st.integers(1, 3))
    def take_hints(self, chosen: list[int], most: int) -> None:
        waiting = [run for run in self.model.runs.values() if run.state == State.QUEUED]
        due = list({waiting[each % len(waiting)].id: None for each in chosen} if waiting else [])
        with writing(self.engine) as connection:
            connection.execute(
                update(runs).where(runs.c.state == State.QUEUED).values(dispatch_at=self.at(1))
            )
        for position, run_id in enumerate(due):
            age(self.engine, run_id, dispatch_at=self.at(-1) + position)
        assert take_hints(self.engine, most) == due[:most]
        for run_id in due[:most]:
            self.model.runs[run_id].dispatches += 1

    @invariant()
    def both_say_the_same(self) -> None:
        with reading(self.engine) as connection:
            rows = connection.execute(select(runs)).fetchall()
            starts = connection.execute(select(attempts)).fetchall()
            remaining = connection.scalar(select(barriers_table.c.remaining))
        assert {each.id: of_row(each) for each in rows} == {
            run.id: of_run(run) for run in self.model.runs.values()
        }
        assert sorted(map(of_attempt, starts)) == sorted(self.model.attempts())
        assert remaining == self.model.remaining
        self.finished_runs_stand_still(rows)

    def finished_runs_stand_still(self, rows: list) -> None:
        for each in rows:
            if each.state in TERMINAL:
                assert self.finished.setdefault(each.id, without_times(each)) == without_times(each)

    def teardown(self) -> None:
        for run in self.model.runs.values():
            assert sum(attempt.outcome == Outcome.RUNNING for attempt in run.attempts) == (
                run.state == State.RUNNING
            )


@pytest.mark.timeout(600)  # of which half a minute when nothing is found
def test_any_history_is_as_the_model_says(engine: Engine, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(fleet, "SPREAD", (0, 0))  # chance has no place in a history that is to be repeated
    machine = type("LedgerOf" + engine.dialect.name, (LedgerBesideModel,), {"engine": engine})
    effort = settings(max_examples=EXAMPLES, stateful_step_count=STEPS, deadline=None, print_blob=True, phases=PHASES)
    run_state_machine_as_test(machine, settings=settings(effort, suppress_health_check=list(HealthCheck)))
