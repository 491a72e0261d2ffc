"""The one table from the ledger's states to what people read: word, glyph and hue; and reasons in words."""

from dataclasses import dataclass

from markupsafe import Markup

from ledger.queries.reasons import Reason, Why
from ledger.queries.status import Status
from ledger.queries.wanted import Tab
from ledger.states import Outcome
from web import moments, numbers, pause_words


@dataclass(frozen=True, slots=True)
class Shown:
    """``glyph`` names a shape in ``_glyphs.html``, ``hue`` a colour of a state in ``app.css``."""

    word: str
    glyph: str
    hue: str


STATUS = {
    Status.QUEUED: Shown("Queued", "circle", "idle"),
    Status.SCHEDULED: Shown("Scheduled", "clock", "idle"),
    Status.RETRYING: Shown("Retrying", "again", "warn"),
    Status.RUNNING: Shown("Running", "ring", "run"),
    Status.CANCELING: Shown("Canceling", "ringbar", "run"),
    Status.SUCCEEDED: Shown("Done", "tick", "ok"),
    Status.FAILED: Shown("Failed", "cross", "bad"),
    Status.DEAD: Shown("Crashed", "diamond", "bad"),
    Status.CANCELED: Shown("Canceled", "slash", "idle"),
    Status.EXPIRED: Shown("Expired", "hourglass", "idle"),
}

OUTCOME = {
    Outcome.RUNNING: STATUS[Status.RUNNING],
    Outcome.SUCCEEDED: STATUS[Status.SUCCEEDED],
    Outcome.FAILED: STATUS[Status.FAILED],
    Outcome.CANCELED: STATUS[Status.CANCELED],
    Outcome.INTERRUPTED: Shown("Interrupted", "again", "idle"),
    Outcome.LOST: Shown("Crashed", "diamond", "bad"),
}

TAB = {
    Tab.ALL: "All",
    Tab.WAITING: "Waiting",
    Tab.SCHEDULED: "Scheduled",
    Tab.RETRYING: "Retrying",
    Tab.RUNNING: "Running",
    Tab.FAILED: "Failed",
    Tab.DONE: "Done",
    Tab.CANCELED: "Canceled",
}

ORIGIN = {
    "form": "from the form",
    "rerun": "run again",
    "schedule": "by its schedule",
    "code": "from code",
    "message": "by a message from elsewhere",
}

WHY = {
    Why.NO_WORKER: "no worker consumes “{queue}”",
    Why.UNKNOWN_JOB: "no worker knows this job",
    Why.NOT_DUE: "due {due}",
    Why.BEHIND: "{ahead} ahead",
    Why.NEXT: "next in line",
}


def why(reason: Reason) -> Markup:
    """Why a run waits: “no worker consumes “mail””, “12 ahead”, “attempt 2 of 4, next in 14 s”."""
    if reason.attempt is None:
        return _why(reason)
    of = f" of {reason.attempts}" if reason.attempts else ""
    attempt = Markup("attempt {}{}, ").format(reason.attempt, of)
    return attempt + (
        Markup("next {}").format(moments.until(reason.due_at)) if _only_time(reason) else _why(reason)
    )


def _only_time(reason: Reason) -> bool:
    return reason.why == Why.NOT_DUE


def _why(reason: Reason) -> Markup:
    if reason.pause:
        return pause_words.sentence(reason.pause)
    due = moments.until(reason.due_at) if reason.due_at else ""
    return Markup(WHY[reason.why]).format(queue=reason.queue, due=due, ahead=numbers.count(reason.ahead))
