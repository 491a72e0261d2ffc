"""Hints: published again and again, ever more rarely, until the run is claimed. And offers that run out."""

from contextlib import suppress
from itertools import chain

from sqlalchemy import Engine

from ledger import clock, upkeep
from ledger.dispatch import STEPS, Repeats, next_dispatch_at, take_due_hints
from ledger.engine import reading, writing
from ledger.errors import WrongState
from tests.ledger_circumstances import at_once
from tests.ledger_steps import (
    HOUR,
    age,
    brought_to,
    cancel,
    claim,
    claimed_ids,
    dispatch,
    dispatch_many,
    expire,
    finish,
    migrated,  # noqa: F401
    opened,
    rescue,
    retried,
    row,
    running,
    state,
    take_hints,
    worker,
)


def due_for_a_hint(engine: Engine, run_ids: list[str]) -> None:
    for run_id in run_ids:
        age(engine, run_id, dispatch_at=clock.now() - 1)


def test_a_hint_is_due_when_its_time_has_come_and_not_before(engine: Engine):
    run_id = dispatch(engine)
    assert take_hints(engine) == []
    due_for_a_hint(engine, [run_id])
    assert take_hints(engine) == [run_id]
    assert take_hints(engine) == []


def test_hints_of_a_run_come_ever_more_rarely(engine: Engine):
    run_id, pauses = dispatch(engine), []
    for _ in range(len(STEPS) + 1):
        due_for_a_hint(engine, [run_id])
        before = clock.now()
        take_hints(engine)
        pauses.append((row(engine, run_id).dispatch_at - before) // clock.SECOND)
    assert pauses == [*STEPS, STEPS[-1]] == sorted(pauses)
    assert row(engine, run_id).dispatches == len(pauses)


def test_a_hint_touches_nothing_but_its_own_columns(engine: Engine):
    before = row(engine, dispatch(engine))
    due_for_a_hint(engine, [before.id])
    take_hints(engine)
    after = row(engine, before.id)
    changed = {name for name in before._fields if getattr(before, name) != getattr(after, name)}
    assert changed == {"dispatch_at", "dispatches"}


def test_hints_come_in_the_order_in_which_they_fell_due_and_never_too_many(engine: Engine):
    run_ids = dispatch_many(engine, 5)
    for position, run_id in enumerate(reversed(run_ids)):
        age(engine, run_id, dispatch_at=clock.now() - HOUR + position)
    assert take_hints(engine, most=3) == run_ids[:1:-1]
    assert take_hints(engine, most=3) == run_ids[1::-1]


def test_only_runs_that_wait_get_hints(engine: Engine):
    others = [brought_to(engine, each).id for each in ("running", "succeeded", "canceled", "expired", "dead")]
    due_for_a_hint(engine, others)
    assert take_hints(engine) == []
    with reading(engine) as connection:
        assert next_dispatch_at(connection) is None


def test_dispatchers_at_once_never_take_the_same_hint(engine: Engine):
    run_ids = dispatch_many(engine, 40)
    due_for_a_hint(engine, run_ids)
    taken = list(chain(*at_once(4, lambda _: list(chain(*(take_hints(engine, most=3) for _ in range(5)))))))
    assert len(taken) == len(set(taken))
    assert sorted(taken + take_hints(engine)) == sorted(run_ids)


def test_hints_that_another_dispatcher_holds_are_left_out_not_waited_for(postgresql_url: str):
    with opened(postgresql_url) as engine:
        run_ids = dispatch_many(engine, 4)
        due_for_a_hint(engine, run_ids)
        with writing(engine) as connection:
            held = [hint.run_id for hint in take_due_hints(connection, 2)]
            assert sorted(held + take_hints(engine)) == sorted(run_ids)


def test_the_next_hint_of_all_is_known(engine: Engine):
    later = clock.now() + HOUR
    dispatch(engine, due_at=later + 1)
    dispatch(engine, due_at=later)
    with reading(engine) as connection:
        assert next_dispatch_at(connection) == later


def test_a_retry_gets_its_hint_when_it_is_due(engine: Engine):
    run = running(engine)
    finish(engine, retried(run, retry_at=clock.now() + HOUR))
    assert take_hints(engine) == []
    due_for_a_hint(engine, [run.id])
    assert take_hints(engine) == [run.id]


def test_a_rescued_run_gets_a_hint_at_once(engine: Engine):
    run = running(engine)
    rescue(engine, row(engine, run.id).worker_id)
    assert take_hints(engine) == [run.id]


def test_offers_that_ran_out_end_and_others_stay(engine: Engine):
    over = [dispatch(engine, expires_at=clock.now() - age) for age in (0, HOUR)]
    kept = [dispatch(engine, expires_at=clock.now() + HOUR), dispatch(engine)]
    assert (expire(engine), expire(engine)) == (2, 0)
    assert [state(engine, run_id) for run_id in over + kept] == ["expired"] * 2 + ["queued"] * 2
    assert {row(engine, run_id).finished_at is None for run_id in over} == {False}
    assert sorted(claimed_ids(engine, worker(engine), most=9)) == sorted(kept)


def test_a_run_that_started_in_time_does_not_expire(engine: Engine):
    run_id = dispatch(engine, expires_at=clock.now() + HOUR)
    claim(engine, worker(engine))
    age(engine, run_id, expires_at=clock.now() - HOUR)
    assert expire(engine) == 0
    assert state(engine, run_id) == "running"


def test_a_claim_a_cancel_and_an_expiry_at_once_leave_one_outcome(engine: Engine):
    by = worker(engine)
    run_ids = dispatch_many(engine, 6, expires_at=clock.now() + HOUR)

    def act(number: int) -> None:
        if number == 0:
            for run_id in run_ids:
                age(engine, run_id, expires_at=clock.now() - 1)
        elif number == 1:
            claim(engine, by, most=6)
        elif number == 2:
            with suppress(WrongState):
                cancel(engine, run_ids[0])
        else:
            expire(engine)

    at_once(4, act)
    for run in [row(engine, run_id) for run_id in run_ids]:
        assert (run.state == "running") == (run.claim_token is not None) == (run.attempt == 1)
        assert (run.state in {"expired", "canceled"}) == (run.finished_at is not None)


def test_repeated_hints_are_rationed_and_first_ones_are_not(engine: Engine):
    moment = [0.0]
    repeats = Repeats(at_once=2, per_second=1, clock=lambda: moment[0])
    sent: list[str] = []

    def dispatcher_goes_round() -> int:
        sent.clear()
        for run_id in run_ids:
            age(engine, run_id, dispatch_at=clock.now() - 1)
        upkeep.dispatch_due(engine, lambda run_id, job, queue: sent.append(run_id), repeats)
        assert all(row(engine, run_id).dispatch_at > clock.now() for run_id in run_ids)
        return len(sent)

    run_ids = dispatch_many(engine, 5)
    assert [dispatcher_goes_round() for _ in range(3)] == [5, 2, 0]
    moment[0] = 1.0
    assert dispatcher_goes_round() == 1
    moment[0] = 100.0
    run_ids += dispatch_many(engine, 5)
    assert dispatcher_goes_round() == 5 + 2
