"""The one table from the ledger's states to what people read: word, glyph and hue; and reasons in words."""

from dataclasses import dataclass
from typing import Any

from markupsafe import Markup

from ledger.limits import Use
from ledger.queries.reasons import Reason, Why
from ledger.queries.status import Status
from ledger.queries.wanted import Tab
from ledger.states import Outcome
from web import moments, numbers, pause_words
from web.language import Later as _l


@dataclass(frozen=True, slots=True)
class Shown:
    """``word`` in the page's language, ``glyph`` names a shape in ``_macros.html``, ``hue`` a colour in ``app.css``."""

    word: Any
    glyph: str
    hue: str


STATUS = {
    Status.QUEUED: Shown(_l("Queued"), "circle", "idle"),
    Status.SCHEDULED: Shown(_l("Scheduled"), "clock", "idle"),
    Status.RETRYING: Shown(_l("Retrying"), "again", "warn"),
    Status.RUNNING: Shown(_l("Running"), "ring", "run"),
    Status.CANCELING: Shown(_l("Canceling"), "ringbar", "run"),
    Status.SUCCEEDED: Shown(_l("Done"), "tick", "ok"),
    Status.FAILED: Shown(_l("Failed"), "cross", "bad"),
    Status.DEAD: Shown(_l("Crashed"), "diamond", "bad"),
    Status.CANCELED: Shown(_l("Canceled"), "slash", "idle"),
    Status.EXPIRED: Shown(_l("Expired"), "hourglass", "idle"),
}

OUTCOME = {
    Outcome.RUNNING: STATUS[Status.RUNNING],
    Outcome.SUCCEEDED: STATUS[Status.SUCCEEDED],
    Outcome.FAILED: STATUS[Status.FAILED],
    Outcome.CANCELED: STATUS[Status.CANCELED],
    Outcome.INTERRUPTED: Shown(_l("Interrupted"), "again", "idle"),
    Outcome.LOST: Shown(_l("Crashed"), "diamond", "bad"),
}

TAB = {
    Tab.ALL: _l("All"),
    Tab.WAITING: _l("Waiting"),
    Tab.SCHEDULED: _l("Scheduled"),
    Tab.RETRYING: _l("Retrying"),
    Tab.RUNNING: _l("Running"),
    Tab.FAILED: _l("Failed"),
    Tab.DONE: _l("Done"),
    Tab.CANCELED: _l("Canceled"),
}

ORIGIN = {
    "form": _l("from the form"),
    "rerun": _l("run again"),
    "schedule": _l("by its schedule"),
    "code": _l("from code"),
    "message": _l("by a message from elsewhere"),
}

WHY = {
    Why.NO_WORKER: _l("no worker serves “{queue}”"),
    Why.UNKNOWN_JOB: _l("no worker knows this job"),
    Why.NOT_DUE: _l("due {due}"),
    Why.FULL: _l("no more than {places} at a time"),
    Why.USED_UP: _l("no more than {starts} in {period}, next {due}"),
    Why.BEHIND: _l("{ahead} ahead"),
    Why.NEXT: _l("next in line"),
}


#: Before a reason, on the second attempt and later.
ATTEMPT = _l("attempt {attempt}, {reason}")
ATTEMPT_OF = _l("attempt {attempt} of {attempts}, {reason}")
NEXT = _l("next {due}")
#: A queue is a queue to people: those who came later and go first need a word.
MORE_URGENT = _l("{ahead} ahead, {newer} of them newer, by their priority")


def why(reason: Reason) -> Markup:
    """Why a run waits: “no worker serves “mail””, “12 ahead”, “attempt 2 of 4, next in 14 s”."""
    if reason.attempt is None:
        return _why(reason)
    told = _filled(NEXT, reason) if reason.why == Why.NOT_DUE else _why(reason)
    pattern = ATTEMPT_OF if reason.attempts else ATTEMPT
    return Markup(pattern).format(attempt=reason.attempt, attempts=reason.attempts, reason=told)


def _why(reason: Reason) -> Markup:
    if reason.pause:
        return pause_words.sentence(reason.pause)
    return _filled(MORE_URGENT if reason.newer else WHY[reason.why], reason)


def _filled(pattern: Any, reason: Reason) -> Markup:
    due = moments.until(reason.due_at) if reason.due_at else ""
    said = {"queue": reason.queue, "due": due, "ahead": numbers.count(reason.ahead)}
    said["newer"] = numbers.number(reason.newer)
    return Markup(pattern).format(**said | _limits(reason.limits))


def _limits(use: Use | None) -> dict[str, Any]:
    if use is None:
        return {}
    told: dict[str, Any] = {"places": use.max_concurrency and numbers.number(use.max_concurrency)}
    if use.is_used_up:
        told |= {"starts": numbers.number(use.rate_runs), "period": numbers.duration(use.rate_period)}
    if use.next_start_at:
        told["due"] = moments.until(use.next_start_at)
    return told
