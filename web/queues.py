"""The queues: who waits, how long, who serves; pausing one and resuming it."""

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _

from ledger import pauses
from ledger.engine import writing
from ledger.errors import QueueNotFound
from ledger.queries import queues as queries
from web import pause_form, pause_words, queue_view
from web.console import console, person
from web.live import live_page

blueprint = Blueprint("queues", __name__, url_prefix="/queues")

SECONDS = 3


@blueprint.before_request
def refuse_what_is_no_name() -> None:
    name = (request.view_args or {}).get("name", "")
    if not name.isprintable():  # PostgreSQL takes no NUL, not even for a question
        raise QueueNotFound(name)


@blueprint.get("")
def index():
    return live_page("queues/index.html", queue_view.list_of(queries.queues_page(console().engine)), SECONDS)


@blueprint.get("/<name>")
def show(name: str):
    return live_page("queues/show.html", queue_view.page_of(queries.queue_page(console().engine, name)), SECONDS)


@blueprint.get("/<name>/pause")
def new_pause(name: str):
    """The form; filled in with the pause that holds, to say it anew."""
    queue = queries.queue_page(console().engine, name).queue
    page = pause_form.filled_in(queue.pause, request.args.get("from", ""))
    return render_template("queues/pause.html", page=page, queue=queue)


@blueprint.post("/<name>/pause")
def pause(name: str):
    queue = queries.queue_page(console().engine, name).queue
    page = pause_form.read(request.form)
    if page.errors:
        return render_template("queues/pause.html", page=page, queue=queue), 422
    pauses.pause(console().engine, name, person(), page.reason, page.ends_at)
    flash(pause_words.paused_queue(name, page.ends_at))
    return _back(name)


@blueprint.post("/<name>/resumption")
def resume(name: str):
    with writing(console().engine) as connection:
        resumed = pauses.resume(connection, name)
    said = _("Resumed: workers take what waits in “%(queue)s” again.", queue=name)
    flash(said if resumed else _("“%(queue)s” was not paused any more.", queue=name))
    return _back(name)


def _back(name: str):
    """To the list, for buttons that stand there; else to the queue's own page."""
    address = url_for("queues.index") if request.form.get("from") == "list" else None
    return redirect(address or url_for("queues.show", name=name), 303)
