"""Canceling: at once while a run waits, by its worker while it runs, never once it has ended."""

import pytest
from sqlalchemy import Engine

from ledger import clock
from ledger.engine import reading
from ledger.errors import RunNotFound, WrongState
from ledger.ids import new_id
from ledger.runs import cancel_requests
from ledger.states import TERMINAL, State
from tests.ledger_steps import (
    HOUR,
    attempts,
    brought_to,
    cancel,
    claimed_ids,
    dispatch,
    finish,
    interrupted,
    migrated,  # noqa: F401
    outcomes,
    retried,
    row,
    running,
    state,
    succeeded,
    worker,
)


def test_a_queued_run_that_is_canceled_never_starts(engine: Engine):
    run_id = dispatch(engine)
    assert cancel(engine, run_id) == State.CANCELED
    assert claimed_ids(engine, worker(engine)) == []
    canceled = row(engine, run_id)
    assert (canceled.state, canceled.canceled_by, attempts(engine, run_id)) == ("canceled", "Ada", [])


def test_a_running_run_that_is_canceled_goes_on_until_its_worker_sees_it(engine: Engine):
    by = worker(engine)
    run, other = running(engine, by), running(engine, by)
    assert cancel(engine, run.id) == State.RUNNING
    asked = row(engine, run.id)
    assert (asked.state, asked.canceled_by, asked.claim_token) == ("running", "Ada", run.token)
    assert abs(asked.cancel_requested_at - clock.now()) < HOUR
    with reading(engine) as connection:
        assert cancel_requests(connection, by.worker_id) == {run.id}
    assert row(engine, other.id).cancel_requested_at is None


def test_a_finished_run_cannot_be_canceled(engine: Engine):
    for terminal in TERMINAL:
        run_id = brought_to(engine, terminal).id
        before = row(engine, run_id)
        with pytest.raises(WrongState, match=terminal):
            cancel(engine, run_id)
        assert row(engine, run_id) == before


def test_a_run_that_does_not_exist_cannot_be_canceled(engine: Engine):
    with pytest.raises(RunNotFound):
        cancel(engine, new_id())


@pytest.mark.parametrize("ending", [retried, interrupted])
def test_a_run_that_was_asked_to_stop_is_never_tried_again(engine: Engine, ending):
    run = running(engine)
    cancel(engine, run.id)
    assert finish(engine, ending(run)) == [True]
    assert state(engine, run.id) == State.CANCELED
    assert row(engine, run.id).finished_at is not None
    assert claimed_ids(engine, worker(engine)) == []


def test_a_run_that_succeeds_although_it_was_asked_to_stop_has_succeeded(engine: Engine):
    run = running(engine)
    cancel(engine, run.id)
    finish(engine, succeeded(run, result="3"))
    assert (state(engine, run.id), row(engine, run.id).result) == ("succeeded", "3")


def test_a_run_between_two_attempts_can_be_canceled(engine: Engine):
    run = running(engine)
    finish(engine, retried(run, retry_at=clock.now() + HOUR))
    assert cancel(engine, run.id) == State.CANCELED
    assert outcomes(engine, run.id) == ["failed"]
