"""Processes: who is alive, and what becomes of the runs of those that die."""

from collections import Counter

from sqlalchemy import Engine, select

from ledger import clock, fleet
from ledger.claims import Wanted
from ledger.engine import reading, writing
from ledger.fleet import Job, NewProcess
from ledger.ids import new_id
from ledger.reaper import Reaper, orphaned, reap
from ledger.states import State
from ledger.tables import jobs, processes
from ledger.texts import from_json
from tests.ledger_circumstances import at_once
from tests.ledger_steps import (
    CRASH_LIMIT,
    attempts,
    cancel,
    claim,
    claimed_ids,
    dispatch,
    draining,
    finish,
    migrated,  # noqa: F401
    number_of,
    opened,
    outcomes,
    rescue,
    retried,
    row,
    running,
    state,
    stopped,
    succeeded,
    worker,
)


def process(engine: Engine, process_id: str):
    with reading(engine) as connection:
        return connection.execute(select(processes).where(processes.c.id == process_id)).one()


def beat(engine: Engine, process_id: str) -> bool:
    with writing(engine) as connection:
        return fleet.beat(connection, process_id)


def test_the_runs_of_a_dead_worker_wait_again_at_once(engine: Engine):
    by, other = worker(engine), worker(engine)
    run, others_run = running(engine, by), running(engine, other)
    [rescued] = rescue(engine, by)
    assert (rescued.run_id, rescued.job, rescued.queue, rescued.state) == (run.id, "add", "default", "queued")
    assert (row(engine, run.id).crashes, row(engine, run.id).claim_token) == (1, None)
    assert outcomes(engine, run.id) == ["lost"]
    assert attempts(engine, run.id)[0].finished_at is not None
    assert claimed_ids(engine, other, most=9) == [run.id]
    assert state(engine, others_run.id) == "running"


def test_runs_that_died_together_do_not_come_back_together(engine: Engine):
    by = worker(engine)
    run_ids = [running(engine, by).id for _ in range(8)]
    before = clock.now()
    rescue(engine, by)
    waits = [(row(engine, run_id).due_at - before) / clock.SECOND for run_id in run_ids]
    assert len(set(waits)) == len(waits)
    assert max(waits) < fleet.SPREAD[0] + 1
    assert all(row(engine, run_id).dispatch_at == row(engine, run_id).due_at for run_id in run_ids)


def test_a_claim_that_never_began_is_no_crash(engine: Engine):
    by = worker(engine)
    begun, waited, stopped = (running(engine, by) for _ in range(3))
    cancel(engine, stopped.id)
    rescued = {each.run_id: each.state for each in rescue(engine, by, crash_limit=1, begun=frozenset({begun.id}))}
    assert rescued == {begun.id: "dead", waited.id: "queued", stopped.id: "canceled"}
    assert (row(engine, waited.id).crashes, row(engine, waited.id).attempt) == (0, 0)
    assert outcomes(engine, waited.id) == []
    assert claimed_ids(engine, worker(engine), most=9) == [waited.id]


def test_a_second_rescue_does_nothing(engine: Engine):
    by = worker(engine)
    run = running(engine, by)
    rescue(engine, by)
    before = row(engine, run.id)
    assert rescue(engine, by) == []
    assert row(engine, run.id) == before


def test_rescues_at_once_rescue_once(engine: Engine):
    by = worker(engine)
    run_ids = [running(engine, by).id for _ in range(5)]
    rescued = at_once(4, lambda _: rescue(engine, by))
    assert sorted(each.run_id for found in rescued for each in found) == sorted(run_ids)
    assert {row(engine, run_id).crashes for run_id in run_ids} == {1}


def test_a_run_that_kills_its_workers_is_dead_at_the_limit(engine: Engine):
    run_id = dispatch(engine)
    found = []
    for _ in range(CRASH_LIMIT):
        by = worker(engine)
        claim(engine, by)
        found += [rescued.state for rescued in rescue(engine, by)]
    dead = row(engine, run_id)
    assert found == [State.QUEUED, State.QUEUED, State.DEAD]
    assert (dead.state, dead.crashes, dead.error_type) == ("dead", 3, "WorkerDied")
    assert "3 times" in dead.error
    assert claimed_ids(engine, worker(engine)) == []


def test_a_run_whose_job_must_not_start_twice_fails_with_its_worker(engine: Engine):
    careful = Job("careful", "default", 0, {}, "", "", {"on_crash": "fail"}, "")
    fleet.register(engine, NewProcess(kind="worker"), [careful])
    run_ids = [dispatch(engine, job=name) for name in ("careful", "add")]
    by = worker(engine, "careful", "add")
    assert len(claim(engine, by, most=2)) == 2
    rescue(engine, by)
    ends = [row(engine, run_id) for run_id in run_ids]
    assert [(run.state, run.crashes) for run in ends] == [("failed", 1), ("queued", 1)]
    assert "is not to be started twice" in ends[0].error


def test_failures_do_not_count_as_crashes(engine: Engine):
    run = running(engine)
    finish(engine, retried(run))
    by = worker(engine)
    claim(engine, by)
    assert [each.state for each in rescue(engine, by, crash_limit=2)] == [State.QUEUED]
    assert (row(engine, run.id).failures, row(engine, run.id).crashes) == (1, 1)


def test_a_run_that_was_asked_to_stop_is_canceled_when_its_worker_dies(engine: Engine):
    by = worker(engine)
    run = running(engine, by)
    cancel(engine, run.id)
    assert [each.state for each in rescue(engine, by)] == [State.CANCELED]
    assert (state(engine, run.id), outcomes(engine, run.id)) == ("canceled", ["lost"])


def test_a_finish_and_a_rescue_at_once_leave_one_ending(engine: Engine):
    workers = [worker(engine) for _ in range(8)]
    claims = [running(engine, by) for by in workers]

    def end(number: int) -> bool:
        half = number // 2
        return bool(
            finish(engine, succeeded(claims[half])) == [True] if number % 2 else rescue(engine, workers[half])
        )

    ends = at_once(16, end)
    assert [Counter(ends[n : n + 2])[True] for n in range(0, 16, 2)] == [1] * 8
    for run in claims:
        assert (state(engine, run.id), outcomes(engine, run.id)) in [
            ("succeeded", ["succeeded"]),
            ("queued", ["lost"]),
        ]


def test_a_dead_process_is_on_record_with_its_reason(engine: Engine):
    by = worker(engine)
    rescue(engine, by)
    gone = process(engine, by.worker_id)
    assert (gone.state, gone.ended_because) == ("gone", "killed by SIGKILL")
    stopped(engine, by)
    assert process(engine, by.worker_id) == gone


def test_a_beat_of_a_supervisor_counts_for_its_workers(engine: Engine):
    supervisor = NewProcess(kind="supervisor")
    member, ended = (NewProcess(kind="worker", supervisor_id=supervisor.id) for _ in range(2))
    stranger = NewProcess(kind="worker", supervisor_id=new_id())
    for each in (supervisor, member, ended, stranger):
        fleet.register(engine, each)
    with writing(engine) as connection:
        fleet.stop(connection, ended.id)
    assert beat(engine, supervisor.id) is True
    assert [process(engine, each.id).beats for each in (supervisor, member, ended, stranger)] == [1, 1, 0, 0]
    with reading(engine) as connection:
        assert fleet.beats(connection) == {supervisor.id: 1, member.id: 1, stranger.id: 0}


def test_a_worker_that_was_booting_when_its_supervisor_was_declared_gone_is_counted_with_the_new_id(engine: Engine):
    old, new = NewProcess(kind="supervisor"), NewProcess(kind="supervisor")
    booting, gone = (NewProcess(kind="worker", supervisor_id=old.id) for _ in range(2))
    for each in (old, gone, new, booting):
        fleet.register(engine, each)
    rescue(engine, old.id)
    rescue(engine, gone.id)
    with writing(engine) as connection:
        assert fleet.beat(connection, new.id, {booting.id: 1_000, gone.id: 1_000})
    assert (process(engine, booting.id).beats, process(engine, booting.id).supervisor_id) == (1, new.id)
    assert (process(engine, gone.id).beats, process(engine, gone.id).supervisor_id) == (0, old.id)


def test_a_process_that_was_declared_gone_hears_so_at_its_next_beat(engine: Engine):
    by = worker(engine)
    assert beat(engine, by.worker_id) is True
    draining(engine, by)
    assert beat(engine, by.worker_id) is True
    rescue(engine, by)
    assert beat(engine, by.worker_id) is False
    assert beat(engine, new_id()) is False


def test_what_workers_announce_is_kept_and_the_newest_counts(engine: Engine):
    old = Job("add", "default", 0, {"type": "object"}, "Adds.", "jobs.py:1", {}, "v1")
    new = Job(
        "add", "sums", 5, {"type": "object", "b": 1}, "Adds two.", "jobs.py:2", {"max_retries": 1}, "v2"
    )
    fleet.register(engine, NewProcess(kind="worker"), [old, Job("b", "default", 0, {}, "", "", {}, "")])
    fleet.register(engine, NewProcess(kind="worker"), [new])
    assert number_of(engine, jobs) == 2
    with reading(engine) as connection:
        kept = connection.execute(select(jobs).where(jobs.c.name == "add")).one()
    assert (kept.queue, kept.priority, kept.doc, kept.version) == ("sums", 5, "Adds two.", "v2")
    assert (from_json(kept.parameters), from_json(kept.options)) == (new.parameters, new.options)


def test_workers_that_announce_the_same_jobs_at_once_all_register(engine: Engine):
    known = [Job(f"job {n}", "default", 0, {}, "", "", {}, "") for n in range(20)]
    at_once(6, lambda n: fleet.register(engine, NewProcess(kind="worker"), known[n:] + known[:n]))
    assert (number_of(engine, jobs), number_of(engine, processes)) == (20, 6)


def test_a_claim_that_slipped_in_while_its_worker_was_declared_gone_is_found(postgresql_url: str):
    with opened(postgresql_url) as engine:
        by, run_id, now = worker(engine), dispatch(engine), [0.0]
        reaper = Reaper(None, limit=30, clock=lambda: now[0])
        with writing(engine) as connection:
            by.take(connection, [Wanted("default", 1)])
            assert rescue(engine, by) == []  # its claim is not committed yet
        with reading(engine) as connection:
            assert by.worker_id in orphaned(connection)
        assert reap(engine, reaper, CRASH_LIMIT) == []
        for now[0] in (9.0, 18.0, 27.0):
            assert reap(engine, reaper, CRASH_LIMIT) == []
        now[0] = 36.0
        assert [each.run_id for each in reap(engine, reaper, CRASH_LIMIT)] == [run_id]
