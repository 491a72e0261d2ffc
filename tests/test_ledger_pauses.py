"""A paused queue: nothing of it is claimed from the commit on, by nobody, until it is resumed or its time is over."""

import threading

from sqlalchemy import Engine, select

from ledger import claims, clock, pauses, upkeep
from ledger.engine import is_sqlite, reading, writing
from ledger.tables import runs
from tests.ledger_steps import (
    HOUR,
    QUEUE,
    age,
    claim,
    claimed_ids,
    dispatch,
    dispatch_many,
    finish,
    give_back,
    migrated,  # noqa: F401
    number_of,
    plan,
    retried,
    row,
    running,
    state,
    statements,
    succeeded,
    take_hints,
    worker,
)


def paused(engine: Engine, seconds: float | None = None, queue: str = QUEUE) -> int | None:
    ends_at = None if seconds is None else clock.now() + int(seconds * clock.SECOND)
    pauses.pause(engine, queue, "ana", "DB upgrade", ends_at)
    return ends_at


def resume(engine: Engine, queue: str = QUEUE) -> bool:
    with writing(engine) as connection:
        return pauses.resume(connection, queue)


def ends(engine: Engine) -> list[str]:
    with writing(engine) as connection:
        return pauses.end_overdue(connection)


def found(engine: Engine) -> dict[str, pauses.Pause]:
    with reading(engine) as connection:
        return pauses.paused(connection, clock.now())


def next_due(engine: Engine) -> int | None:
    with reading(engine) as connection:
        return claims.next_due(connection, QUEUE, ["add"])


def test_nothing_of_a_paused_queue_is_claimed(engine: Engine):
    by = worker(engine)
    run_id = dispatch(engine)
    paused(engine)
    assert claim(engine, by) == []
    assert resume(engine)
    assert claimed_ids(engine, by) == [run_id]


def test_other_queues_go_on(engine: Engine):
    by = worker(engine)
    paused(engine, queue="mail")
    dispatch(engine)
    dispatch(engine, queue="mail")
    assert len(claim(engine, by)) == 1
    assert claim(engine, by, queue="mail") == []


def test_what_runs_goes_on_and_what_is_to_be_tried_again_waits(engine: Engine):
    by = worker(engine)
    first, second = running(engine, by), running(engine, by)
    paused(engine)
    assert finish(engine, succeeded(first), retried(second)) == [True, True]
    assert claim(engine, by) == []
    assert state(engine, second.id) == "queued"


def test_a_run_that_is_given_back_to_a_paused_queue_waits(engine: Engine):
    by = worker(engine)
    claimed = running(engine, by)
    paused(engine)
    give_back(engine, claimed)
    assert claim(engine, by) == []


def test_a_pause_is_over_at_its_end_without_anybody_doing_anything(engine: Engine):
    by = worker(engine)
    dispatch(engine)
    paused(engine, seconds=-0.001)
    assert found(engine) == {}
    assert len(claim(engine, by)) == 1


def test_a_pause_says_by_whom_why_and_until_when(engine: Engine):
    ends_at = paused(engine, 60)
    [pause] = found(engine).values()
    assert (pause.by, pause.reason, pause.ends_at) == ("ana", "DB upgrade", ends_at)
    pauses.pause(engine, QUEUE, "ben")
    [pause] = found(engine).values()
    assert (pause.by, pause.reason, pause.ends_at) == ("ben", "", None)


def test_idle_workers_are_told_when_the_pause_ends_and_not_to_look_before(engine: Engine):
    assert next_due(engine) is None
    dispatch(engine)
    paused(engine)
    assert next_due(engine) is None
    ends_at = paused(engine, 60)
    assert next_due(engine) == ends_at
    later = dispatch(engine, due_at=clock.now() + HOUR, priority=-1)
    assert next_due(engine) == ends_at
    resume(engine)
    assert next_due(engine) <= clock.now()
    assert row(engine, later).state == "queued"


def test_no_hints_are_sent_for_a_paused_queue_and_they_are_not_due_again_at_once(engine: Engine):
    run_ids = dispatch_many(engine, 3)
    for run_id in run_ids:
        age(engine, run_id, dispatch_at=clock.now() - 1)
    other = dispatch(engine, queue="mail")
    age(engine, other, dispatch_at=clock.now() - 1)
    paused(engine)
    assert take_hints(engine) == [other]
    assert take_hints(engine) == []
    assert {row(engine, run_id).dispatches for run_id in run_ids} == {0}
    assert all(row(engine, run_id).dispatch_at > clock.now() + clock.SECOND for run_id in run_ids)


def test_the_end_of_a_pause_makes_hints_due(engine: Engine):
    run_id, later = dispatch(engine), dispatch(engine, due_at=clock.now() + HOUR)
    paused(engine)
    resume(engine)
    assert take_hints(engine) == [run_id]
    paused(engine, seconds=-0.001)
    assert ends(engine) == [QUEUE]
    assert take_hints(engine) == [run_id]
    assert ends(engine) == []
    assert row(engine, later).dispatch_at > clock.now()


def test_a_second_resumption_finds_nothing(engine: Engine):
    paused(engine)
    assert resume(engine)
    assert not resume(engine)


def test_a_scheduler_waits_for_the_next_end_and_not_for_endless_pauses(engine: Engine):
    paused(engine)
    assert upkeep.end_pauses(engine) == upkeep.LONGEST_WAIT_SECONDS
    paused(engine, 0.3, "mail")
    assert 0 < upkeep.end_pauses(engine) <= 0.3
    paused(engine, -0.001, "mail")
    assert upkeep.end_pauses(engine) == 0.0
    assert list(found(engine)) == [QUEUE]


def test_no_claim_is_committed_after_the_pause_returned(engine: Engine):
    """Workers claim as fast as they can; whatever they get, they got before ``pause`` answered."""
    dispatch_many(engine, 2_000)
    over, done = threading.Event(), []
    workers = [worker(engine) for _ in range(3)]

    def work(by) -> None:
        while not over.is_set():
            done.extend(claim(engine, by, most=3))

    threads = [threading.Thread(target=work, args=(by,)) for by in workers]
    for thread in threads:
        thread.start()
    while len(done) < 30:
        over.wait(0.005)
    paused(engine)
    before = running_now(engine)
    over.wait(0.3)
    assert running_now(engine) == before < 2_000
    over.set()
    for thread in threads:
        thread.join()


def running_now(engine: Engine) -> int:
    with reading(engine) as connection:
        return len(list(connection.scalars(select(runs.c.id).where(runs.c.state == "running"))))


def test_a_claim_asks_for_a_pause_once_not_for_each_run(engine: Engine):
    dispatch_many(engine, 50)
    with statements(engine) as sent:
        claim(engine, worker(engine), most=20)
    [taken] = [plan(engine, *each) for each in sent if "UPDATE runs" in each[0]]
    assert "pauses" in taken
    assert ("CORRELATED" not in taken) if is_sqlite(engine) else ("SubPlan" not in taken)
    assert number_of(engine, runs) == 50
