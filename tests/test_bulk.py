"""``waybill.bulk`` in real workers: it is done whatever the fleet's own jobs are, and once per run."""

from ledger import actions
from ledger.actions import Kind, NewAction
from ledger.queries.actions import action_page, serving_queue
from tests.ledger_steps import brought_to
from tests.stack import Stack


def begun(stack: Stack, kind: Kind, ids: list[str]) -> NewAction:
    new = NewAction(kind=kind, by="ana", ids=ids, said="these", queue=serving_queue(stack.engine))
    actions.begin(stack.engine, new)
    return new


def test_a_worker_killed_in_the_middle_acts_on_each_run_once(embedded_stack: Stack):
    stack = embedded_stack
    ids = [brought_to(stack.engine, "failed").id for _ in range(12)]
    extra = [stack.dispatch("nobody", queue="elsewhere") for _ in range(200)]
    once = stack.processes.folder / "once"
    stack.workers(1, 2, "--queues", "side", WAYBILL_FAIL_AT=f"act.after_commit:kill:2:{once}")
    new = begun(stack, Kind.RERUN, ids + extra)
    assert new.queue == "side"
    stack.processes.wait_until(lambda: action_page(stack.engine, new.id).line.status == "succeeded", 40, "it is done")
    page = action_page(stack.engine, new.id)
    assert page.progress.outcomes == {"done": 12, "refused": 200} and page.line.crashes == 1
    assert stack.ask("SELECT count(*) FROM runs WHERE parent_id IS NOT NULL") == 12
    assert stack.ask("SELECT count(DISTINCT parent_id) FROM runs WHERE parent_id IS NOT NULL") == 12
    assert stack.ask("SELECT count(*) FROM jobs WHERE name = 'waybill.bulk'") == 0
