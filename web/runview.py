"""The page of one run: what the ledger says, put into the shapes that the templates show."""

from dataclasses import dataclass
from typing import Any

from flask import url_for

from ledger import clock
from ledger.queries.arguments import plainly
from ledger.queries.failures import pattern_of
from ledger.queries.leavings import Artifact
from ledger.queries.lines import RunLine
from ledger.queries.run import Attempt, Relative, Relatives, RunPage
from ledger.queries.status import AT_WORK, WAITING, Status
from web import arguments, tracebacks
from web.numbers import count
from web.results import Result, result_of
from web.timeline import Timeline, timeline
from web.tracebacks import Block, Place
from web.words import ORIGIN

#: A run in progress is another page every so often, even if nothing was reported: its bar grows.
STEP = 2 * clock.SECOND


@dataclass(frozen=True, slots=True)
class AttemptRow:
    words: str
    outcome: str
    worker: str
    started_at: int
    took: int | None
    is_late: bool


@dataclass(frozen=True, slots=True)
class Relation:
    """Runs that belong to this one in one way; ``more`` says how many are not listed."""

    word: str
    runs: tuple[Relative, ...]
    more: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunView:
    """``state_template`` is what differs by state; ``arguments`` is None when they are too long to be taken
    apart; ``left`` is a guess in microseconds."""

    run: RunPage
    state_template: str
    started_by: str
    due_at: int | None
    arguments: tuple[tuple[str, Any], ...] | None
    attempts: tuple[AttemptRow, ...]
    timeline: Timeline
    left: int | None
    blocks: tuple[Block, ...]
    place: Place | None
    other_tracebacks: tuple[int, ...]
    last_worker: str
    result: Result | None
    pictures: tuple[Artifact, ...]
    files: tuple[Artifact, ...]
    relations: tuple[Relation, ...]
    can_cancel: bool
    can_run_again: bool
    same_url: str
    edit_url: str


def page_of(run: RunPage) -> RunView:
    line, now = run.line, clock.now() // STEP * STEP
    text = run.traceback.text if run.traceback else ""
    return RunView(
        run=run,
        state_template=f"runs/states/_{line.status}.html",
        started_by=started_by(run),
        due_at=due_later(line),
        arguments=_arguments(run),
        attempts=tuple(_attempt(each, line) for each in run.attempts),
        timeline=timeline(run, now),
        left=time_left(line, now),
        blocks=tracebacks.blocks(text),
        place=tracebacks.place(text),
        other_tracebacks=_other_tracebacks(run),
        last_worker=run.attempts[0].worker if run.attempts else "",
        result=result_of(run.result),
        pictures=tuple(each for each in run.artifacts if each.is_picture),
        files=tuple(each for each in run.artifacts if not each.is_picture),
        relations=_relations(run),
        can_cancel=line.status in WAITING or line.status == Status.RUNNING,
        can_run_again=line.status not in WAITING | AT_WORK,
        edit_url=url_for("jobs.edit", name=line.job, **{"from": line.id}),
        same_url=url_for(
            "runs.index", tab="failed", job=line.job, q=plainly(pattern_of(line.error) or line.error_type or "")
        ),
    )


def started_by(run: RunPage) -> str:
    """``ana, from the form``; ``nightly, by its schedule``."""
    who = run.schedule or run.created_by
    how = ORIGIN.get(run.origin, run.origin)
    return f"{who}, {how}" if who else how


def due_later(line: RunLine) -> int | None:
    """When it was to start, if somebody chose that; after a failure the due time is the retry's."""
    return line.due_at if not line.failures and line.due_at > line.created_at + clock.SECOND else None


def _arguments(run: RunPage) -> tuple[tuple[str, Any], ...] | None:
    pairs = None if run.args.is_cut else arguments.table(run.args.text)
    return None if pairs is None else tuple(pairs)


def _attempt(attempt: Attempt, line: RunLine) -> AttemptRow:
    of = f" of {line.max_attempts}" if line.max_attempts and line.max_attempts >= attempt.number else ""
    took = None if attempt.finished_at is None else max(0, attempt.finished_at - attempt.started_at)
    return AttemptRow(
        f"{attempt.number}{of}",
        attempt.outcome,
        attempt.worker,
        attempt.started_at,
        took,
        attempt.late_at is not None,
    )


def time_left(line: RunLine, now: int) -> int | None:
    """If the rest goes as fast as what was done; None before anything was."""
    progress = line.progress
    if progress is None or not progress.total or not 0 < progress.done < progress.total:
        return None
    each = max(0, now - line.started_at) / progress.done
    return round(each * (progress.total - progress.done) / clock.SECOND) * clock.SECOND


def _other_tracebacks(run: RunPage) -> tuple[int, ...]:
    shown = run.traceback.attempt if run.traceback else None
    return tuple(each.number for each in run.attempts if each.has_traceback and each.number != shown)


def _relations(run: RunPage) -> tuple[Relation, ...]:
    single = (("Repeats", run.parent), ("Sent by", run.caller))
    several = (("Run again as", run.reruns), ("Sent", run.children))
    found = [Relation(word, (other,)) for word, other in single if other]
    return (*found, *(_relation(word, others) for word, others in several if others.runs))


def _relation(word: str, others: Relatives) -> Relation:
    hidden = others.number.number - len(others.runs)
    more = count(type(others.number)(hidden, others.number.capped)) if hidden > 0 else ""
    return Relation(word, others.runs, more)
