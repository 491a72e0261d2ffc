"""The page of one run: what the ledger says, put into the shapes that the templates show."""

from dataclasses import dataclass
from typing import Any

from flask import url_for
from flask_babel import gettext as _

from ledger import clock
from ledger.queries.arguments import plainly
from ledger.queries.failures import pattern_of
from ledger.queries.leavings import Artifact
from ledger.queries.lines import RunLine
from ledger.queries.run import Attempt, Relative, Relatives, RunPage
from ledger.queries.status import AT_WORK, WAITING, Status
from ledger.states import Outcome
from web import arguments, difference, failureview, familyview, history, tracebacks
from web.difference import Change
from web.familyview import FamilyView
from web.filters import first_line
from web.history import Event
from web.numbers import count
from web.offers import Offer, is_shown_by, offers_of
from web.pace import Pace, now_in_steps, pace
from web.rerun_advice import edit_first
from web.results import Result, result_of
from web.slot_words import full_words
from web.timeline import Timeline, timeline
from web.tracebacks import Block, Place
from web.words import ORIGIN
from web.worker_view import row_url

LINE_SHOWN = 160


@dataclass(frozen=True, slots=True)
class AttemptRow:
    words: str
    outcome: str
    worker: str
    worker_url: str
    started_at: int
    took: int | None
    because: str
    retry_at: int | None
    late_at: int | None

    @property
    def late(self) -> int:
        """How much later than it was given up it came."""
        return max(0, self.late_at - self.started_at - self.took) if self.late_at and self.took is not None else 0


@dataclass(frozen=True, slots=True)
class Relation:
    """Runs that belong to this one in one way; ``more`` says how many are not listed."""

    word: str
    runs: tuple[Relative, ...]
    more: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunView:
    """``state_template`` is what differs by state; ``arguments`` is None when they are too long to be taken
    apart."""

    run: RunPage
    state_template: str
    started_by: str
    due_at: int | None
    arguments: tuple[tuple[str, Any], ...] | None
    attempts: tuple[AttemptRow, ...]
    attempts_left_out: int
    timeline: Timeline
    pace: Pace
    blocks: tuple[Block, ...]
    place: Place | None
    other_tracebacks: tuple[int, ...]
    last_worker: str
    result: Result | None
    offers: tuple[Offer, ...]
    pictures: tuple[Artifact, ...]
    files: tuple[Artifact, ...]
    relations: tuple[Relation, ...]
    error_words: str
    full_words: str
    changes: tuple[Change, ...]
    family: FamilyView | None
    history: tuple[Event, ...]
    can_cancel: bool
    can_run_again: bool
    edit_first: str
    same_url: str
    edit_url: str


def page_of(run: RunPage) -> RunView:
    line, now = run.line, now_in_steps()
    text = run.traceback.text if run.traceback else ""
    offers = offers_of(None if run.result is None or run.result.is_cut else run.result.text, run.artifacts)
    return RunView(
        run=run,
        state_template=f"runs/states/_{line.status}.html",
        started_by=started_by(run),
        due_at=due_later(line),
        arguments=_arguments(run),
        attempts=tuple(_attempt(each, line, len(run.attempts) > 1) for each in run.attempts),
        attempts_left_out=max(0, line.attempt - len(run.attempts)),
        timeline=timeline(run, now),
        pace=pace(line, run.usual, now),
        blocks=tracebacks.blocks(text),
        place=tracebacks.place(text),
        other_tracebacks=_other_tracebacks(run),
        last_worker=run.attempts[0].worker if run.attempts else "",
        result=None if offers else result_of(run.result),
        offers=offers,
        pictures=tuple(each for each in run.artifacts if each.is_picture and not is_shown_by(offers, each)),
        files=tuple(each for each in run.artifacts if not each.is_picture),
        relations=_relations(run),
        error_words=failureview.said(line.error_type or "", line.error or ""),
        full_words=full_words(run.full, line.queue) if run.full else "",
        changes=difference.changes(run.original),
        family=familyview.view_of(run.family),
        history=history.events(run, started_by(run)),
        can_cancel=line.status in WAITING or line.status == Status.RUNNING,
        edit_first=edit_first(line),
        can_run_again=line.status not in WAITING | AT_WORK,
        edit_url=url_for("jobs.edit", name=line.job, **{"from": line.id}),
        same_url=_same_url(run),
    )


def _same_url(run: RunPage) -> str:
    if run.fingerprint:
        return url_for("failures.show", fingerprint=run.fingerprint, range="hour")
    pattern = pattern_of(run.line.error) or run.line.error_type
    return url_for("runs.index", tab="failed", job=run.line.job, q=plainly(pattern or ""))


def started_by(run: RunPage) -> str:
    """``ana, from the form``; ``nightly, by its schedule``."""
    who = run.schedule or run.created_by
    how = str(ORIGIN.get(run.origin, run.origin))
    return f"{who}, {how}" if who else how


def due_later(line: RunLine) -> int | None:
    """When it was to start, if somebody chose that; after a failure the due time is the retry's."""
    return line.due_at if not line.failures and line.due_at > line.created_at + clock.SECOND else None


def _arguments(run: RunPage) -> tuple[tuple[str, Any], ...] | None:
    pairs = None if run.args.is_cut else arguments.table(run.args.text)
    return None if pairs is None else tuple(pairs)


def _attempt(attempt: Attempt, line: RunLine, is_one_of_several: bool) -> AttemptRow:
    number, most = attempt.number, line.max_attempts
    words = _("%(number)s of %(most)s", number=number, most=most) if most and most >= number else str(number)
    took = None if attempt.finished_at is None else max(0, attempt.finished_at - attempt.started_at)
    return AttemptRow(
        words,
        attempt.outcome,
        attempt.worker,
        row_url(attempt.worker_id) if attempt.worker_id else "",
        attempt.started_at,
        took,
        first_line(attempt.error)[:LINE_SHOWN] if is_one_of_several else "",
        attempt.retry_at if attempt.outcome == Outcome.FAILED else None,
        attempt.late_at,
    )


def _other_tracebacks(run: RunPage) -> tuple[int, ...]:
    shown = run.traceback.attempt if run.traceback else None
    return tuple(each.number for each in run.attempts if each.has_traceback and each.number != shown)


def _relations(run: RunPage) -> tuple[Relation, ...]:
    """What the tree of its family, the comparison with its original and its history do not show."""
    single = ((_("Repeats"), None if run.original else run.parent), (_("Sent by"), None if run.family else run.caller))
    has_more = run.reruns.number.number > len(run.reruns.runs)
    several = (
        (_("Run again as"), run.reruns if has_more else None),
        (_("Sent"), None if run.family else run.children),
    )
    found = [Relation(word, (other,)) for word, other in single if other]
    return (*found, *(_relation(word, others) for word, others in several if others and others.runs))


def _relation(word: str, others: Relatives) -> Relation:
    hidden = others.number.number - len(others.runs)
    more = count(type(others.number)(hidden, others.number.capped)) if hidden > 0 else ""
    return Relation(word, others.runs, more)
