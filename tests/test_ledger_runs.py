"""New runs: what is kept of a request, and that a request which is made twice is one run."""

import pytest
from sqlalchemy import Engine

from ledger import clock, runs
from ledger.engine import writing
from ledger.ids import is_id, new_id
from ledger.runs import FIRST_HINT_GRACE
from ledger.tables import runs as runs_table
from ledger.texts import from_json
from tests.ledger_circumstances import at_once
from tests.ledger_steps import (
    HOUR,
    claim,
    dispatch,
    finish,
    migrated,  # noqa: F401
    new_run,
    number_of,
    row,
    succeeded,
    worker,
)


def test_a_run_keeps_what_was_asked_for(engine: Engine):
    asked = {"priority": 7, "created_by": "Ada", "parent_id": new_id(), "caller_id": new_id(), "typed": True}
    times = {"due_at": clock.now() + HOUR, "expires_at": clock.now() + 2 * HOUR}
    kept = row(
        engine, dispatch(engine, args=(1, "é"), kwargs={"n": 2**70}, options={"pipe": []}, **asked, **times)
    )
    assert {name: getattr(kept, name) for name in [*asked, *times]} == asked | times
    assert from_json(kept.args) == {"args": [1, "é"], "kwargs": {"n": 2**70}}
    assert from_json(kept.options) == {"pipe": []}
    assert (kept.job, kept.queue, kept.origin, kept.state) == ("add", "default", "form", "queued")
    assert is_id(kept.id)


def test_the_first_hint_is_left_to_whoever_made_the_run(engine: Engine):
    now, later = row(engine, dispatch(engine)), row(engine, dispatch(engine, due_at=clock.now() + HOUR))
    assert now.dispatch_at == now.created_at + FIRST_HINT_GRACE
    assert later.dispatch_at == later.due_at


@pytest.mark.parametrize("column", ["idempotency_key", "message_id"])
def test_a_second_request_with_the_same_key_is_the_first_run(engine: Engine, column: str):
    first = dispatch(engine, **{column: "form-1"})
    assert dispatch(engine, **{column: "form-1"}, kwargs={"other": 1}) == first
    finish(engine, succeeded(claim(engine, worker(engine))[0]))
    assert dispatch(engine, **{column: "form-1"}) == first
    assert number_of(engine, runs_table) == 1


def test_requests_with_the_same_key_at_once_are_one_run(engine: Engine):
    answers = at_once(6, lambda _: dispatch(engine, idempotency_key="pressed twice"))
    assert len(set(answers)) == 1
    assert row(engine, answers[0]).idempotency_key == "pressed twice"


def test_a_batch_gets_the_ids_of_earlier_runs_in_order(engine: Engine):
    early = dispatch(engine, idempotency_key="b")
    batch = [new_run(idempotency_key="a"), new_run(), new_run(idempotency_key="b"), new_run(message_id="m")]
    answers = runs.dispatch_many(engine, [*batch, new_run(message_id="m"), new_run(idempotency_key="a")])
    assert answers == [batch[0].id, batch[1].id, early, batch[3].id, batch[3].id, batch[0].id]
    assert number_of(engine, runs_table) == 4


def test_a_batch_larger_than_one_lookup_gets_the_ids_of_earlier_runs(engine: Engine):
    keys = [f"key {number}" for number in range(1200)]
    first = runs.dispatch_many(engine, [new_run(idempotency_key=key) for key in keys])
    again = runs.dispatch_many(engine, [new_run(idempotency_key=key) for key in [*keys, "new"]])
    assert again[:-1] == first
    assert number_of(engine, runs_table) == 1201


def test_a_batch_is_accepted_as_a_whole_or_not_at_all(engine: Engine):
    with pytest.raises(Exception, match="(?i)null"):
        runs.dispatch_many(engine, [new_run(), new_run(job=None), new_run()])
    assert number_of(engine, runs_table) == 0


def test_an_empty_batch_is_accepted(engine: Engine):
    assert runs.dispatch_many(engine, []) == []


def test_the_writer_answers_each_batch_of_a_group_on_its_own(engine: Engine):
    batches = [[new_run(message_id="x")], [], [new_run(), new_run(message_id="x")]]
    with writing(engine) as connection:
        answers = runs.insert_groups(connection, batches)
    assert answers == [[batches[0][0].id], [], [batches[2][0].id, batches[0][0].id]]


def test_a_tick_makes_one_run_however_often_it_is_inserted(engine: Engine):
    schedule_id = new_id()
    for _ in range(2):
        dispatch(engine, schedule_id=schedule_id, tick_at=1_000_000)
    dispatch(engine, schedule_id=schedule_id, tick_at=2_000_000)
    assert number_of(engine, runs_table) == 2
