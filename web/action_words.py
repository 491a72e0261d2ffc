"""Bulk actions as people read them: the menu, the button with its count, what will happen, what happened."""

from dataclasses import replace

from flask_babel import gettext as _
from flask_babel import ngettext

from ledger.actions import UNDONE_BY, Kind, Outcome
from ledger.queries.actions import ActionLine, ActionPage, Found
from ledger.states import State
from web.language import Later as _l
from web.numbers import number
from web.words import STATUS

#: On the list of runs.
MENU = {
    Kind.RERUN: _l("Run again…"),
    Kind.CANCEL: _l("Cancel…"),
    Kind.DISCARD: _l("Discard…"),
    Kind.MOVE: _l("Move…"),
    Kind.TAG: _l("Tag…"),
    Kind.UNTAG: _l("Untag…"),
}
EFFECT = {
    Kind.RERUN: _l("Each becomes a new run with the same arguments. Runs that have not ended are left alone."),
    Kind.CANCEL: _l("Waiting runs end at once, running ones are asked to stop. What has ended is left alone."),
    Kind.DISCARD: _l("They are deleted, with logs, results and files. Runs that have not ended are left alone."),
    Kind.MOVE: _l("Waiting runs go to another queue. Those that have started are left alone."),
    Kind.TAG: _l("They can be found by the tag. A run keeps its tags until it is pruned."),
    Kind.UNTAG: _l("The tag is taken off. Runs that do not have it are left alone."),
}
UNDO = {
    Kind.RERUN: _l("For ten minutes it can be undone: new runs that still wait are canceled."),
    Kind.CANCEL: _l("For ten minutes it can be undone: runs that were waiting are run again, as new ones."),
    Kind.DISCARD: _l("This cannot be undone."),
    Kind.MOVE: _l("For ten minutes it can be undone: runs that still wait go back to where they came from."),
    Kind.TAG: _l("For ten minutes it can be undone."),
    Kind.UNTAG: _l("For ten minutes it can be undone."),
}


def button(kind: Kind, runs: int, target: str = "") -> str:
    """``Cancel 604 runs``."""
    count = number(runs)
    return {
        Kind.RERUN: lambda: ngettext("Run %(count)s run again", "Run %(count)s runs again", runs, count=count),
        Kind.CANCEL: lambda: ngettext("Cancel %(count)s run", "Cancel %(count)s runs", runs, count=count),
        Kind.DISCARD: lambda: ngettext("Discard %(count)s run", "Discard %(count)s runs", runs, count=count),
        Kind.MOVE: lambda: ngettext("Move %(count)s run", "Move %(count)s runs", runs, count=count),
        Kind.TAG: lambda: ngettext("Tag %(count)s run", "Tag %(count)s runs", runs, count=count),
        Kind.UNTAG: lambda: ngettext("Untag %(count)s run", "Untag %(count)s runs", runs, count=count),
    }[kind]() + _target(kind, target)


def _target(kind: Kind, target: str) -> str:
    if not target:
        return ""
    return (_(" to “%(queue)s”", queue=target) if kind == Kind.MOVE else _(" “%(tag)s”", tag=target)) if target else ""


def became(kind: str, target: str, outcome: str | None) -> str:
    """What became of one run, for its history: ``Canceled``, ``Moved to “mail”``, ``Left alone: Cancel``."""
    if outcome is None:
        return _("Waits for its turn: %(what)s", what=menu(kind))
    if outcome != Outcome.DONE:
        return _("Left alone: %(what)s", what=menu(kind))
    return {
        Kind.RERUN: _("Run again"),
        Kind.CANCEL: _("Canceled"),
        Kind.DISCARD: _("Discarded"),
        Kind.MOVE: _("Moved to “%(queue)s”", queue=target),
        Kind.TAG: _("Tagged “%(tag)s”", tag=target),
        Kind.UNTAG: _("Untagged “%(tag)s”", tag=target),
    }[Kind(kind)]


def in_menu(kind: Kind) -> str:
    return str(MENU[kind])


def menu(kind: str) -> str:
    return in_menu(Kind(kind)).rstrip("…")


def title(action: ActionLine) -> str:
    """What was done; of an action that took one back, which one that was."""
    if not action.undoes_id:
        return button(Kind(action.kind), action.number, action.target)
    # Each kind is undone by the one that it undoes itself.
    undone = button(UNDONE_BY[Kind(action.kind)], action.number, action.target)
    return _("Undo of “%(what)s”", what=undone)


def outcomes(action: ActionPage) -> tuple[str, ...]:
    """The summary, a line each: ``600 canceled``, ``4 left alone: done by then``."""
    told: dict[tuple, Found] = {}
    for found in action.found:
        key = found.outcome, found.state if _tells_state(action.kind, found) else None
        before = told[key].number if key in told else 0
        told[key] = replace(found, number=before + found.number)
    return tuple(_outcome(action, each) for each in told.values())


def _tells_state(kind: str, found: Found) -> bool:
    return found.outcome != Outcome.DONE or kind in (Kind.RERUN, Kind.CANCEL)


def _outcome(action: ActionLine, found: Found) -> str:
    kind, count = action.kind, number(found.number)
    if found.outcome == Outcome.DONE:
        return _done(action, found.state, count)
    if found.outcome == Outcome.UNCHANGED and kind == Kind.RERUN:
        return _("%(count)s left alone: an equal run stands in their way", count=count)
    if found.outcome == Outcome.UNCHANGED:
        return _("%(count)s were so already", count=count)
    return _("%(count)s left alone: %(state)s by then", count=count, state=_state(found.state))


def _done(action: ActionLine, state: str | None, count: str) -> str:
    kind, target = Kind(action.kind), action.target
    if kind == Kind.CANCEL and state == State.RUNNING:
        return _("%(count)s asked to stop", count=count)
    if kind == Kind.MOVE and action.undoes_id:
        return _("%(count)s moved back", count=count)
    return {
        Kind.RERUN: _("%(count)s started again; they had been found %(state)s", count=count, state=_state(state)),
        Kind.CANCEL: _("%(count)s canceled", count=count),
        Kind.DISCARD: _("%(count)s discarded", count=count),
        Kind.MOVE: _("%(count)s moved to “%(queue)s”", count=count, queue=target),
        Kind.TAG: _("%(count)s tagged “%(tag)s”", count=count, tag=target),
        Kind.UNTAG: _("%(count)s untagged “%(tag)s”", count=count, tag=target),
    }[kind]


def _state(state: str | None) -> str:
    if state is None:
        return _("pruned or discarded")
    if state == "undone":
        return _("taken back")
    return STATUS[state].word.lower()
