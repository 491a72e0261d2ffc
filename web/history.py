"""What people did to a run, as far as the ledger knows: who started it, stopped it, ran it again."""

from dataclasses import dataclass

from flask_babel import gettext as _

from ledger.queries.run import Relative, RunPage
from ledger.states import State


@dataclass(frozen=True, slots=True)
class Event:
    """``run`` is the new run, where one was started."""

    at: int
    words: str
    run: Relative | None = None


def events(run: RunPage, started_by: str) -> tuple[Event, ...]:
    """The oldest first."""
    line, who = run.line, run.line.canceled_by or _("someone")
    found = [Event(line.created_at, _("Created: %(who)s", who=started_by))]
    if line.cancel_requested_at:
        found.append(Event(line.cancel_requested_at, _("Asked to stop by %(who)s", who=who)))
    elif line.status == State.CANCELED:
        found.append(Event(line.finished_at, _("Canceled by %(who)s", who=who)))
    again = (Event(each.created_at, _again(each), each) for each in run.reruns.runs)
    return tuple(sorted([*found, *again], key=lambda event: event.at))


def _again(other: Relative) -> str:
    who = other.created_by or _("someone")
    if other.origin == "form":
        return _("Edited and run by %(who)s:", who=who)
    return _("Run again by %(who)s:", who=who)
