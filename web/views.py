"""Saved views: the present list of runs under a name, for everybody."""

from urllib.parse import parse_qsl

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _

from ledger import views
from ledger.errors import ViewNotFound
from ledger.ids import is_id
from ledger.queries import views as queries
from ledger.views import NAME_LIMIT, NameInUse
from web.asked import asked, in_words
from web.console import console, person

blueprint = Blueprint("views", __name__, url_prefix="/views")


@blueprint.before_request
def refuse_what_is_no_id() -> None:
    view_id = (request.view_args or {}).get("view_id")
    if view_id is not None and not is_id(view_id):
        raise ViewNotFound(view_id)


@blueprint.get("")
def index():
    return _page()


@blueprint.post("")
def create():
    """``query`` is a list's address after its question mark."""
    kept = asked(dict(parse_qsl(request.form.get("query", ""))))
    name = _name()
    if error := _error(name, lambda: views.save(console().engine, name, kept.query, person())):
        return _page(error, name, new_query=kept.query), 422
    flash(_("Saved as “%(name)s”.", name=name))
    return redirect(kept.url(), 303)


@blueprint.post("/<view_id>")
def rename(view_id: str):
    name = _name()
    if error := _error(name, lambda: views.rename(console().engine, view_id, name)):
        return _page(error, name, wrong_id=view_id), 422
    return redirect(url_for("views.index"), 303)


@blueprint.post("/<view_id>/deletion")
def delete(view_id: str):
    views.remove(console().engine, view_id)
    return redirect(url_for("views.index"), 303)


def _name() -> str:
    return " ".join(request.form.get("name", "").split())


def _error(name: str, keep) -> str:
    """What is wrong with the name; nothing when it was kept."""
    if not name or len(name) > NAME_LIMIT or not name.isprintable():
        return _("A name has 1 to %(most)s characters.", most=NAME_LIMIT)
    try:
        keep()
    except NameInUse:
        return _("There is a view of this name already.")
    return ""


def _page(error: str = "", name: str = "", wrong_id: str = "", new_query: str | None = None):
    rows = tuple(
        (view, in_words(asked(dict(parse_qsl(view.query)))), asked(dict(parse_qsl(view.query))).url())
        for view in queries.views(console().engine)
    )
    return render_template(
        "views/index.html", rows=rows, error=error, name=name, wrong_id=wrong_id, new_query=new_query
    )
