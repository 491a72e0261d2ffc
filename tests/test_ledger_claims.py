"""The claim: the only way into a body. One worker gets a run, in order, in time, and on record before it starts."""

from itertools import chain

import pytest
from sqlalchemy import Engine, select, text, update

from ledger import clock
from ledger.claims import next_due
from ledger.engine import reading, writing
from ledger.fleet import drain, stop
from ledger.ids import new_id
from ledger.tables import processes, runs
from ledger.texts import from_json
from tests.ledger_steps import (
    HOUR,
    QUEUE,
    age,
    at_once,
    attempts,
    claim,
    claimed_ids,
    dispatch,
    dispatch_many,
    finish,
    give_back,
    migrated,  # noqa: F401
    opened,
    rescue,
    retried,
    row,
    running,
    state,
    worker,
)


def test_a_claim_says_what_to_run_and_is_on_record_before_it_returns(engine: Engine):
    by = worker(engine)
    run_id = dispatch(engine, args=(1, 2), options={"max_retries": 3}, message_id="m", typed=True)
    [claimed] = claim(engine, by)
    assert (claimed.id, claimed.attempt, claimed.job, claimed.queue) == (run_id, 1, "add", "default")
    assert (from_json(claimed.args)["args"], from_json(claimed.options)) == ([1, 2], {"max_retries": 3})
    assert (claimed.message_id, claimed.typed, claimed.failures, claimed.crashes) == ("m", True, 0, 0)
    run, [attempt] = row(engine, run_id), attempts(engine, run_id)
    assert (run.state, run.claim_token, run.worker_id) == ("running", claimed.token, by.worker_id)
    assert (attempt.number, attempt.claim_token, attempt.outcome) == (1, claimed.token, "running")
    assert (attempt.worker_id, attempt.worker) == (by.worker_id, by.worker_name)
    assert attempt.started_at == run.started_at


def test_among_many_threads_each_run_is_claimed_once(engine: Engine):
    run_ids = dispatch_many(engine, 60)
    workers = [worker(engine) for _ in range(6)]

    def work(number: int) -> list[str]:
        found = []
        while taken := claim(engine, workers[number], most=4):
            assert len(taken) <= 4
            assert all(attempts(engine, each.id)[0].claim_token == each.token for each in taken)
            found += [each.id for each in taken]
        return found

    claimed = list(chain(*at_once(6, work)))
    assert sorted(claimed) == sorted(run_ids)
    assert {row(engine, run_id).attempt for run_id in run_ids} == {1}


def test_runs_start_by_priority_then_due_time_then_age(engine: Engine):
    past = clock.now() - HOUR
    last = dispatch(engine, priority=5, due_at=past - 3)
    third = dispatch(engine, priority=0, due_at=past)
    second, first = dispatch(engine, priority=0, due_at=past - 1), dispatch(engine, priority=-5, due_at=past)
    fourth = dispatch(engine, priority=0, due_at=past)
    by = worker(engine)
    one_by_one = [claimed_ids(engine, by)[0] for _ in range(2)]
    at_a_time = claimed_ids(engine, by, most=10)
    assert one_by_one + at_a_time == [first, second, third, fourth, last]


def test_a_claim_takes_the_most_urgent_and_no_more_than_it_asked_for(engine: Engine):
    late, early = dispatch_many(engine, 5, priority=1), dispatch_many(engine, 3)
    by = worker(engine)
    assert sorted(claimed_ids(engine, by, most=4)) == sorted([*early, late[0]])
    assert claimed_ids(engine, by, most=0) == []
    assert [state(engine, run_id) for run_id in late] == ["running", *["queued"] * 4]


def test_no_run_starts_before_it_is_due(engine: Engine):
    by = worker(engine)
    run_id = dispatch(engine, due_at=clock.now() + HOUR, priority=-9)
    assert claimed_ids(engine, by) == []
    age(engine, run_id, due_at=clock.now())
    assert claimed_ids(engine, by) == [run_id]


def test_no_run_starts_after_its_offer_ran_out(engine: Engine):
    by = worker(engine)
    dispatch(engine, expires_at=clock.now())
    in_time = dispatch(engine, expires_at=clock.now() + HOUR)
    assert claimed_ids(engine, by, most=9) == [in_time]


def test_a_worker_takes_only_jobs_it_knows_from_the_queue_it_asks(engine: Engine):
    unknown, known = dispatch(engine, job="subtract"), dispatch(engine)
    elsewhere = dispatch(engine, queue="other")
    assert claimed_ids(engine, worker(engine), most=9) == [known]
    assert claimed_ids(engine, worker(engine, "multiply", "divide"), most=9) == []
    assert claimed_ids(engine, worker(engine, "subtract", "divide"), most=9) == [unknown]
    assert state(engine, elsewhere) == "queued"


def test_several_queues_are_asked_in_one_transaction(engine: Engine):
    here, there = dispatch(engine), dispatch(engine, queue="other")
    with writing(engine) as connection:
        found = worker(engine).take(connection, []) if False else []
    assert found == []
    by = worker(engine)
    with writing(engine) as connection:
        answers = by.take(connection, [("other", 5), (QUEUE, 5), (QUEUE, 5)])
    assert [[each.id for each in answer] for answer in answers] == [[there], [here], []]


@pytest.mark.parametrize("state", ["gone", "stopped", "draining", "unknown"])
def test_only_a_worker_that_is_alive_gets_a_run(engine: Engine, state: str):
    by = worker(engine)
    run_id = dispatch(engine)
    with writing(engine) as connection:
        if state == "stopped":
            stop(connection, by.worker_id)
        elif state == "draining":
            drain(connection, by.worker_id)
        elif state == "unknown":
            by.worker_id = new_id()
    if state == "gone":
        rescue(engine, by)
    assert claimed_ids(engine, by) == []
    assert (row(engine, run_id).state, attempts(engine, run_id)) == ("queued", [])
