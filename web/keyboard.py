"""The keys of the pages: what each does, and a switch for those who do not want them."""

from dataclasses import dataclass
from typing import Any

from flask import Blueprint, Flask, Response, redirect, render_template, request, session
from markupsafe import Markup

from ledger.settings import Settings
from web import places
from web.addresses import local_path
from web.language import Later as _l

blueprint = Blueprint("keyboard", __name__, url_prefix="/keys")


@dataclass(frozen=True, slots=True)
class Key:
    keys: tuple[str, ...]
    does: Any


BEFORE = (
    Key(("Ctrl K",), _l("Find a page, a queue, a job or a run, or start a job")),
    Key(("/",), _l("To the search field, or the same as Ctrl K where there is none")),
)
AFTER = (
    Key(("j", "k"), _l("Next row, previous row")),
    Key(("Enter",), _l("Open what has the focus")),
    Key(("x",), _l("Select the row, where rows can be selected")),
    Key(("c",), _l("Cancel the run of the page")),
    Key(("e",), _l("Edit the run of the page, and run it again")),
    Key(("?",), _l("This list")),
    Key(("Esc",), _l("Close what was opened")),
)


def init_app(app: Flask, settings: Settings) -> None:
    app.jinja_env.globals |= {"keys_are_on": are_on, "all_keys": all_keys, "shortcut": shortcut}


def are_on() -> bool:
    """Keys without Ctrl get in the way of speech input, so they can be turned off (WCAG 2.1.4)."""
    return session.get("keys") != "off"


def shortcut(keys: str) -> Markup:
    """The attribute by which assistive programs and ``keys.js`` know the key of a link or button."""
    return Markup(' aria-keyshortcuts="{}"').format(keys) if keys and are_on() else Markup("")


def all_keys() -> tuple[Key, ...]:
    return (*BEFORE, *(Key((place.keys,), place.word) for place in places.in_bar()), *AFTER)


@blueprint.get("")
def index():
    return render_template("keys/index.html")


@blueprint.post("")
def choose() -> Response:
    session["keys"] = "off" if request.form.get("keys") == "off" else "on"
    return redirect(local_path(request.form.get("next")), 303)
