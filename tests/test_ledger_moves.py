"""A run moves from state to state as the design says, and in no other way."""

from itertools import product

import pytest
from sqlalchemy import Engine, text
from sqlalchemy.exc import IntegrityError

from ledger import clock
from ledger.claims import Claim
from ledger.engine import writing
from ledger.errors import WrongState
from ledger.states import ACTIVE, MOVES, TERMINAL, Outcome, State
from tests.ledger_steps import (
    HOUR,
    age,
    brought_to,
    cancel,
    canceled,
    claim,
    expire,
    failed,
    finish,
    give_back,
    interrupted,
    migrated,  # noqa: F401
    rescue,
    retried,
    row,
    state,
    succeeded,
    worker,
)

GUARDED = ("state", "result", "error_type", "error", "args", "job", "attempt", "claim_token", "finished_at")


def cancel_by_hand(engine: Engine, run: Claim) -> None:
    try:
        cancel(engine, run.id)
    except WrongState:
        assert state(engine, run.id) in TERMINAL


def let_expire(engine: Engine, run: Claim) -> None:
    age(engine, run.id, expires_at=clock.now() - HOUR)
    expire(engine)


def kill_worker(engine: Engine, run: Claim, crash_limit: int) -> None:
    rescue(engine, row(engine, run.id).worker_id or "nobody", crash_limit)


#: What can be done to a run, and what becomes of it; whatever is not named stays as it is.
ACTS = {
    "claim": (lambda engine, run: claim(engine, worker(engine)), {"queued": "running"}),
    "succeed": (lambda engine, run: finish(engine, succeeded(run)), {"running": "succeeded"}),
    "fail": (lambda engine, run: finish(engine, failed(run)), {"running": "failed"}),
    "retry": (lambda engine, run: finish(engine, retried(run)), {"running": "queued"}),
    "interrupt": (lambda engine, run: finish(engine, interrupted(run)), {"running": "queued"}),
    "see that it is to stop": (lambda engine, run: finish(engine, canceled(run)), {"running": "canceled"}),
    "give back": (give_back, {"running": "queued"}),
    "lose its worker": (lambda engine, run: kill_worker(engine, run, 2), {"running": "queued"}),
    "lose its last worker": (lambda engine, run: kill_worker(engine, run, 1), {"running": "dead"}),
    "cancel": (cancel_by_hand, {"queued": "canceled"}),
    "expire": (let_expire, {"queued": "expired"}),
}


def test_a_run_makes_the_moves_of_the_design_and_no_other(engine: Engine):
    found, expected = {}, {}
    for before, (act, (do, follows)) in product(State, ACTS.items()):
        run = brought_to(engine, before)
        do(engine, run)
        found[before, act] = state(engine, run.id)
        expected[before, act] = follows.get(before, before)
        cancel_by_hand(engine, run)  # out of the way of the next
    assert found == expected


def test_the_list_of_moves_is_what_can_be_done():
    done = {(before, after) for _, follows in ACTS.values() for before, after in follows.items()}
    assert done == {(before, after) for before, following in MOVES.items() for after in following}


def test_states_are_either_active_or_terminal():
    assert ACTIVE == {"queued", "running"}
    assert TERMINAL == {"succeeded", "failed", "canceled", "expired", "dead"}
    assert set(Outcome) >= {State.SUCCEEDED, State.FAILED, State.CANCELED}


def test_a_finished_run_cannot_be_rewritten_by_anybody(engine: Engine):
    finished = [brought_to(engine, terminal).id for terminal in TERMINAL]
    before = [row(engine, run_id) for run_id in finished]
    for run_id in finished:
        for column in GUARDED:
            with (
                pytest.raises(IntegrityError, match="a finished run never changes"),
                writing(engine) as connection,
            ):
                connection.execute(text(f"UPDATE runs SET {column} = NULL WHERE id = :id"), {"id": run_id})
    assert [row(engine, run_id) for run_id in finished] == before


def test_a_finished_run_holds_no_token_and_the_time_of_its_end(engine: Engine):
    for terminal in TERMINAL:
        run = row(engine, brought_to(engine, terminal).id)
        assert (run.state, run.claim_token) == (terminal, None)
        assert abs(run.finished_at - clock.now()) < HOUR


def test_an_active_run_has_no_time_of_an_end(engine: Engine):
    for active in ACTIVE:
        assert row(engine, brought_to(engine, active).id).finished_at is None
