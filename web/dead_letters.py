"""Messages that nobody could read: why, their bytes, and forgetting them."""

from io import BytesIO

from flask import Blueprint, Response, abort, flash, redirect, render_template, request, send_file, url_for
from flask_babel import gettext as _
from flask_babel import ngettext

from ledger import rejections, texts
from ledger.engine import reading, writing
from ledger.errors import MessageNotFound
from ledger.ids import is_id
from ledger.queries import rejected as queries
from web import letter_view
from web.artifacts import safely
from web.console import console
from web.live import live_page

blueprint = Blueprint("dead_letters", __name__, url_prefix="/dead-letters")

SECONDS = 5


@blueprint.before_request
def refuse_what_is_no_id() -> None:
    message_id = (request.view_args or {}).get("message_id")
    if message_id is not None and not is_id(message_id):
        raise MessageNotFound(message_id)


@blueprint.get("")
def index():
    before = request.args.get("before", "")
    queue = texts.clean(request.args.get("queue", "")[:200])
    found = queries.rejected_page(console().engine, queue, before if is_id(before) else "")
    return live_page("dead_letters/index.html", letter_view.list_of(found), SECONDS)


@blueprint.get("/<message_id>")
def show(message_id: str):
    page = letter_view.page_of(queries.rejected_message(console().engine, message_id))
    return render_template("dead_letters/show.html", page=page)


@blueprint.get("/<message_id>/bytes")
def download(message_id: str) -> Response:
    """Never opened by the browser: whoever sent it is not to be trusted."""
    found = queries.rejected_message(console().engine, message_id)
    name = f"message-{message_id}.bin"
    return safely(send_file(BytesIO(found.body), "application/octet-stream", True, name))


@blueprint.post("/<message_id>/forgetting")
def forget(message_id: str):
    if not _forget([message_id]):
        raise MessageNotFound(message_id)
    flash(_("Forgot the message."))
    return redirect(url_for("dead_letters.index"), 303)


@blueprint.get("/kind")
def confirm_kind():
    """What would be forgotten, with the number: those that the page showed, not what came since."""
    return render_template("dead_letters/kind.html", page=_asked(request.args))


@blueprint.post("/kind")
def forget_kind():
    page = _asked(request.form)
    if not page.ids:
        abort(404, _("There are no such messages any more."))
    if page.is_many and request.form.get("typed", "").strip() != page.queue:
        return render_template("dead_letters/kind.html", page=page, error=_wrong(page)), 422
    number = _forget(page.ids)
    flash(ngettext("Forgot %(num)s message.", "Forgot %(num)s messages.", number))
    return redirect(url_for("dead_letters.index"), 303)


def _asked(given) -> letter_view.KindView:
    queue, reason, up_to = (texts.clean(given.get(name, "")) for name in ("queue", "reason", "up_to"))
    with reading(console().engine) as connection:
        ids = queries.ids_of_kind(connection, queue, reason, up_to)
    return letter_view.KindView(queue, reason, up_to, tuple(ids))


def _forget(ids) -> int:
    with writing(console().engine) as connection:
        return rejections.forget(connection, list(ids))


def _wrong(page: letter_view.KindView) -> str:
    return _("These are more than 100 messages. Type the queue's name, %(queue)s, to forget them.", queue=page.queue)
