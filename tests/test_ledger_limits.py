"""How many runs of a job run, and how often: the ledger holds it, whoever claims."""

from itertools import chain

import pytest
from sqlalchemy import Engine, select

from ledger import clock, fleet, limits, pauses
from ledger.claims import next_due
from ledger.engine import reading, writing
from ledger.limits import Use
from ledger.queries.queued import ranges_of
from ledger.queries.reasons import Why, reasons
from ledger.tables import runs, starts
from tests.ledger_circumstances import at_once
from tests.ledger_steps import (
    HOUR,
    JOB,
    QUEUE,
    cancel,
    claim,
    claimed_ids,
    dispatch,
    dispatch_many,
    draining,
    failed,
    finish,
    give_back,
    interrupted,
    migrated,  # noqa: F401
    plan,
    rescue,
    retried,
    row,
    state,
    statements,
    succeeded,
    worker,
)

ONE = {"max_concurrency": 1}
TWO_AN_HOUR = {"rate_limit": {"runs": 2, "seconds": 3600}}


def announce(engine: Engine, **options: dict) -> None:
    """What a worker tells of its jobs when it starts."""
    told = [fleet.Job(job, QUEUE, 0, {"type": "object"}, "", "", its, "") for job, its in options.items()]
    fleet.register(engine, fleet.NewProcess(kind="worker", jobs=list(options), queues=[QUEUE]), told)


def use(engine: Engine, job: str = JOB) -> Use:
    with reading(engine) as connection:
        [found] = limits.uses(connection, [job], clock.now())
    return found


def due(engine: Engine, *jobs: str) -> int | None:
    with reading(engine) as connection:
        return next_due(connection, QUEUE, list(jobs or [JOB]))


def why(engine: Engine, run_id: str) -> Why:
    with reading(engine) as connection:
        waiting = connection.execute(select(runs).where(runs.c.id == run_id)).fetchall()
        return reasons(connection, waiting, clock.now())[run_id].why


def test_no_more_run_at_once_than_may(engine: Engine):
    announce(engine, add={"max_concurrency": 2})
    waiting = dispatch_many(engine, 4)
    by = worker(engine)
    first = claim(engine, by, most=10)
    assert [each.id for each in first] == waiting[:2]
    assert (claimed_ids(engine, by, most=10), use(engine).free, due(engine)) == ([], 0, None)
    finish(engine, succeeded(first[0]))
    assert claimed_ids(engine, by, most=10) == waiting[2:3]


def test_the_limit_holds_over_queues_and_workers(engine: Engine):
    announce(engine, add=ONE)
    here, there = dispatch(engine), dispatch(engine, queue="other")
    assert [each.id for each in claim(engine, worker(engine), most=5, queue="other")] == [there]
    assert claimed_ids(engine, worker(engine), most=5) == []
    assert state(engine, here) == "queued"


@pytest.mark.parametrize(
    "leave",
    [
        lambda engine, by, it: finish(engine, failed(it)),
        lambda engine, by, it: finish(engine, interrupted(it)),
        lambda engine, by, it: finish(engine, retried(it, retry_at=clock.now() + HOUR)),
        lambda engine, by, it: give_back(engine, it),
        lambda engine, by, it: rescue(engine, by),
        lambda engine, by, it: rescue(engine, by, crash_limit=1),
    ],
    ids=["failed", "interrupted", "retried", "given back", "rescued", "dead"],
)
def test_a_place_is_free_again_however_its_run_left_it(engine: Engine, leave):
    announce(engine, add=ONE)
    by = worker(engine)
    dispatch_many(engine, 2)
    [held] = claim(engine, by)
    assert use(engine).is_full
    leave(engine, by, held)
    assert use(engine).running == 0
    assert len(claim(engine, worker(engine), most=5)) == 1


def test_what_is_full_holds_up_no_other_job_of_its_queue(engine: Engine):
    announce(engine, add=ONE, other={})
    by = worker(engine, JOB, "other")
    dispatch_many(engine, 30, priority=-5)
    others = dispatch_many(engine, 2, job="other")
    [first, *rest] = claim(engine, by, most=3)
    assert (first.job, [each.id for each in rest]) == (JOB, others)


def test_runs_of_all_lanes_start_in_one_order(engine: Engine):
    announce(engine, add={"max_concurrency": 9}, other={"max_concurrency": 9}, free={})
    past = clock.now() - HOUR
    wanted = [
        dispatch(engine, job=job, priority=priority, due_at=past + at)
        for priority, at, job in [(-1, 9, "other"), (0, 1, "add"), (0, 2, "free"), (0, 3, "other"), (1, 0, "free")]
    ]
    by = worker(engine, "add", "other", "free")
    assert claimed_ids(engine, by, most=2) + claimed_ids(engine, by, most=9) == wanted


def test_many_threads_never_start_more_than_may(engine: Engine):
    announce(engine, add={"max_concurrency": 3}, other={})
    wanted = dispatch_many(engine, 40) + dispatch_many(engine, 20, job="other")
    workers = [worker(engine, JOB, "other") for _ in range(5)]
    most = []

    def work(number: int) -> list[str]:
        done = []
        while True:
            taken = claim(engine, workers[number], most=4)
            most.append(use(engine).running)
            finish(engine, *map(succeeded, taken))
            done += [each.id for each in taken]
            if not taken and not use(engine).running and due(engine, JOB, "other") is None:
                return done

    assert sorted(chain(*at_once(5, work))) == sorted(wanted)
    assert max(most) == 3


def test_no_more_start_within_a_period_than_may(engine: Engine):
    announce(engine, add=TWO_AN_HOUR)
    wanted = dispatch_many(engine, 3)
    by = worker(engine)
    taken = claim(engine, by, most=10)
    finish(engine, *map(succeeded, taken))
    assert [each.id for each in taken] == wanted[:2]
    [first, _] = started(engine)
    assert claimed_ids(engine, by, most=10) == []
    assert (use(engine).is_used_up, use(engine).next_start_at, due(engine)) == (True, first + HOUR, first + HOUR)


def started(engine: Engine) -> list[int]:
    with reading(engine) as connection:
        return list(connection.scalars(select(starts.c.started_at).order_by(starts.c.started_at, starts.c.run_id)))


def test_when_the_period_is_over_the_next_may_start(engine: Engine, monkeypatch):
    announce(engine, add=TWO_AN_HOUR)
    wanted = dispatch_many(engine, 5)
    by = worker(engine)
    claim(engine, by, most=10)
    now = clock.now
    monkeypatch.setattr(clock, "now", lambda: now() + HOUR)
    assert due(engine) <= clock.now()
    assert claimed_ids(engine, by, most=10) == wanted[2:4]
    assert len(started(engine)) == 2  # what counts no more is forgotten


def test_a_start_that_is_given_back_does_not_count_and_one_that_failed_does(engine: Engine):
    announce(engine, add=TWO_AN_HOUR)
    dispatch_many(engine, 4)
    by = worker(engine)
    one, other = claim(engine, by, most=2)
    give_back(engine, one)
    finish(engine, failed(other))
    assert (use(engine).started, len(claim(engine, by, most=5))) == (1, 1)


def test_a_run_says_which_limit_it_waits_for(engine: Engine):
    announce(engine, add=ONE, slow=TWO_AN_HOUR, other={})
    by = worker(engine, JOB, "slow", "other")
    for job in (JOB, "slow", "slow"):
        dispatch(engine, job=job)
    assert len(claim(engine, by, most=9)) == 3
    full, used_up, free = (dispatch(engine, job=job) for job in (JOB, "slow", "other"))
    assert [why(engine, each) for each in (full, used_up, free)] == [Why.FULL, Why.USED_UP, Why.NEXT]


def test_places_are_counted_in_ones_own_lane(engine: Engine):
    announce(engine, add={"max_concurrency": 5}, other={})
    dispatch_many(engine, 3, job="other")
    first, second = dispatch_many(engine, 2)
    assert (why(engine, first), why(engine, second)) == (Why.NEXT, Why.BEHIND)


def test_a_job_that_becomes_limited_takes_along_what_waits_and_what_runs(engine: Engine):
    announce(engine, add={})
    by = worker(engine)
    dispatch_many(engine, 3)
    [held] = claim(engine, by)
    announce(engine, add=ONE)
    assert (claimed_ids(engine, by, most=5), use(engine).running) == ([], 1)
    finish(engine, succeeded(held))  # whose claim knows of no lane
    assert len(claim(engine, by, most=5)) == 1


def test_a_limit_that_is_taken_away_holds_up_nothing(engine: Engine):
    announce(engine, add=ONE)
    by = worker(engine)
    dispatch_many(engine, 4)
    [held] = claim(engine, by)
    announce(engine, add={})
    assert len(claim(engine, by, most=2)) == 2
    finish(engine, succeeded(held))
    with reading(engine) as connection:
        assert {each.lane for each in ranges_of(connection, QUEUE, clock.now())} == {""}


def test_a_limit_can_be_raised_and_lowered(engine: Engine):
    announce(engine, add=ONE)
    by = worker(engine)
    dispatch_many(engine, 9)
    claim(engine, by, most=9)
    announce(engine, add={"max_concurrency": 4})
    assert len(claim(engine, by, most=9)) == 3
    announce(engine, add={"max_concurrency": 2})
    assert (claim(engine, by, most=9), use(engine).free) == ([], 0)


def test_announcing_the_same_again_writes_nothing(engine: Engine):
    options = {JOB: ONE, "other": TWO_AN_HOUR, "free": {}}
    announce(engine, **options)
    with statements(engine) as sent:
        limits.announce(engine, options)
    assert not [text for text, _ in sent if text.startswith(("INSERT", "UPDATE", "LOCK"))]


def test_a_pause_holds_limited_jobs_as_well(engine: Engine):
    announce(engine, add=ONE)
    by = worker(engine)
    dispatch(engine)
    pauses.pause(engine, QUEUE, "Ada")
    assert (claimed_ids(engine, by), due(engine)) == ([], None)


def test_a_worker_that_is_to_take_nothing_takes_nothing_limited(engine: Engine):
    announce(engine, add=ONE)
    by = worker(engine)
    dispatch(engine)
    draining(engine, by)
    assert claimed_ids(engine, by) == []


def test_what_is_canceled_expired_or_not_due_is_not_started(engine: Engine):
    announce(engine, add={"max_concurrency": 5})
    cancel(engine, dispatch(engine))
    dispatch(engine, expires_at=clock.now() - 1)
    later = dispatch(engine, due_at=clock.now() + HOUR)
    assert claimed_ids(engine, worker(engine), most=5) == []
    assert due(engine) == row(engine, later).due_at


def test_a_queue_without_limits_is_claimed_from_in_one_statement(engine: Engine):
    announce(engine, add={}, other=ONE)
    dispatch_many(engine, 3)
    by = worker(engine)
    with statements(engine) as sent:
        assert len(claim(engine, by, most=3)) == 3
    changed = [text for text, _ in sent if text.startswith(("UPDATE", "WITH", "SELECT"))]
    assert len(changed) == 1


def test_a_claim_from_a_long_lane_reads_by_the_index(engine: Engine):
    announce(engine, add=ONE, other={})
    dispatch_many(engine, 3_000)
    with writing(engine) as connection:
        connection.exec_driver_sql("ANALYZE")
    by = worker(engine, JOB, "other")
    with statements(engine) as sent:
        claim(engine, by, most=2)
    read = [(text, values) for text, values in sent if "ORDER BY runs.due_at" in text and text.startswith("SELECT")]
    assert read and all("ix_runs_ready" in plan(engine, *each) for each in read)
