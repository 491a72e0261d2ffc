"""The judge: invariants I1 - I9 over a history. Pure, and ignorant of how the code keeps them.

Each check answers sentences about what is broken; none means that it holds.
"""

import json
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from tests.faults.history import GIVEN_UP, History

TERMINAL = {"succeeded", "failed", "canceled", "expired", "dead"}
NORMAL_WITHIN = 30.0
MORE_FILES = 25  # a process may hold so many more than before: ten of its pool, one that listens, one per visitor


@dataclass(frozen=True, slots=True)
class Violation:
    invariant: str
    sentence: str

    def __str__(self) -> str:
        return f"{self.invariant}: {self.sentence}"


def check(history: History) -> list[Violation]:
    return [Violation(name, sentence) for name, rule in RULES.items() for sentence in rule(history)]


def every_accepted_run_ended(history: History) -> Iterator[str]:
    states = {row.id: row.state for row in history.runs}
    for sent in history.sent:
        if sent.accepted and states.get(sent.run_id) not in TERMINAL:
            yield f"run {sent.run_id} ({sent.key}) was accepted and is {states.get(sent.run_id, 'not there')}"


def no_terminal_row_changed(history: History) -> Iterator[str]:
    rows = {row.id: row for row in history.runs}
    for run_id, seen in history.ended.items():
        row = rows.get(run_id)
        now = row and (row.id, row.state, row.attempt, row.finished_at, row.result, row.error_type, row.error)
        if now != seen:
            yield f"run {run_id} ended as {seen} and is now {now}"


def starts_are_recorded_and_limited(history: History) -> Iterator[str]:
    rows = {(row.run_id, row.number): row for row in history.attempts}
    outcomes = outcomes_by_run(history)
    jobs = {row.id: row.job for row in history.runs}
    for event in history.starts:
        if (event.run_id, event.attempt) not in rows or event.detail == "unrecorded":
            yield f"start {event.attempt} of run {event.run_id} was not recorded before it happened"
    for run_id, count in Counter(event.run_id for event in history.starts).items():
        interrupted = outcomes[run_id].count("interrupted")
        most = history.tries.get(jobs.get(run_id, ""), 1) + history.crash_limit + interrupted
        if count > most:
            yield f"run {run_id} started {count} times, {most} are the limit"


def one_result_by_the_last_attempt(history: History) -> Iterator[str]:
    words = {(event.run_id, event.attempt): event.detail for event in history.events if event.word == "end"}
    successes = Counter(row.run_id for row in history.attempts if row.outcome == "succeeded")
    for row in history.runs:
        if successes[row.id] > 1:
            yield f"run {row.id} succeeded {successes[row.id]} times"
        if row.state == "succeeded" and row.job in history.tries:
            wanted = words.get((row.id, row.attempt))
            if row.result != f'"{wanted}"':
                yield f"run {row.id} has the result {row.result}, its attempt {row.attempt} made {wanted}"


def one_tick_one_run(history: History) -> Iterator[str]:
    made = Counter((row.schedule_id, row.tick_at) for row in history.runs if row.tick_at is not None)
    for schedule in history.schedules:
        ticks = sorted((row for row in history.ticks if row.schedule_id == schedule.id), key=lambda row: row.tick_at)
        yield from _gaps(schedule, ticks)
        for tick in ticks:
            wanted = int(tick.outcome in ("fired", "late"))
            if made.pop((schedule.id, tick.tick_at), 0) != wanted:
                yield f"the {tick.outcome} tick {tick.tick_at} of {schedule.name} has not {wanted} run"
        yield from _against_policy(schedule, ticks)
    yield from (f"a run of {at} has no tick, or several runs have it ({count})" for at, count in made.items())


def _gaps(schedule: Any, ticks: list[Any]) -> Iterator[str]:
    step = int(schedule.rule) * 1_000_000
    for one, two in pairwise(ticks):
        if two.tick_at - one.tick_at != step and "earlier ticks" not in (two.reason or ""):
            yield f"{schedule.name} has no record of ticks between {one.tick_at} and {two.tick_at}"
    for tick in ticks:
        if (tick.tick_at - schedule.anchor_at) % step:
            yield f"{schedule.name} has a tick at {tick.tick_at}, which is none of its times"


def _against_policy(schedule: Any, ticks: list[Any]) -> Iterator[str]:
    """What one firing noticed together, judged by the words of the policy alone."""
    together: dict[int, list[Any]] = defaultdict(list)
    for tick in ticks:
        together[tick.recorded_at].append(tick)
    for recorded_at, noticed in together.items():
        newest = noticed[-1]
        for tick in noticed:
            punctual = tick is newest and recorded_at - tick.tick_at <= 5_000_000
            runs = punctual or schedule.catchup == "all" or (schedule.catchup == "latest" and tick is newest)
            wanted = ("fired" if punctual else "late") if runs else "missed"
            if tick.outcome != wanted and not (tick.outcome == "skipped" and schedule.overlap == "skip"):
                yield f"tick {tick.tick_at} of {schedule.name} ({schedule.catchup}) is {tick.outcome}, not {wanted}"


def nothing_is_left_over(history: History) -> Iterator[str]:
    alive = {row.id for row in history.processes if row.state in ("alive", "draining")}
    for row in history.runs:
        if row.state == "running" and row.worker_id not in alive:
            yield f"run {row.id} is running, but its worker is not alive"
    for row in history.attempts:
        if row.outcome == "running" and row.worker_id not in alive:
            yield f"attempt {row.number} of run {row.run_id} is open, but its worker is not alive"
    if history.messages_left:
        yield f"{history.messages_left} messages were left in RabbitMQ"
    for name, (before, after) in history.files.items():
        if after > before + MORE_FILES:
            yield f"{name} had {before} files open before and {after} after"


def latency_is_normal_again(history: History) -> Iterator[str]:
    if history.heal_seconds is not None and history.heal_seconds > NORMAL_WITHIN:
        yield f"latency was not normal within {NORMAL_WITHIN:g} s"


def what_was_not_accepted_is_absent_or_ends(history: History) -> Iterator[str]:
    by_key = Counter(key_of(row) for row in history.runs)
    accepted = {sent.run_id for sent in history.sent if sent.accepted}
    for sent in history.sent:
        if by_key[sent.key] > 1:
            yield f"the form {sent.key} was sent once and made {by_key[sent.key]} runs"
    for row in history.runs:
        if row.id not in accepted and row.state not in TERMINAL:
            yield f"run {row.id} ({key_of(row)}) was accepted by nobody and is {row.state}"


def one_attempt_starts_once_unless_it_crashed(history: History) -> Iterator[str]:
    outcomes = outcomes_by_run(history)
    single = {row.id for row in history.runs if history.tries.get(row.job) == 1}
    for run_id, count in Counter(event.run_id for event in history.starts).items():
        excused = sum(outcome in GIVEN_UP for outcome in outcomes[run_id])
        if run_id in single and count > 1 + excused:
            yield f"run {run_id} has one attempt and started {count} times: {outcomes[run_id]}"
    for (run_id, attempt), count in Counter((event.run_id, event.attempt) for event in history.starts).items():
        if count > 1:
            yield f"attempt {attempt} of run {run_id} started {count} times"


def key_of(row: Any) -> str:
    """The client's name for the run, as it stands in its arguments."""
    return json.loads(row.args)["kwargs"].get("key", row.id)


def outcomes_by_run(history: History) -> dict[str, list[str]]:
    found: dict[str, list[str]] = defaultdict(list)
    for row in history.attempts:
        found[row.run_id].append(row.outcome)
    return found


def lost(history: History) -> int:
    return len(list(every_accepted_run_ended(history)))


def doubled(history: History) -> int:
    """Starts that nothing excuses."""
    twice = list(one_attempt_starts_once_unless_it_crashed(history))
    return len(twice) + len(list(starts_are_recorded_and_limited(history)))


RULES: dict[str, Callable[[History], Iterator[str]]] = {
    "I1": every_accepted_run_ended,
    "I2": no_terminal_row_changed,
    "I3": starts_are_recorded_and_limited,
    "I4": one_result_by_the_last_attempt,
    "I5": one_tick_one_run,
    "I6": nothing_is_left_over,
    "I7": latency_is_normal_again,
    "I8": what_was_not_accepted_is_absent_or_ends,
    "I9": one_attempt_starts_once_unless_it_crashed,
}
