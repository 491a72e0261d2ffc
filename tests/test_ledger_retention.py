"""Forgetting: finished runs go after their time, a batch a turn, with all that belonged to them."""

from sqlalchemy import Engine, insert, select, update

from ledger import clock, fleet, notes, retention
from ledger.engine import reading, writing
from ledger.ids import new_id
from ledger.notes import LogLine, NewArtifact
from ledger.retention import BATCH, DAY
from ledger.tables import artifacts, attempts, logs, processes, rejected, runs, tally_marks
from tests.ledger_steps import (
    brought_to,
    migrated,  # noqa: F401
    number_of,
    rescue,
    running,
    state,
    worker,
    written,
)


def pruned(engine: Engine, days: int = 30, keep: int = 0) -> list[str]:
    """The paths that one turn answers, when all that ended is counted."""
    with writing(engine) as connection:
        connection.execute(update(tally_marks).values(counted_to=clock.now()))
    with reading(engine) as connection:
        ids = retention.expired(connection, days) or retention.surplus(connection, keep)
    with writing(engine) as connection:
        retention.forget_rest(connection, days)
    return retention.forget(engine, ids)


def finished(engine: Engine, number: int, days_ago: float, job: str = "add") -> None:
    """So many runs that were canceled so long ago."""
    at = clock.now() - int(days_ago * DAY)
    row = {"job": job, "queue": "default", "args": "{}", "state": "canceled", "origin": "form"}
    times = dict.fromkeys(["created_at", "due_at", "dispatch_at", "finished_at"], at)
    with writing(engine) as connection:
        connection.execute(insert(runs), [{"id": new_id()} | row | times for _ in range(number)])


def with_everything(engine: Engine, path: str) -> str:
    run = running(engine)
    artifact = NewArtifact(
        run_id=run.id, attempt=1, name="a.png", title="", media_type="image/png", size=1, path=path
    )
    written(engine, notes.add_artifacts, artifact)
    written(engine, notes.add_logs, LogLine(run.id, 1, "INFO", "job", "hello"))
    return run.id


def test_a_turn_forgets_a_batch_and_the_next_turn_the_rest(engine: Engine):
    finished(engine, BATCH + 1, days_ago=31)
    finished(engine, 2, days_ago=29)
    left = []
    for _ in range(3):
        pruned(engine)
        left.append(number_of(engine, runs))
    assert left == [3, 2, 2]


def test_a_run_takes_its_attempts_logs_and_artifacts_along_and_names_the_files(engine: Engine):
    old, kept = with_everything(engine, "old/a.png"), with_everything(engine, "kept/a.png")
    # a finished run can be made no older, so it ends here as an old one did
    with writing(engine) as connection:
        ended = {"state": "succeeded", "claim_token": None, "finished_at": clock.now() - 31 * DAY}
        connection.execute(update(runs).where(runs.c.id == old).values(**ended))
    assert pruned(engine) == ["old/a.png"]
    assert [number_of(engine, each) for each in (runs, attempts, logs, artifacts)] == [1, 1, 1, 1]
    assert state(engine, kept) == "running"


def test_runs_that_are_not_finished_stay_however_old(engine: Engine):
    for each in ("queued", "running"):
        run_id = brought_to(engine, each).id
        with writing(engine) as connection:
            connection.execute(update(runs).where(runs.c.id == run_id).values(created_at=0, due_at=0))
    assert pruned(engine, days=1) == []
    assert number_of(engine, runs) == 2


def test_rejected_messages_and_ended_processes_are_forgotten_and_others_stay(engine: Engine):
    notes.reject(engine, "default", "no message", b"?")
    notes.reject(engine, "default", "no message", b"??")
    ended, _alive = worker(engine), worker(engine)
    rescue(engine, ended)
    with writing(engine) as connection:
        long_ago = clock.now() - 31 * DAY
        connection.execute(update(rejected).where(rejected.c.size == 1).values(received_at=long_ago))
        connection.execute(
            update(processes).where(processes.c.id == ended.worker_id).values(ended_at=long_ago)
        )
    pruned(engine)
    assert [number_of(engine, each) for each in (rejected, processes)] == [1, 1]


def test_an_empty_ledger_has_nothing_to_forget(engine: Engine):
    assert pruned(engine) == []


def test_of_each_job_so_many_finished_runs_are_kept_the_newest(engine: Engine):
    finished(engine, 5, days_ago=2)
    finished(engine, 2, days_ago=1, job="rare")
    waiting = brought_to(engine, "queued").id
    with reading(engine) as connection:
        ids = list(connection.scalars(select(runs.c.id).where(runs.c.job == "add").order_by(runs.c.id)))
    pruned(engine, keep=3)
    with reading(engine) as connection:
        left = set(connection.scalars(select(runs.c.id).where(runs.c.job == "add")))
    assert left == {*ids[2:], waiting}
    assert number_of(engine, runs) == 6


def test_a_job_says_itself_how_many_runs_are_kept(engine: Engine):
    job = fleet.Job("rare", "default", 0, {}, "", "", {"keep": 1}, "")
    fleet.register(engine, fleet.NewProcess(kind="worker"), [job])
    finished(engine, 3, days_ago=1, job="rare")
    finished(engine, 3, days_ago=1)
    pruned(engine)
    assert number_of(engine, runs) == 4


def test_log_lines_go_in_parts_before_their_run(engine: Engine, monkeypatch):
    monkeypatch.setattr(retention, "LINES", 2)
    run = brought_to(engine, "succeeded")
    for _ in range(5):
        written(engine, notes.add_logs, LogLine(run.id, 1, "INFO", "job", "hello"))
    retention.forget(engine, [run.id])
    assert [number_of(engine, each) for each in (logs, runs)] == [0, 0]


def test_a_run_that_is_not_finished_is_not_forgotten_by_its_id(engine: Engine):
    run = brought_to(engine, "running")
    retention.forget(engine, [run.id])
    assert number_of(engine, runs) == 1
