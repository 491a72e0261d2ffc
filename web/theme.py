"""The theme of the pages: light, dark, or as the system says. Said by the server, so that nothing flashes."""

from flask import Blueprint, Flask, Response, redirect, request, session

from ledger.settings import Settings
from web.addresses import local_path
from web.language import Later as _l

blueprint = Blueprint("theme", __name__)

THEMES = {"system": _l("As the system"), "light": _l("Light"), "dark": _l("Dark")}
#: What a browser draws by itself: scroll bars, controls, the sheet before the style is there.
SCHEMES = {"system": "light dark", "light": "light", "dark": "dark"}


def init_app(app: Flask, settings: Settings) -> None:
    app.jinja_env.globals |= {"themes": THEMES, "theme": theme, "color_scheme": lambda: SCHEMES[theme()]}


def theme() -> str:
    chosen = session.get("theme")
    return chosen if chosen in THEMES else "system"


@blueprint.post("/theme")
def choose() -> Response:
    if request.form.get("theme") in THEMES:
        session["theme"] = request.form["theme"]
    return redirect(local_path(request.form.get("next")), 303)
