"""Bulk actions: every run of the list is acted on once, whoever dies in between, and what can be undone is."""

import pytest
from sqlalchemy import Engine, select, update

from ledger import actions, clock, failpoints, tags
from ledger.acting import Batch, act_on_next
from ledger.actions import Kind, NewAction
from ledger.engine import reading, writing
from ledger.errors import ActionNotFound, TooLateToUndo
from ledger.failpoints import StepReached
from ledger.ids import new_id
from ledger.notes import NewArtifact, add_artifacts
from ledger.queries.actions import action_page, frozen, serving_queue
from ledger.queries.marks import tags_of
from ledger.queries.wanted import Tab, Wanted
from ledger.tables import actions as actions_table
from ledger.tables import runs as runs_table
from tests.ledger_steps import (
    brought_to,
    dispatch,
    dispatch_many,
    migrated,  # noqa: F401
    row,
    running,
    state,
    worker,
)


def begun(engine: Engine, kind: Kind, ids: list[str], target: str = "", **more) -> str:
    new = NewAction(kind=kind, by="ana", ids=ids, said="these", queue="default", target=target, **more)
    actions.begin(engine, new)
    return new.id


def work_off(engine: Engine, action_id: str) -> list[Batch]:
    batches = []
    while (batch := act_on_next(engine, action_id)).notes:
        batches.append(batch)
    return batches


def done(engine: Engine, kind: Kind, ids: list[str], target: str = "") -> str:
    action_id = begun(engine, kind, ids, target)
    work_off(engine, action_id)
    return action_id


def undone(engine: Engine, action_id: str) -> str:
    actions.undo(engine, action_id, "bob", "that", "default")
    undo_id = action_page(engine, action_id).undone_id
    work_off(engine, undo_id)
    return undo_id


def outcomes(engine: Engine, action_id: str) -> dict[str, int]:
    return action_page(engine, action_id).progress.outcomes


def children(engine: Engine, run_id: str) -> list[str]:
    with reading(engine) as connection:
        return list(connection.scalars(select(runs_table.c.id).where(runs_table.c.parent_id == run_id)))


def test_an_action_sent_twice_is_one(engine: Engine):
    ids, action_id = dispatch_many(engine, 2), new_id()
    for _ in range(2):
        begun(engine, Kind.CANCEL, ids, id=action_id)
    with reading(engine) as connection:
        jobs = list(connection.scalars(select(runs_table.c.job).where(runs_table.c.job == actions.JOB)))
    assert len(jobs) == 1


def test_waiting_runs_are_canceled_running_ones_asked_and_ended_ones_left(engine: Engine):
    waiting, at_work, ended = dispatch(engine), running(engine).id, brought_to(engine, "succeeded").id
    action_id = done(engine, Kind.CANCEL, [waiting, at_work, ended, new_id()])
    assert (state(engine, waiting), row(engine, waiting).canceled_by) == ("canceled", "ana")
    assert row(engine, at_work).cancel_requested_at
    assert outcomes(engine, action_id) == {"done": 2, "refused": 2}
    assert {each.state for each in action_page(engine, action_id).found} == {"queued", "running", "succeeded", None}


def test_a_canceled_run_is_taken_back_by_running_it_again(engine: Engine):
    waiting, at_work = dispatch(engine, kwargs={"n": 1}), running(engine).id
    undo_id = undone(engine, done(engine, Kind.CANCEL, [waiting, at_work]))
    [again] = children(engine, waiting)
    assert (state(engine, again), row(engine, again).args) == ("queued", row(engine, waiting).args)
    assert children(engine, at_work) == [] and outcomes(engine, undo_id) == {"done": 1}


def test_ended_runs_are_run_again_once_and_that_is_taken_back(engine: Engine):
    failed, waiting = brought_to(engine, "failed").id, dispatch(engine)
    action_id = done(engine, Kind.RERUN, [failed, waiting])
    [again] = children(engine, failed)
    assert state(engine, again) == "queued" and children(engine, waiting) == []
    undone(engine, action_id)
    assert state(engine, again) == "canceled"


def test_moved_runs_go_back_to_the_queues_they_came_from(engine: Engine):
    ids = [dispatch(engine, queue="mail"), dispatch(engine, queue="reports"), brought_to(engine, "failed").id]
    action_id = done(engine, Kind.MOVE, ids, "slow")
    assert [row(engine, each).queue for each in ids] == ["slow", "slow", "default"]
    assert outcomes(engine, action_id) == {"done": 2, "refused": 1}
    undone(engine, action_id)
    assert [row(engine, each).queue for each in ids] == ["mail", "reports", "default"]


def test_an_undone_tag_stays_where_it_was_before(engine: Engine):
    had, new = brought_to(engine, "failed").id, dispatch(engine)
    tags.add(engine, had, "urgent", "bob")
    action_id = done(engine, Kind.TAG, [had, new], "urgent")
    assert outcomes(engine, action_id) == {"done": 1, "unchanged": 1}
    undone(engine, action_id)
    with reading(engine) as connection:
        assert tags_of(connection, [had, new]) == {had: ("urgent",)}


def test_discarded_runs_are_gone_with_their_files_and_their_line_stays(engine: Engine):
    ended, waiting = brought_to(engine, "succeeded"), dispatch(engine)
    artifact = NewArtifact(
        run_id=ended.id, attempt=1, name="a.txt", title="", media_type="text/plain", size=1, path="some/a.txt"
    )
    with writing(engine) as connection:
        add_artifacts(connection, [artifact])
    tags.add(engine, ended.id, "old", "bob")
    action_id = begun(engine, Kind.DISCARD, [ended.id, waiting])
    [batch] = work_off(engine, action_id)
    assert batch.paths == ["some/a.txt"] and outcomes(engine, action_id) == {"done": 1, "refused": 1}
    with reading(engine) as connection:
        assert connection.scalar(select(runs_table.c.id).where(runs_table.c.id == ended.id)) is None
    with pytest.raises(TooLateToUndo):
        actions.undo(engine, action_id, "bob", "that", "default")


@pytest.mark.parametrize("step", ["act.before_commit:raise:2", "act.after_commit:raise:2"])
def test_who_dies_in_the_middle_has_acted_on_no_run_twice(engine: Engine, step: str, monkeypatch):
    monkeypatch.setattr("ledger.acting.BATCH", 2)
    ids = [brought_to(engine, "failed").id for _ in range(5)]
    action_id = begun(engine, Kind.RERUN, ids)
    failpoints.arm(step)
    try:
        with pytest.raises(StepReached):
            work_off(engine, action_id)
    finally:
        failpoints.arm("")
    work_off(engine, action_id)
    assert [len(children(engine, each)) for each in ids] == [1] * 5
    assert outcomes(engine, action_id) == {"done": 5}


def test_what_an_action_has_not_come_to_is_left_alone_when_it_is_taken_back(engine: Engine, monkeypatch):
    monkeypatch.setattr("ledger.acting.BATCH", 1)
    first, second = sorted(dispatch_many(engine, 2))
    action_id = begun(engine, Kind.CANCEL, [first, second])
    act_on_next(engine, action_id)
    undone(engine, action_id)
    assert work_off(engine, action_id) == []
    assert state(engine, second) == "queued" and len(children(engine, first)) == 1


def test_it_can_be_undone_once_and_for_ten_minutes(engine: Engine):
    action_id = done(engine, Kind.MOVE, [dispatch(engine)], "slow")
    assert action_page(engine, action_id).may_be_undone
    first = undone(engine, action_id)
    assert actions.undo(engine, action_id, "bob", "that", "default") is None
    assert not action_page(engine, action_id).may_be_undone and not action_page(engine, first).may_be_undone
    with writing(engine) as connection:
        connection.execute(update(actions_table).values(at=clock.now() - actions.UNDO_TIME - 1))
    with pytest.raises(TooLateToUndo):
        actions.undo(engine, action_id, "bob", "that", "default")


def test_ids_are_frozen_at_the_click(engine: Engine):
    ids = sorted(dispatch_many(engine, 3), reverse=True)
    found = frozen(engine, Wanted(tab=Tab.WAITING), 2)
    assert (found.ids, found.more) == (ids[:2], True)
    later = dispatch(engine)
    done(engine, Kind.CANCEL, found.ids)
    assert [state(engine, each) for each in (*ids, later)] == ["canceled", "canceled", "queued", "queued"]


def test_it_waits_where_a_worker_takes_it(engine: Engine):
    assert serving_queue(engine) == "default"
    worker(engine, actions.JOB)
    assert serving_queue(engine) == "default"


def test_actions_are_forgotten_with_the_runs_of_their_time(engine: Engine):
    action_id = done(engine, Kind.CANCEL, [dispatch(engine)])
    with writing(engine) as connection:
        actions.prune(connection, clock.now() + 1)
    with pytest.raises(ActionNotFound):
        action_page(engine, action_id)
