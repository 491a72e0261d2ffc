"""A job may say that an equal run is no new one, by its arguments: while one waits, while one is active, for a time."""

import pytest
from sqlalchemy import Engine, func, select

from ledger import clock, fleet, members, retention, runs
from ledger.engine import reading
from ledger.tables import runs as runs_table
from ledger.tables import unique_runs
from tests.ledger_circumstances import at_once
from tests.ledger_steps import (
    HOUR,
    JOB,
    QUEUE,
    age,
    cancel,
    claim,
    dispatch,
    expire,
    failed,
    finish,
    migrated,  # noqa: F401
    new_run,
    number_of,
    row,
    state,
    succeeded,
    worker,
)

PARAMETERS = {
    "type": "object",
    "properties": {"x": {"type": "integer"}, "y": {"type": "integer", "default": 1}, "who": {"type": "string"}},
}


def announce(engine: Engine, unique: str = "active", seconds: int | None = None, by=None, on="skip", job=JOB) -> None:
    rule = {"while": unique, "seconds": seconds, "by": by, "on_duplicate": on}
    told = fleet.Job(job, QUEUE, 0, PARAMETERS, "", "", {"unique": rule}, "")
    fleet.register(engine, fleet.NewProcess(kind="worker", jobs=[job], queues=[QUEUE]), [told])


def test_an_equal_run_is_the_one_that_is_there(engine: Engine):
    announce(engine)
    first = dispatch(engine, args=(1,))
    assert dispatch(engine, args=(1,)) == first
    assert dispatch(engine, args=(2,)) != first
    assert number_of(engine, runs_table) == 2


@pytest.mark.parametrize(
    ("args", "kwargs", "is_equal"),
    [
        ((1,), {}, True),
        ((1, 1), {}, True),
        ((), {"x": 1}, True),
        ((), {"y": 1, "x": 1}, True),
        ((1, 2), {}, False),
        ((1,), {"who": "Ada"}, False),
        (("1",), {}, False),
        ((1, 1, None, 4), {}, False),
    ],
)
def test_arguments_are_equal_however_they_were_given(engine: Engine, args, kwargs, is_equal):
    announce(engine)
    first = dispatch(engine, args=(1,))
    assert (dispatch(engine, args=args, kwargs=kwargs) == first) is is_equal


def test_only_the_named_arguments_may_count(engine: Engine):
    announce(engine, by=["x"])
    first = dispatch(engine, kwargs={"x": 1, "who": "Ada"})
    assert dispatch(engine, kwargs={"x": 1, "who": "Eva"}) == first
    assert dispatch(engine, kwargs={"x": 2, "who": "Ada"}) != first


def test_jobs_do_not_count_for_each_other(engine: Engine):
    announce(engine)
    announce(engine, job="other")
    assert len({dispatch(engine, job=job, args=(1,)) for job in (JOB, "other", "third", "third")}) == 4


def test_while_queued_a_run_that_has_begun_is_no_hindrance(engine: Engine):
    announce(engine, unique="queued")
    first = dispatch(engine, args=(1,))
    claim(engine, worker(engine))
    second = dispatch(engine, args=(1,))
    assert second != first
    assert dispatch(engine, args=(1,)) == second


def test_while_active_only_the_end_makes_way(engine: Engine):
    announce(engine)
    first = dispatch(engine, args=(1,))
    [held] = claim(engine, worker(engine))
    assert dispatch(engine, args=(1,)) == first
    finish(engine, succeeded(held))
    assert dispatch(engine, args=(1,)) != first


def test_for_a_period_even_a_finished_run_is_enough(engine: Engine):
    announce(engine, unique="period", seconds=3600)
    first = dispatch(engine, args=(1,))
    finish(engine, *map(succeeded, claim(engine, worker(engine))))
    assert dispatch(engine, args=(1,)) == first
    age(engine, first, created_at=clock.now() - HOUR - 1)
    assert dispatch(engine, args=(1,)) != first


def test_what_came_to_nothing_may_be_asked_for_again_at_once(engine: Engine):
    announce(engine, unique="period", seconds=3600)
    by = worker(engine)
    dispatch(engine, args=(1,))
    finish(engine, *map(failed, claim(engine, by)))
    second = dispatch(engine, args=(1,))
    cancel(engine, second)
    third = dispatch(engine, args=(1,), expires_at=clock.now() - 1)
    expire(engine)
    fourth = dispatch(engine, args=(1,))
    assert [state(engine, each) for each in (second, third, fourth)] == ["canceled", "expired", "queued"]


def test_a_newer_run_replaces_one_that_waits_and_none_that_runs(engine: Engine):
    announce(engine, on="replace")
    first = dispatch(engine, args=(1,))
    second = dispatch(engine, args=(1,))
    assert (row(engine, first).state, row(engine, first).canceled_by) == ("canceled", runs.REPLACED)
    claim(engine, worker(engine))
    assert dispatch(engine, args=(1,)) == second
    assert state(engine, second) == "running"


def test_an_idempotency_key_is_older_than_uniqueness(engine: Engine):
    announce(engine, on="replace")
    first = dispatch(engine, args=(1,), idempotency_key="k")
    assert dispatch(engine, args=(1,), idempotency_key="k") == first
    assert state(engine, first) == "queued"


def test_a_request_of_many_is_answered_in_its_order(engine: Engine):
    announce(engine)
    new = [new_run(args=(x,), job=job) for x, job in [(2, JOB), (1, JOB), (2, JOB), (9, "other"), (1, JOB)]]
    ids = runs.dispatch_many(engine, new)
    assert ids == [new[0].id, new[1].id, new[0].id, new[3].id, new[1].id]
    assert number_of(engine, runs_table) == 3


def test_of_many_at_once_one_is_made(engine: Engine):
    announce(engine)
    ids = at_once(6, lambda number: [dispatch(engine, args=(x,)) for x in (number % 2, 1 - number % 2)])
    assert len({each for found in ids for each in found}) == number_of(engine, runs_table) == 2


def test_what_others_wait_for_is_made_in_any_case(engine: Engine):
    """The group of a member that was left out would wait for ever."""
    announce(engine)
    first = dispatch(engine, args=(1,))
    tied = members.stamped({members.GROUP: {"id": "g", "size": 2}}, "m")
    assert dispatch(engine, args=(1,), options=tied) != first


def test_retention_forgets_what_it_knows_of_a_run(engine: Engine):
    announce(engine)
    first = dispatch(engine, args=(1,))
    finish(engine, *map(succeeded, claim(engine, worker(engine))))
    retention.forget(engine, [first])
    with reading(engine) as connection:
        assert connection.scalar(select(func.count()).select_from(unique_runs)) == 0
    assert dispatch(engine, args=(1,)) != first
