"""Places in pipelines and groups, the tree of what belongs together, and running its failed part again."""

from typing import Any

import pytest
from sqlalchemy import Engine, select

from ledger import barriers, members, runs, texts
from ledger.claims import Claim
from ledger.engine import reading, writing
from ledger.finishing import Ending
from ledger.queries import tree
from ledger.queries.family import family_of
from ledger.queries.reruns import failed_part, repeat_of
from ledger.queries.tree import Family, Kind, Node
from ledger.runs import NewRun
from ledger.tables import members as members_table
from ledger.tables import runs as runs_table
from tests.ledger_steps import (
    HOUR,
    QUEUE,
    claim,
    failed,
    finish,
    migrated,  # noqa: F401
    new_run,
    running,
    statements,
    succeeded,
    worker,
)

GROUP = "group"
CALLBACK = {"actor_name": "collect", "message_id": "callback", "options": {}}


def of_group(name: str, **more: Any) -> dict[str, Any]:
    """The fields of a run that is a member of the group."""
    options = {"group_completion_uuid": GROUP, "group_completion_callbacks": [CALLBACK]} | more
    return {"message_id": name, "options": members.stamped(options, name)}


def of_pipeline(name: str, *following: str) -> dict[str, Any]:
    """The fields of a first step."""
    target: dict[str, Any] | None = None
    for job in reversed(following):
        options = {"pipe_target": target} if target else {}
        target = {"actor_name": job, "message_id": f"{name}-{job}", "options": options}
    return {"message_id": name, "options": members.stamped({"pipe_target": target}, name)}


def group(engine: Engine, parties: int) -> None:
    with writing(engine) as connection:
        barriers.create(connection, GROUP, parties, HOUR)


def done(claimed: Claim) -> Ending:
    """As a worker ends a member: counted by its place, and followed by the group's callback or the next step."""
    options = texts.from_json(claimed.options)
    return succeeded(
        claimed, barrier=options.get("group_completion_uuid"), barrier_slot=options.get(members.SLOT),
        barrier_runs=[new_run(job="collect", message_id="callback", caller_id=claimed.id)],
        next_runs=list(next_step(claimed, options)),
    )  # fmt: skip


def next_step(claimed: Claim, options: dict[str, Any]):
    if target := options.get("pipe_target"):
        stamped = target["options"] | members.following(options)
        yield new_run(job=target["actor_name"], message_id=target["message_id"], options=stamped, caller_id=claimed.id)


def family(engine: Engine, run_id: str) -> Family | None:
    with reading(engine) as connection:
        return family_of(connection, run_id)


def drawn(node: Node) -> str:
    """``group(run:succeeded planned)``: the tree on one line."""
    inner = " ".join(drawn(child) for child in (*node.children, *node.then))
    name = f"{node.job}:{node.status}" if node.kind == Kind.RUN else node.job or node.kind
    return f"{name}({inner})" if inner else name


def again(engine: Engine, run_id: str, among: list[str] | None = None) -> list[NewRun]:
    new = failed_part(engine, run_id, among or list(family(engine, run_id).failed), "ana", "key")
    runs.dispatch_many(engine, new)
    return new


def callbacks(engine: Engine) -> int:
    with reading(engine) as connection:
        return len(connection.execute(select(runs_table.c.id).where(runs_table.c.job == "collect")).fetchall())


def all_of(engine: Engine) -> list[Claim]:
    return claim(engine, worker(engine, "add", "unready", "collect"), most=20)


def test_a_plain_run_takes_no_place_and_costs_no_statement(engine: Engine):
    with statements(engine) as sent:
        run_id = runs.dispatch(engine, new_run(options={"max_retries": 3}))
    assert not any("members" in statement for statement, _ in sent)
    assert family(engine, run_id) is None


def test_a_member_counts_once_however_often_it_is_run_again(engine: Engine):
    group(engine, 2)
    lost, kept = running(engine, **of_group("a")), running(engine, **of_group("b"))
    finish(engine, failed(lost), failed(kept))
    twice = [repeat_of(engine, lost.id, "ana", key) for key in ("one", "two")]
    runs.dispatch_many(engine, twice)
    finish(engine, *[done(each) for each in all_of(engine)])
    assert callbacks(engine) == 0
    again(engine, kept.id)
    finish(engine, *[done(each) for each in all_of(engine)])
    assert callbacks(engine) == 1


def test_a_group_says_what_it_waits_for_and_completes_when_the_failed_part_was_run_again(engine: Engine):
    group(engine, 3)
    good, bad, waits = (running(engine, **of_group(name)) for name in "abc")
    finish(engine, done(good), failed(bad))
    root = family(engine, good.id).root
    assert drawn(root) == "group(add:succeeded add:failed add:running collect)"
    assert (root.tally.number, root.tally.done, root.tally.failed, root.tally.at_work) == (3, 1, 1, 1)
    finish(engine, done(waits))
    assert family(engine, waits.id).failed == (bad.id,)
    [new] = again(engine, good.id)
    assert new.parent_id == bad.id
    finish(engine, *[done(each) for each in all_of(engine)])
    root = family(engine, new.id).root
    assert root.tally.is_complete and family(engine, new.id).failed == ()
    assert drawn(root) == "group(add:succeeded add:succeeded add:succeeded collect:queued)"


def test_the_failed_part_is_run_again_once(engine: Engine):
    group(engine, 1)
    bad = running(engine, **of_group("a"))
    finish(engine, failed(bad))
    assert len(again(engine, bad.id, [bad.id])) == 1
    assert again(engine, bad.id, [bad.id]) == []


def test_steps_that_do_not_exist_yet_are_planned(engine: Engine):
    first = running(engine, **of_pipeline("p", "unready", "collect"))
    assert drawn(family(engine, first.id).root) == "pipeline(add:running unready collect)"


def test_a_pipeline_goes_on_from_the_step_that_is_run_again(engine: Engine):
    finish(engine, done(running(engine, **of_pipeline("p", "unready", "collect"))))
    [second] = all_of(engine)
    finish(engine, failed(second))
    assert drawn(family(engine, second.id).root) == "pipeline(add:succeeded unready:failed collect)"
    [new] = again(engine, second.id)
    finish(engine, *[done(each) for each in all_of(engine)])
    assert drawn(family(engine, new.id).root) == "pipeline(add:succeeded unready:succeeded collect:queued)"


def test_a_pipeline_in_a_group_counts_with_its_last_step(engine: Engine):
    group(engine, 1)
    last = {"group_completion_uuid": GROUP, "group_completion_callbacks": [CALLBACK]}
    options = {"pipe_target": {"actor_name": "unready", "message_id": "last", "options": last}}
    first = running(engine, message_id="p", options=members.stamped(options, "p"))
    finish(engine, done(first))
    assert drawn(family(engine, first.id).root) == "group(pipeline(add:succeeded unready:queued) collect)"
    finish(engine, *[done(each) for each in all_of(engine)])
    assert callbacks(engine) == 1
    with reading(engine) as connection:
        places = connection.execute(select(members_table.c.slot, members_table.c.step, members_table.c.group_id))
        assert sorted(tuple(place) for place in places) == [("p", 1, GROUP), ("p", 2, GROUP)]


def test_what_was_sent_stands_below_its_sender_and_repetitions_in_one_place(engine: Engine):
    sender = running(engine)
    child = running(engine, caller_id=sender.id)
    finish(engine, failed(child), succeeded(sender))
    new = runs.dispatch(engine, repeat_of(engine, child.id, "ana", None))
    for run_id in (sender.id, child.id, new):
        assert drawn(family(engine, run_id).root) == "add:succeeded(add:queued)"
    assert family(engine, new).root.children[0].tries == 2


def test_a_sender_that_failed_is_left_to_a_person(engine: Engine):
    sender = running(engine)
    child = running(engine, caller_id=sender.id)
    finish(engine, failed(child), failed(sender))
    assert family(engine, sender.id).failed == (child.id,)


def test_repeating_what_succeeded_takes_no_place(engine: Engine):
    group(engine, 2)
    member = running(engine, **of_group("a"))
    finish(engine, done(member))
    assert repeat_of(engine, member.id, "ana", None).options == {}


def test_a_large_tree_is_bounded_and_shows_what_failed(engine: Engine, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(tree, "MOST_SHOWN", 4)
    group(engine, 10)
    claims = [running(engine, **of_group(name)) for name in "abcdefgh"]
    finish(engine, *[done(each) for each in claims[:6]], failed(claims[6]))
    root = family(engine, claims[5].id).root
    assert [node.run_id for node in root.children] == [claims[place].id for place in (0, 5, 6, 7)]
    assert (root.more, root.tally.number, root.tally.done) == (6, 10, 6)


def test_a_family_of_many_generations_ends_somewhere(engine: Engine):
    run_id = runs.dispatch(engine, new_run())
    first = run_id
    for _ in range(30):
        run_id = runs.dispatch(engine, NewRun(job="add", queue=QUEUE, origin="code", caller_id=run_id))
    assert family(engine, first).is_cut
    assert family(engine, run_id).root.kind == Kind.RUN
