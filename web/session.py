"""Signing in with WAYBILL_PASSWORD. Without one there is nothing to sign in to, and everybody is let in."""

import hmac
from dataclasses import dataclass

from flask import (
    Blueprint,
    Flask,
    Response,
    current_app,
    flash,
    redirect,
    render_template,
    request,
    session,
    url_for,
)
from flask_babel import gettext as _

from ledger.settings import Settings
from web.addresses import local_path
from web.console import console, person
from web.live import is_poll
from web.throttle import Throttle

blueprint = Blueprint("session", __name__)

#: What may be seen without signing in.
OPEN = {"static", "session.sign_in", "session.create", "health.healthz", "health.readyz", "metrics.show"}
NAME_LIMIT = 60
#: How a person likes the pages outlives signing in and out.
KEPT = ("language", "theme", "keys")
throttle = Throttle(tries=5, seconds=60)


@dataclass(frozen=True, slots=True)
class SignIn:
    """``wait`` is how many seconds no further try is heard."""

    name: str = ""
    following: str = ""
    name_error: str = ""
    wrong: bool = False
    wait: int = 0


def init_app(app: Flask, settings: Settings) -> None:
    app.before_request(require_sign_in)
    app.jinja_env.globals |= {"has_sign_in": lambda: bool(password()), "person": person}


def require_sign_in() -> Response | None:
    if not password() or request.endpoint in OPEN or is_signed_in():
        return None
    if is_poll():  # a page whose session ended: let the browser come again for the sign-in page
        return Response(status=401, headers={"HX-Refresh": "true"})
    following = request.full_path.rstrip("?") if request.method == "GET" else None
    return redirect(url_for("session.sign_in", next=following), 303)


def password() -> str:
    return console().settings.waybill_password.get_secret_value()


def is_signed_in() -> bool:
    return hmac.compare_digest(session.get("proof", ""), proof())


def proof() -> str:
    """Ties a session to the password, so that changing it signs everybody out."""
    key = current_app.config["SECRET_KEY"]
    return hmac.digest(key.encode(), password().encode(), "sha256").hex()


@blueprint.get("/sign-in")
def sign_in():
    following = local_path(request.args.get("next"))
    if not password() or is_signed_in():
        return redirect(following, 303)
    return render_template("session/sign_in.html", page=SignIn(following=following))


@blueprint.post("/sign-in")
def create():
    name, following = request.form.get("name", "").strip(), local_path(request.form.get("next"))
    if len(name) > NAME_LIMIT or not name.isprintable():
        error = _("A name has up to %(most)s characters, on one line.", most=NAME_LIMIT)
        return _again(SignIn(name, following, name_error=error), 422)
    wait = throttle.wait(request.remote_addr)
    if wait:
        return _again(SignIn(name, following, wait=wait), 429)
    if not matches(request.form.get("password", "")):
        throttle.note(request.remote_addr)
        return _again(SignIn(name, following, wrong=True), 422)
    forget()
    session.update(proof=proof(), person=name)
    return redirect(following, 303)


def _again(page: SignIn, status: int):
    headers = {"Retry-After": str(page.wait)} if page.wait else {}
    return render_template("session/sign_in.html", page=page), status, headers


def matches(given: str) -> bool:
    """Compared in constant time."""
    return bool(password()) and hmac.compare_digest(given.encode(), password().encode())


@blueprint.post("/sign-out")
def destroy():
    forget()
    flash(_("Signed out."))
    return redirect(url_for("session.sign_in"), 303)


def forget() -> None:
    kept = {name: session[name] for name in KEPT if name in session}
    session.clear()
    session.update(kept)
