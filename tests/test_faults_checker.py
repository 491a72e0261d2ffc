"""The judge of the fault suite is judged: it passes a sound history and finds each thing that may be wrong."""

from dataclasses import replace
from types import SimpleNamespace as Row

import pytest

from tests.faults import checker
from tests.faults.client import Sent
from tests.faults.history import History
from tests.faults.witness import Event

SECOND = 1_000_000


def run(run_id: str = "r1", **changes) -> Row:
    fields = {
        "id": run_id, "job": "mark", "state": "succeeded", "attempt": 1, "finished_at": 9, "result": '"word"',
        "error_type": None, "error": None, "worker_id": "w1", "schedule_id": None, "tick_at": None,
        "args": f'{{"args":[],"kwargs":{{"key":"{run_id}"}}}}',
    }  # fmt: skip
    return Row(**fields | changes)


def attempt(run_id: str = "r1", number: int = 1, outcome: str = "succeeded", worker_id: str = "w1") -> Row:
    return Row(run_id=run_id, number=number, outcome=outcome, worker_id=worker_id)


def event(word: str, run_id: str = "r1", number: int = 1, detail: str = "recorded") -> Event:
    return Event(word, run_id, run_id, number, 100, 5, detail)


def sent(run_id: str = "r1", status: int | None = 303, accepted: bool = True) -> Sent:
    return Sent(run_id, "mark", status, run_id if accepted else None, 1, 0.01)


def schedule(**changes) -> Row:
    fields = {"id": "s1", "name": "often", "rule": "1", "anchor_at": 0, "catchup": "all", "overlap": "allow"}
    return Row(**fields | changes)


def tick(second: int, outcome: str = "fired", recorded: float | None = None, reason: str | None = None) -> Row:
    at = int((second if recorded is None else recorded) * SECOND)
    return Row(schedule_id="s1", tick_at=second * SECOND, outcome=outcome, recorded_at=at, reason=reason)


def ticked(second: int, run_id: str) -> Row:
    return run(run_id, schedule_id="s1", tick_at=second * SECOND)


def sound() -> History:
    """Two runs: one went well, one was lost in a crash and started again."""
    return History(
        runs=[run(), run("r2", attempt=2)],
        attempts=[attempt(), attempt("r2", 1, "lost", "w0"), attempt("r2", 2)],
        processes=[Row(id="w0", state="gone"), Row(id="w1", state="alive")],
        events=[
            event("start"), event("end", detail="word"), event("start", "r2"), event("start", "r2", 2),
            event("end", "r2", 2, "word"),
        ],
        sent=[sent(), sent("r2"), sent("never", None, accepted=False)],
        ended={"r1": ("r1", "succeeded", 1, 9, '"word"', None, None)},
        files={"process 7": (20, 25)},
        heal_seconds=2.0,
    )  # fmt: skip


def sound_ticks() -> History:
    history = sound()
    history.schedules = [schedule()]
    history.ticks = [tick(1), tick(2), tick(3, "late", 11), tick(4, "late", 11)]
    made = [ticked(second, f"t{second}") for second in (1, 2, 3, 4)]
    history.runs += made
    for row in made:
        history.attempts.append(attempt(row.id))
        history.events += [event("start", row.id), event("end", row.id, detail="word")]
    return history


def broken(history: History) -> set[str]:
    return {violation.invariant for violation in checker.check(history)}


@pytest.mark.parametrize("history", [sound(), sound_ticks(), History()])
def test_a_sound_history_passes(history: History):
    assert checker.check(history) == []


def test_a_run_that_is_not_there_is_lost():
    history = sound()
    history.runs = history.runs[1:]
    assert "I1" in broken(history)
    assert checker.lost(history) == 1


def test_a_run_that_never_ends_is_lost():
    history = sound()
    history.runs[0] = run(state="queued", result=None)
    assert "I1" in broken(history)
    assert checker.lost(history) == 1


@pytest.mark.parametrize("change", [{"state": "failed"}, {"result": '"other"'}, {"finished_at": 10}, {"attempt": 2}])
def test_a_terminal_row_that_changed_is_found(change: dict):
    history = sound()
    history.runs[0] = run(**change)
    assert "I2" in broken(history)


def test_a_terminal_row_that_vanished_is_found():
    history = sound()
    history.sent, history.runs = history.sent[1:], history.runs[1:]
    assert "I2" in broken(history)


def test_a_start_without_an_attempt_is_found():
    history = sound()
    history.attempts = history.attempts[1:]
    assert "I3" in broken(history)


def test_a_start_before_its_record_is_found():
    history = sound()
    history.events[0] = event("start", detail="unrecorded")
    assert "I3" in broken(history)


def test_more_starts_than_the_limit_are_found():
    history = sound()
    numbers = range(2, 7)
    history.attempts += [attempt("r1", number, "lost") for number in numbers]
    history.events += [event("start", "r1", number) for number in numbers]
    assert "I3" in broken(history)


def test_a_doubled_start_is_found():
    history = sound()
    history.events.append(event("start"))
    assert broken(history) == {"I9"}
    assert checker.doubled(history) == 1 + 1  # too many for the run, and twice for the attempt


def test_a_second_start_without_a_crash_is_found():
    history = sound()
    history.attempts[1] = attempt("r2", 1, "failed", "w0")
    assert "I9" in broken(history)


def test_a_late_result_that_won_is_found():
    history = sound()
    history.runs[1] = run("r2", attempt=2, result='"of the first attempt"')
    assert "I4" in broken(history)


def test_two_accepted_results_are_found():
    history = sound()
    history.attempts[1] = attempt("r2", 1, "succeeded", "w0")
    assert "I4" in broken(history)


@pytest.mark.parametrize(
    "change",
    [
        {"ticks": [tick(1), tick(2), tick(4, "late", 11)]},  # one has no record
        {"ticks": [tick(1), tick(2), tick(3, "missed", 11), tick(4, "late", 11)]},  # not by its policy
        {"ticks": [tick(1, "late"), tick(2), tick(3, "late", 11), tick(4, "late", 11)]},  # it was punctual
        {"schedules": [schedule(catchup="latest")]},
        {"schedules": [schedule(catchup="none")]},
        {"schedules": [schedule(rule="2")]},
    ],
)
def test_ticks_that_do_not_follow_the_policy_are_found(change: dict):
    assert "I5" in broken(replace(sound_ticks(), **change))


def test_a_tick_with_two_runs_is_found():
    history = sound_ticks()
    history.runs.append(ticked(1, "t1b"))
    history.attempts.append(attempt("t1b"))
    history.events += [event("start", "t1b"), event("end", "t1b", detail="word")]
    assert broken(history) == {"I5"}


def test_a_tick_without_its_run_is_found():
    history = sound_ticks()
    history.runs = [row for row in history.runs if row.id != "t2"]
    assert "I5" in broken(history)


@pytest.mark.parametrize(
    "change",
    [
        {"attempts": [attempt(outcome="running", worker_id="w0"), *sound().attempts[1:]]},
        {"messages_left": 3},
        {"files": {"process 7": (20, 90)}},
    ],
)
def test_what_is_left_over_is_found(change: dict):
    assert "I6" in broken(replace(sound(), **change))


def test_a_running_run_of_a_dead_worker_is_found():
    history = sound()
    history.runs[0] = run(state="running", worker_id="w0")
    assert {"I1", "I6"} <= broken(history)


@pytest.mark.parametrize("seconds", [30.1, float("inf")])
def test_latency_that_does_not_come_back_is_found(seconds: float):
    assert broken(replace(sound(), heal_seconds=seconds)) == {"I7"}


def test_one_form_with_two_runs_is_found():
    history = sound()
    history.runs.append(run("r3", args=history.runs[0].args))
    history.attempts.append(attempt("r3"))
    history.events += [event("start", "r3"), event("end", "r3", detail="word")]
    assert broken(history) == {"I8"}


def test_a_run_that_nobody_was_told_of_must_end_too():
    history = sound()
    history.runs.append(run("never", state="queued", result=None))
    assert broken(history) == {"I8"}
