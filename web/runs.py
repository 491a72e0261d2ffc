"""The list of runs, the page of one, and what can be done with it: cancel, run again."""

from flask import Blueprint, Response, abort, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from flask_babel import ngettext

from ledger import runs, tags
from ledger.errors import RunNotFound
from ledger.ids import is_id
from ledger.queries import run as one_run
from ledger.queries.run import run_page
from ledger.queries.status import AT_WORK, WAITING
from ledger.queries.views import views
from ledger.queries.wanted import Tab
from ledger.states import State
from web import listing, reruns, runview
from web.action_form import tag_error
from web.asked import asked
from web.console import console, person, see_failures
from web.live import live_page

blueprint = Blueprint("runs", __name__, url_prefix="/runs")

LIST_SECONDS = 3
SEARCH_SECONDS = 10  # looking through runs costs more than reading an index
RUN_SECONDS = 1


@blueprint.before_request
def refuse_what_is_no_id() -> None:
    run_id = (request.view_args or {}).get("run_id")
    if run_id is not None and not is_id(run_id):
        raise RunNotFound(run_id)


@blueprint.get("")
def index():
    asked_for = asked(request.args)
    if asked_for.wanted.tab == Tab.FAILED and not asked_for.is_narrowed:
        see_failures()
    page = listing.page_of(asked_for, listing.found(asked_for), views(console().engine))
    seconds = SEARCH_SECONDS if asked_for.wanted.narrowed else LIST_SECONDS
    return live_page("runs/index.html", page, seconds, page.poll_url)


@blueprint.get("/<run_id>")
def show(run_id: str):
    run = run_page(console().engine, run_id, request.args.get("attempt", type=int))
    changing = run.line.status in WAITING | AT_WORK
    return live_page("runs/show.html", runview.page_of(run), RUN_SECONDS if changing else None)


@blueprint.get("/<run_id>/result.json")
def result(run_id: str):
    text = one_run.result_of(console().engine, run_id)
    return Response(text or "null", mimetype="application/json")


@blueprint.post("/<run_id>/cancellation")
def cancel(run_id: str):
    state = runs.cancel(console().engine, run_id, person())
    flash(_("Canceled.") if state == State.CANCELED else _("Asked to stop. It ends at its next check."))
    return redirect(url_for("runs.show", run_id=run_id), 303)


@blueprint.post("/<run_id>/family/reruns")
def rerun_failed_part(run_id: str):
    number = reruns.start_failed_part(run_id, request.form.get("runs", ""), request.form.get("key", ""))
    started = ngettext("%(num)s run started again.", "%(num)s runs started again.", number)
    flash(started if number else _("Nothing of it is left to be run again."))
    return redirect(url_for("runs.show", run_id=run_id), 303)


@blueprint.post("/<run_id>/reruns")
def rerun(run_id: str):
    new_id, is_new = reruns.start_again(run_id, request.form.get("key", ""))
    if not is_new:
        flash(_("No second one was started: this run is there already."))
    return redirect(url_for("runs.show", run_id=new_id), 303)


@blueprint.post("/<run_id>/offers/<int:place>/runs")
def accept_offer(run_id: str, place: int):
    new_id = reruns.start_offer(run_id, place)
    if new_id is None:
        abort(404, _("This run offers no such thing."))
    return redirect(url_for("runs.show", run_id=new_id), 303)


@blueprint.post("/<run_id>/tags")
def add_tag(run_id: str):
    name = request.form.get("tag", "").strip()
    if error := tag_error(name):
        page = runview.page_of(run_page(console().engine, run_id))
        return render_template("runs/show.html", page=page, tag_error=error, tag_typed=name), 422
    tags.add(console().engine, run_id, name, person())
    return redirect(url_for("runs.show", run_id=run_id, _anchor="tags"), 303)


@blueprint.post("/<run_id>/tags/removal")
def remove_tag(run_id: str):
    tags.remove(console().engine, run_id, request.form.get("tag", ""))
    return redirect(url_for("runs.show", run_id=run_id, _anchor="tags"), 303)
