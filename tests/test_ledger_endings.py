"""Endings: written once, by whoever holds the run, together with all that follows from them."""

import pytest
from sqlalchemy import Engine

from ledger import clock
from ledger.claims import Claim
from ledger.endings_of import RunEnding, ending
from ledger.engine import reading, writing
from ledger.ids import new_id
from ledger.progress import Progress, report
from ledger.states import State
from ledger.tables import runs
from tests.ledger_steps import (
    HOUR,
    attempts,
    claim,
    claimed_ids,
    dispatch,
    failed,
    finish,
    forged,
    interrupted,
    migrated,  # noqa: F401
    new_run,
    number_of,
    outcomes,
    rescue,
    retried,
    row,
    running,
    state,
    succeeded,
    worker,
    written,
)


def test_a_success_keeps_its_result(engine: Engine):
    run = running(engine)
    assert finish(engine, succeeded(run, result='{"n":1}')) == [True]
    kept, [attempt] = row(engine, run.id), attempts(engine, run.id)
    assert (kept.state, kept.result, kept.error_type, kept.failures) == ("succeeded", '{"n":1}', None, 0)
    assert (attempt.outcome, attempt.finished_at) == ("succeeded", kept.finished_at)


def test_a_failure_keeps_its_error_and_the_attempt_its_traceback(engine: Engine):
    run = running(engine)
    assert finish(engine, failed(run, max_attempts=1)) == [True]
    kept, [attempt] = row(engine, run.id), attempts(engine, run.id)
    assert (kept.state, kept.error_type, kept.error) == ("failed", "ValueError", "no")
    assert (kept.failures, kept.max_attempts, kept.attempt) == (1, 1, 1)
    assert (attempt.outcome, attempt.error_type, attempt.traceback) == (
        "failed",
        "ValueError",
        "Traceback: no",
    )


def test_a_retry_waits_for_its_time_and_counts_the_failure(engine: Engine):
    run, later = running(engine), clock.now() + HOUR
    finish(engine, retried(run, retry_at=later, max_attempts=3))
    kept = row(engine, run.id)
    assert (kept.state, kept.due_at, kept.dispatch_at, kept.finished_at) == ("queued", later, later, None)
    assert (kept.attempt, kept.failures, kept.max_attempts, kept.error) == (1, 1, 3, "busy")
    assert attempts(engine, run.id)[0].retry_at == later
    assert claimed_ids(engine, worker(engine)) == []


def test_a_success_after_retries_has_no_error_left_but_its_attempts_do(engine: Engine):
    run = running(engine)
    finish(engine, retried(run, max_attempts=9))
    [second] = claim(engine, worker(engine))
    finish(engine, succeeded(second))
    kept = row(engine, run.id)
    assert (kept.error, kept.error_type, kept.failures, kept.attempt) == (None, None, 1, 2)
    assert (kept.max_attempts, outcomes(engine, run.id)) == (9, ["failed", "succeeded"])


def test_an_interrupted_attempt_uses_up_no_retry(engine: Engine):
    run = running(engine)
    finish(engine, interrupted(run))
    [second] = claim(engine, worker(engine))
    assert (second.attempt, second.failures, second.crashes) == (2, 0, 0)
    assert outcomes(engine, run.id) == ["interrupted", "running"]


@pytest.mark.parametrize("late", [succeeded, failed, retried, interrupted])
def test_an_ending_with_a_stale_token_changes_nothing_and_its_attempt_is_marked_late(engine: Engine, late):
    first = running(engine)
    rescue(engine, row(engine, first.id).worker_id)
    [second] = claim(engine, worker(engine))
    before = row(engine, first.id)
    assert finish(engine, late(first, **NEXT if late is succeeded else {})) == [False]
    assert row(engine, first.id) == before
    [lost, current] = attempts(engine, first.id)
    assert (lost.outcome, current.outcome, current.late_at) == ("lost", "running", None)
    assert lost.late_at is not None
    assert finish(engine, succeeded(second)) == [True]


NEXT = {"next_runs": [new_run(job="never")], "barrier": "group", "barrier_runs": [new_run(job="never")]}


def test_an_ending_of_a_run_that_was_never_claimed_or_never_was_changes_nothing(engine: Engine):
    waiting, unknown = forged(dispatch(engine)), forged(new_id())
    assert finish(engine, succeeded(waiting), failed(unknown)) == [False, False]
    assert state(engine, waiting.id) == "queued"


def test_good_and_late_endings_of_one_group_are_told_apart(engine: Engine):
    good, late, bad = running(engine), running(engine), running(engine)
    rescue(engine, row(engine, late.id).worker_id)
    assert finish(engine, failed(bad), succeeded(late), succeeded(good)) == [True, False, True]
    assert [state(engine, each.id) for each in (good, late, bad)] == ["succeeded", "queued", "failed"]


def test_of_two_endings_of_one_attempt_the_first_counts(engine: Engine):
    run, following = running(engine), new_run(job="next")
    group = [interrupted(run), succeeded(run, result="1", next_runs=[following])]
    assert finish(engine, *group) == [True, False]
    assert (state(engine, run.id), outcomes(engine, run.id)) == ("queued", ["interrupted"])
    assert number_of(engine, runs) == 1


def test_an_ending_that_is_written_again_is_known_and_not_late(engine: Engine):
    run = running(engine)
    same = succeeded(run, result="1", next_runs=[new_run(job="next")])
    assert finish(engine, same) == [True]
    assert finish(engine, same) == [True]  # the first answer was lost with the connection
    assert attempts(engine, run.id)[0].late_at is None
    assert number_of(engine, runs) == 2


def test_a_retry_that_is_written_again_is_known_while_the_next_attempt_runs(engine: Engine):
    run = running(engine)
    same = retried(run)
    finish(engine, same)
    [second] = claim(engine, worker(engine))
    assert finish(engine, same) == [True]
    assert (state(engine, run.id), row(engine, run.id).claim_token) == ("running", second.token)
    assert [each.late_at for each in attempts(engine, run.id)] == [None, None]


def test_what_follows_from_an_ending_is_queued_with_it(engine: Engine):
    run = running(engine)
    following = [new_run(job="next", caller_id=run.id), new_run(job="callback", caller_id=run.id)]
    finish(engine, succeeded(run, next_runs=following))
    assert [row(engine, each.id).job for each in following] == ["next", "callback"]
    assert {row(engine, each.id).caller_id for each in following} == {run.id}


def test_an_ending_whose_next_run_cannot_be_written_is_taken_back(engine: Engine):
    run, good = running(engine), new_run(job="next")
    with pytest.raises(Exception, match="(?i)null"):
        finish(engine, succeeded(run, next_runs=[good, new_run(job=None)]))
    assert (state(engine, run.id), outcomes(engine, run.id)) == ("running", ["running"])
    assert number_of(engine, runs) == 1
    assert finish(engine, failed(run)) == [True]


def test_the_newest_progress_of_each_run_is_kept(engine: Engine):
    one, other = running(engine), running(engine)
    with writing(engine) as connection:
        report(connection, [Progress(one, 1, 9, ""), Progress(other, 5, None, "b"), Progress(one, 2, 9, "a")])
    assert progress_of(engine, one) == (2, 9, "a")
    assert progress_of(engine, other) == (5, None, "b")


def test_progress_of_an_attempt_that_lost_its_run_is_dropped(engine: Engine):
    run = running(engine)
    finish(engine, succeeded(run))
    written(engine, report, Progress(run, 1, 2, "late"))
    assert progress_of(engine, run) == (None, None, None)


def progress_of(engine: Engine, run: Claim) -> tuple:
    kept = row(engine, run.id)
    return kept.progress_done, kept.progress_total, kept.progress_note


def test_whoever_waits_for_a_result_finds_it_by_run_and_by_message(engine: Engine):
    run = running(engine, message_id="message")
    finish(engine, succeeded(run, result="5"))
    with reading(engine) as connection:
        found = [ending(connection, each) for each in (run.id, "message", "unknown")]
    assert found == [RunEnding(State.SUCCEEDED, "5", None, None)] * 2 + [None]
