"""A claim whose body never started is undone as if it had not been made."""

from sqlalchemy import Engine

from ledger.claims import Wanted
from ledger.states import State
from tests.ledger_steps import (
    attempts,
    cancel,
    claim,
    dispatch,
    finish,
    give_back,
    migrated,  # noqa: F401
    outcomes,
    rescue,
    retried,
    row,
    running,
    state,
    worker,
    written,
)


def test_a_claim_that_is_given_back_leaves_no_trace(engine: Engine):
    run_id = dispatch(engine)
    before = row(engine, run_id)
    give_back(engine, claim(engine, worker(engine))[0])
    assert without_hint(row(engine, run_id)) == without_hint(before)
    assert attempts(engine, run_id) == []
    [again] = claim(engine, worker(engine))
    assert (again.id, again.attempt) == (run_id, 1)


def test_a_second_claim_that_is_given_back_leaves_the_first_attempt_as_it_was(engine: Engine):
    first = running(engine)
    finish(engine, retried(first))
    before, kept = row(engine, first.id), attempts(engine, first.id)
    give_back(engine, claim(engine, worker(engine))[0])
    assert without_hint(row(engine, first.id)) == without_hint(before)
    assert attempts(engine, first.id) == kept


def without_hint(run) -> dict:
    return {name: value for name, value in run._mapping.items() if name != "dispatch_at"}


def test_a_claim_that_was_lost_cannot_be_given_back(engine: Engine):
    first = running(engine)
    rescue(engine, row(engine, first.id).worker_id)
    [second] = claim(engine, worker(engine))
    give_back(engine, first)
    assert row(engine, first.id).claim_token == second.token
    assert outcomes(engine, first.id) == ["lost", "running"]


def test_a_run_that_is_given_back_after_it_was_asked_to_stop_is_canceled(engine: Engine):
    run = running(engine)
    cancel(engine, run.id)
    give_back(engine, run)
    assert state(engine, run.id) == State.CANCELED
    assert row(engine, run.id).finished_at is not None
    assert attempts(engine, run.id) == []


def test_claims_whose_answer_was_lost_are_disowned_by_their_token(engine: Engine):
    run_id = dispatch(engine)
    by = worker(engine)
    wanted = Wanted("default", 1)
    written(engine, by.take, wanted)
    written(engine, by.disown, "another token")
    assert row(engine, run_id).state == "running"
    written(engine, by.disown, wanted.token)
    assert (row(engine, run_id).state, row(engine, run_id).attempt) == ("queued", 0)
