"""Bulk actions: the page that asks, the page that says how far one is, and taking it back."""

from dataclasses import dataclass

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _

from ledger import actions
from ledger.actions import UNDONE_BY, NewAction
from ledger.errors import ActionNotFound, RunNotFound
from ledger.ids import is_id
from ledger.queries import actions as queries
from ledger.queries.actions import ActionLine, ActionPage
from ledger.queries.status import AT_WORK, WAITING
from ledger.runs import NewRun
from web import action_form, action_words
from web.action_form import Chosen, Confirmation, Kind
from web.console import console, person
from web.live import live_page

blueprint = Blueprint("actions", __name__, url_prefix="/actions")

SECONDS = 1
LIST_SECONDS = 3
blueprint.add_app_template_filter(action_words.became, "became")
blueprint.add_app_template_filter(action_words.in_menu, "action_menu")


@blueprint.before_request
def refuse_what_is_no_id() -> None:
    action_id = (request.view_args or {}).get("action_id")
    if action_id is not None and not is_id(action_id):
        raise ActionNotFound(action_id)


@dataclass(frozen=True, slots=True)
class Row:
    action: ActionLine
    title: str


@blueprint.get("")
def index():
    """What was done to many runs, and what of it can still be undone."""
    rows = tuple(Row(each, action_words.title(each)) for each in queries.recent(console().engine))
    return live_page("actions/index.html", rows, LIST_SECONDS)


@blueprint.get("/of/<run_id>")
def of_run(run_id: str):
    """From the run that does an action to the action."""
    if not is_id(run_id):
        raise RunNotFound(run_id)
    return redirect(url_for("actions.show", action_id=queries.id_of_run(console().engine, run_id)), 303)


@blueprint.get("/new")
def new():
    """``?action=rerun`` with the filter of the list of runs, or with ``id`` of those that were ticked."""
    kind = action_form.kind_of(request.args.get("action", "")) or abort(404)
    chosen = action_form.chosen_by(request.args)
    if not chosen.ids and chosen.is_picked:
        flash(_("Nothing was chosen. Tick runs first, or “all that match”."))
        return redirect(chosen.asked.url(), 303)
    return _confirm(action_form.confirmation(kind, chosen, request.args))


@blueprint.post("")
def create():
    kind = action_form.kind_of(request.form.get("action", "")) or abort(404)
    chosen = action_form.read_back(request.form)
    page = action_form.confirmation(kind, chosen, request.form, checked=True)
    if page.wrong or not chosen.ids:
        return _confirm(page), 422
    _hint(actions.begin(console().engine, _new(page, chosen)))
    return redirect(url_for("actions.show", action_id=page.id), 303)


def _confirm(page: Confirmation) -> str:
    return render_template("actions/new.html", page=page)


def _new(page: Confirmation, chosen: Chosen) -> NewAction:
    return NewAction(
        id=page.id, kind=page.kind, by=person(), ids=chosen.ids, said=chosen.said, target=page.target,
        queue=queries.serving_queue(console().engine),
    )  # fmt: skip


def _hint(run: NewRun | None) -> None:
    if run is not None:
        console().publisher.hint(run.id, run.job, run.queue)


@dataclass(frozen=True, slots=True)
class ActionView:
    action: ActionPage
    title: str
    outcomes: tuple[str, ...]
    is_over: bool
    stopped: bool
    may_be_undone: bool
    undo: str


@blueprint.get("/<action_id>")
def show(action_id: str):
    page = _view(queries.action_page(console().engine, action_id))
    return live_page("actions/show.html", page, None if page.is_over else SECONDS)


def _view(action: ActionPage) -> ActionView:
    line = action.line
    is_over = line is None or line.status not in WAITING | AT_WORK
    return ActionView(
        action=action,
        title=action_words.title(action),
        outcomes=action_words.outcomes(action),
        is_over=is_over,
        stopped=is_over and action.progress.acted < action.number,
        may_be_undone=action.may_be_undone,
        undo=_undo(action),
    )


def _undo(action: ActionPage) -> str:
    """What undoing it would do, as long as it can be."""
    if action.may_be_undone or Kind(action.kind) not in UNDONE_BY:
        return str(action_words.UNDO[Kind(action.kind)])
    return "" if action.undone_id or action.undoes_id else _("It can no longer be undone.")


@blueprint.post("/<action_id>/undoing")
def undo(action_id: str):
    engine = console().engine
    page = queries.action_page(engine, action_id)
    said = _("what %(who)s did: %(what)s", who=page.by, what=_view(page).title)
    run = actions.undo(engine, action_id, person(), said, queries.serving_queue(engine))
    _hint(run)
    return redirect(url_for("actions.show", action_id=queries.undone_by(engine, action_id)), 303)
