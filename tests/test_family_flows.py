"""A group and a pipeline whose members fail with real workers, and go on when the failed part is run again."""

import dramatiq

from ledger import runs
from ledger.engine import reading
from ledger.queries.family import family_of
from ledger.queries.reruns import failed_part
from tests.stack import Stack

CALLED = "SELECT count(*) FROM runs WHERE job = 'collect' AND result = '111'"


def test_groups_complete_and_pipelines_go_on_when_their_failed_part_is_run_again(stack: Stack):
    stack.workers()
    with stack.sending() as jobs:
        member = group_with_a_failing_member(jobs)
        pipe = jobs.add.message(1, 2) | jobs.unready.message() | jobs.collect.message(10)
        pipe.run()
        failed = [stack.wait_for_state(find(stack, each).id, "failed") for each in (member, pipe.messages[1])]
        assert [run.error for run in failed] == ["not ready"] * 2
        assert len({run.fingerprint for run in failed}) == 1
        assert stack.ask("SELECT place FROM failures") == "jobs/stock.py, in unready"
        assert stack.ask("SELECT count(*) FROM runs WHERE job = 'collect'") == 0
        stack.witness.with_name(stack.witness.name + ".ready").touch()
        for run in failed:
            assert run_failed_part_again(stack, run.id) == 1
        assert pipe.get_result(block=True, timeout=20_000) == 13
        stack.processes.wait_until(lambda: stack.ask(CALLED) == 1, 20, "the group's callback ran once")
        assert tally(stack, failed[0].id).is_complete
        assert stack.ask("SELECT count(*) FROM rejected") == 0


def test_members_of_a_group_without_callbacks_know_each_other(embedded_stack: Stack):
    with embedded_stack.sending() as jobs:
        pipe = jobs.add.message(1) | jobs.add.message(2)
        dramatiq.group([jobs.add.message(3), pipe]).run()
        alone = find(embedded_stack, jobs.add.send(4))
        first = find(embedded_stack, pipe.messages[0])
    with reading(embedded_stack.engine) as connection:
        root = family_of(connection, first.id).root
        assert family_of(connection, alone.id) is None
    assert (root.kind, root.tally.number, [node.kind for node in root.children]) == ("group", 2, ["run", "pipeline"])


def group_with_a_failing_member(jobs):
    members = [jobs.add.message(1), jobs.unready.message(5), jobs.add.message(2)]
    group = dramatiq.group(members)
    group.add_completion_callback(jobs.collect.message(100, 11))
    group.run()
    return members[1]


def find(stack: Stack, message):
    here = "SELECT count(*) FROM runs WHERE message_id = :id"
    stack.processes.wait_until(lambda: stack.ask(here, id=message.message_id), 20, "the run is there")
    return stack.find(message)


def run_failed_part_again(stack: Stack, run_id: str) -> int:
    with reading(stack.engine) as connection:
        wanted = family_of(connection, run_id).failed
    new = failed_part(stack.engine, run_id, list(wanted), "ana", None)
    for each in runs.dispatch_many(stack.engine, new):
        stack.broker.publisher.hint(each, "unready", "default")
    return len(new)


def tally(stack: Stack, run_id: str):
    with reading(stack.engine) as connection:
        return family_of(connection, run_id).root.tally
