"""The processes that work for this ledger; draining one, and forgetting one that has ended."""

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _

from ledger import fleet
from ledger.engine import writing
from ledger.errors import ProcessNotFound
from ledger.ids import is_id
from ledger.queries.workers import process_now, unserved_without, workers_page
from web import worker_view
from web.console import console, person
from web.live import live_page

blueprint = Blueprint("workers", __name__, url_prefix="/workers")

SECONDS = 3


@blueprint.before_request
def refuse_what_is_no_id() -> None:
    process_id = (request.view_args or {}).get("process_id")
    if process_id is not None and not is_id(process_id):
        raise ProcessNotFound(process_id)


@blueprint.get("")
def index():
    return live_page("workers/index.html", worker_view.page_of(workers_page(console().engine)), SECONDS)


@blueprint.get("/<process_id>/drain")
def confirm_drain(process_id: str):
    """What will happen, before it does: nothing on a page brings a drained worker back."""
    process, running = process_now(console().engine, process_id)
    alone = worker_view.nobody_else(unserved_without(console().engine, process))
    return render_template("workers/drain.html", process=process, running=running, alone=alone)


@blueprint.post("/<process_id>/drain")
def drain(process_id: str):
    process, _running = process_now(console().engine, process_id)
    with writing(console().engine) as connection:
        asked = fleet.ask_to_drain(connection, process_id, person())
    flash(_said(process.name, asked))
    return redirect(url_for("workers.index"), 303)


def _said(name: str, asked: int) -> str:
    if not asked:
        return _("%(name)s had ended, or was draining already.", name=name)
    return _("%(name)s drains: it starts nothing more, and stops when its last run has ended.", name=name)


@blueprint.post("/<process_id>/forgetting")
def forget(process_id: str):
    process, _running = process_now(console().engine, process_id)
    with writing(console().engine) as connection:
        forgotten = fleet.forget(connection, process_id)
    said = _("Forgot %(name)s.", name=process.name)
    flash(said if forgotten else _("%(name)s has not ended: only what has ended can be forgotten.", name=process.name))
    return redirect(url_for("workers.index"), 303)


@blueprint.app_template_filter("process_kind")
def process_kind(kind: str):
    return worker_view.KIND.get(kind, kind)
