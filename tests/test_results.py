"""Results that the ledger cannot keep as they are: one rule for all, and no other run is the worse for them."""

import math

import pytest
from dramatiq.results import ResultFailure

from ledger import texts
from tests.jobs.results import RESULTS
from tests.stack import Stack

JOBS = "tests.jobs.results"
TIMEOUT = 20_000


@pytest.fixture
def result_stack(stack: Stack) -> Stack:
    stack.processes.environment["JOBS"] = JOBS
    return stack


def test_a_result_that_cannot_be_kept_does_not_undo_its_work(result_stack: Stack):
    stack = result_stack
    stack.workers(1, 8)
    with stack.sending(JOBS) as jobs:
        sent = {kind: jobs.give.send(kind) for kind in RESULTS}
        goods = [jobs.give.send("good") for _ in range(20)]
        stack.wait_for_all(timeout=60)
        results = {kind: message.get_result() for kind, message in sent.items()}
        assert {message.get_result() for message in goods} == {"good"}
    assert math.isnan(results["nan"]["loss"]) and results["nan"]["best"] == -math.inf
    assert (results["nul"], results["surrogate"], results["good"]) == ("a\x00b", "a\ud800b", "good")
    assert (results["cycle"], results["set"]) == ({"not JSON": "[[...]]"}, {"not JSON": "{1}"})
    assert results["unspeakable"] == {"not JSON": "Unspeakable, whose repr raised RuntimeError"}
    assert results["deep"] == {"not JSON": "list, whose repr raised RecursionError"}
    assert results["digits"] == {"not JSON": "int, whose repr raised ValueError"}
    assert results["large"] == {"too large": "50,000,002 bytes", "artifact": "whole-result.json"}
    (kept,) = stack.rows("SELECT * FROM artifacts")
    assert texts.from_json((stack.settings.artifacts / kept.path).read_text()) == RESULTS["large"]()


@pytest.mark.parametrize(("kind", "error_type"), [("set", "ResultNotJson"), ("large", "ResultTooLarge")])
def test_a_result_that_others_need_fails_its_run_with_a_sentence(embedded_stack: Stack, kind: str, error_type: str):
    stack = embedded_stack
    stack.processes.environment["JOBS"] = JOBS
    stack.workers(1, 2)
    with stack.sending(JOBS) as jobs:
        first, following = jobs.give.message(kind), jobs.take.message()
        (first | following).run()
        told = jobs.give_and_tell.send(kind)
        for message in (first, told):
            with pytest.raises(ResultFailure):
                message.get_result(block=True, timeout=TIMEOUT)
            run = stack.find(message)
            assert (run.state, run.attempt, run.error_type) == ("failed", 1, error_type)
    assert stack.ask("SELECT count(*) FROM runs WHERE job IN ('take', 'take_news')") == 0


