"""Failures: the ways of failing, the page of each, and what people say about them: mute, unmute."""

import re

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from markupsafe import Markup

from ledger import clock, muting
from ledger.errors import FailureNotFound
from ledger.queries.failure_groups import first_failure_at, group_page, groups_page, noted
from web import failureview
from web.console import console, person, see_failures
from web.live import live_page

blueprint = Blueprint("failures", __name__, url_prefix="/failures")

SECONDS = 5
MARK = re.compile(r"[0-9a-f]{32}")


@blueprint.before_request
def refuse_what_is_no_fingerprint() -> None:
    mark = (request.view_args or {}).get("fingerprint")
    if mark is not None and not MARK.fullmatch(mark):
        raise FailureNotFound(mark)


@blueprint.get("")
def index():
    name, since, until = _range()
    see_failures()
    page = groups_page(console().engine, since, until)
    return live_page("failures/index.html", failureview.list_of(page, name), SECONDS)


@blueprint.get("/<fingerprint>")
def show(fingerprint: str):
    name, since, until = _range()
    page = group_page(console().engine, fingerprint, since, until)
    return live_page("failures/show.html", failureview.page_of(page, name, since, until), SECONDS)


@blueprint.post("/<fingerprint>/mute")
def mute(fingerprint: str):
    muting.mute(console().engine, fingerprint, person())
    flash(_muted(fingerprint))
    return _back(fingerprint)


@blueprint.post("/<fingerprint>/unmute")
def unmute(fingerprint: str):
    muting.unmute(console().engine, fingerprint)
    flash(_("Unmuted “%(failure)s”: it is told again.", failure=_words(fingerprint)))
    return _back(fingerprint)


def _muted(fingerprint: str) -> Markup:
    """What is said when it was muted, with a button that takes it back."""
    here = {"range": request.args.get("range"), "from": request.args.get("from")}
    undo = url_for("failures.unmute", fingerprint=fingerprint, **here)
    return Markup(render_template("failures/_muted.html", words=_words(fingerprint), undo_url=undo))


def _words(fingerprint: str) -> str:
    return failureview.named(noted(console().engine, fingerprint))


def _back(fingerprint: str):
    """To the list, for buttons that stand there, else to its page; with the range that was chosen there."""
    chosen = request.args.get("range") or None
    if request.args.get("from") == "list":
        return redirect(url_for("failures.index", range=chosen), 303)
    return redirect(url_for("failures.show", fingerprint=fingerprint, range=chosen), 303)


def _range() -> tuple[str, int, int]:
    """The range's name, and the instants at which it begins and ends."""
    name, now = failureview.chosen(request.args.get("range", "")), clock.now()
    seconds = failureview.RANGES[name][1]
    since = first_failure_at(now, seconds)
    return name, since, since + seconds * clock.SECOND
