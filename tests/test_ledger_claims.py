"""The claim: one worker gets a run, in order, in time, and on record before its body starts."""

from collections import Counter
from itertools import chain

import pytest
from sqlalchemy import Engine, select

from ledger import clock
from ledger.claims import Claims, Wanted, next_due
from ledger.engine import reading, writing
from ledger.ids import new_id
from ledger.progress import Progress, report
from ledger.tables import runs
from ledger.texts import from_json
from tests.ledger_circumstances import at_once
from tests.ledger_steps import (
    HOUR,
    QUEUE,
    age,
    attempts,
    claim,
    claimed_ids,
    dispatch,
    dispatch_many,
    draining,
    finish,
    migrated,  # noqa: F401
    opened,
    rescue,
    retried,
    row,
    running,
    state,
    stopped,
    worker,
    written,
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
    taken = claimed_ids(engine, by, most=4)
    assert (set(taken[:3]), len(taken)) == (set(early), 4)
    assert claimed_ids(engine, by, most=0) == []
    assert Counter(state(engine, run_id) for run_id in late) == {"running": 1, "queued": 4}


def test_runs_of_one_batch_start_in_its_order(engine: Engine):
    run_ids = dispatch_many(engine, 20)
    assert claimed_ids(engine, worker(engine), most=20) == run_ids


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
    by = worker(engine)
    with writing(engine) as connection:
        answers = by.take(connection, [Wanted("other", 5), Wanted(QUEUE, 5), Wanted(QUEUE, 5)])
    assert [[each.id for each in answer] for answer in answers] == [[there], [here], []]


@pytest.mark.parametrize("end", [rescue, stopped, draining])
def test_only_a_worker_that_is_alive_gets_a_run(engine: Engine, end):
    by = worker(engine)
    run_id = dispatch(engine)
    end(engine, by)
    assert claimed_ids(engine, by) == []
    assert (state(engine, run_id), attempts(engine, run_id)) == ("queued", [])


def test_a_worker_that_the_ledger_does_not_know_gets_no_run(engine: Engine):
    dispatch(engine)
    assert claimed_ids(engine, Claims(new_id(), "host / 1", ["add"])) == []


def test_a_run_that_others_hold_is_skipped_not_waited_for(postgresql_url: str):
    with opened(postgresql_url) as engine:
        first, second = dispatch(engine, priority=-1), dispatch(engine)
        with writing(engine) as connection:
            connection.execute(select(runs).where(runs.c.id == first).with_for_update())
            assert claimed_ids(engine, worker(engine), most=2) == [second]


def test_postgresql_never_claims_more_than_the_limit_whatever_its_plan(postgresql_url: str):
    plans = ("hashjoin", "mergejoin", "hashagg", "material", "memoize", "sort")
    with opened(postgresql_url) as engine:
        dispatch_many(engine, 50)
        by = worker(engine)
        with writing(engine) as connection:
            for each in plans:
                connection.exec_driver_sql(f"SET LOCAL enable_{each} = off")
            [taken] = by.take(connection, [Wanted(QUEUE, 3)])
    assert len(taken) == 3


def test_a_retry_is_the_next_attempt_with_a_token_of_its_own(engine: Engine):
    first = running(engine)
    finish(engine, retried(first))
    [second] = claim(engine, worker(engine))
    assert (second.id, second.attempt, second.failures) == (first.id, 2, 1)
    assert second.token != first.token
    assert [each.claim_token for each in attempts(engine, first.id)] == [first.token, second.token]


def test_a_new_attempt_starts_without_the_progress_of_the_last(engine: Engine):
    first = running(engine)
    written(engine, report, Progress(first, 5, 10, "half"))
    assert row(engine, first.id).progress_done == 5
    finish(engine, retried(first))
    claim(engine, worker(engine))
    again = row(engine, first.id)
    assert (again.progress_done, again.progress_total, again.progress_note) == (None, None, None)


def test_the_next_due_time_is_that_of_the_earliest_run_one_may_take(engine: Engine):
    soon, later = clock.now() + HOUR, clock.now() + 2 * HOUR
    assert due_next(engine) is None
    dispatch(engine, due_at=later, priority=-5)
    assert due_next(engine) == later
    dispatch(engine, due_at=soon, priority=5)
    dispatch(engine, job="subtract", due_at=soon - HOUR)
    dispatch(engine, queue="other", due_at=soon - HOUR)
    assert due_next(engine) == soon


def test_an_offer_that_ran_out_is_nobodys_next_run(engine: Engine):
    dispatch(engine, due_at=clock.now() - HOUR, expires_at=clock.now() - 1)
    assert due_next(engine) is None


def due_next(engine: Engine) -> int | None:
    with reading(engine) as connection:
        return next_due(connection, QUEUE, ["add"])
