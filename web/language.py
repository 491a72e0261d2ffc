"""The language of the pages: the one a person chose, or the first that the browser asks for and we have."""

from collections.abc import Iterable

from babel.lists import format_list
from flask import Blueprint, Flask, Response, g, has_request_context, redirect, request, session
from flask_babel import Babel, Domain, get_locale
from flask_babel import gettext as _
from flask_babel.speaklater import LazyString
from markupsafe import Markup

from ledger.settings import Settings
from web.addresses import local_path

blueprint = Blueprint("language", __name__)

#: By Babel's names: how each calls itself.
LANGUAGES = {"en": "English", "zh_Hans": "简体中文"}


def init_app(app: Flask, settings: Settings) -> None:
    app.config["BABEL_TRANSLATION_DIRECTORIES"] = "translations"
    OneCatalogue(app, locale_selector=language)
    app.jinja_env.globals |= {"_": said, "gettext": said, "ngettext": said_of_number}
    app.jinja_env.globals |= {"languages": LANGUAGES, "language": language, "language_tag": language_tag}


class Catalogue(Domain):
    """Found once a request: a page of runs says several hundred words."""

    def get_translations(self):
        try:
            return g.translations
        except AttributeError:
            g.translations = super().get_translations()
            return g.translations
        except RuntimeError:  # outside of a request
            return super().get_translations()


CATALOGUE = Catalogue()


class OneCatalogue(Babel):
    """Flask-Babel makes a new domain for each request, which then reads its catalogue from disk again."""

    domain_instance = CATALOGUE


class Later(LazyString):
    """A sentence that is looked up when it is read: constants know no request. The way of Flask-Babel's own
    ``lazy_gettext`` takes five times as long, and a page of runs goes it more than a hundred times."""

    def __init__(self, sentence: str):
        super().__init__(None, sentence)

    def __str__(self) -> str:
        return CATALOGUE.get_translations().gettext(self._args[0])

    def format(self, *values, **named) -> str:
        return str(self).format(*values, **named)


def said(sentence: str, /, **values) -> Markup:
    """What templates call: Flask-Babel's own way there takes four times as long, and a page of runs says hundreds."""
    return _filled(CATALOGUE.get_translations().gettext(sentence), values)


def said_of_number(one: str, many: str, number: int, /, **values) -> Markup:
    return _filled(CATALOGUE.get_translations().ngettext(one, many, number), {"num": number} | values)


def together(names: Iterable[str]) -> str:
    """All of them, as a sentence names them: ``“mail”, “imaging” and “reports”``."""
    return format_list([_("“%(name)s”", name=name) for name in names], locale=get_locale() or "en")


def _filled(found: str, values: dict) -> Markup:
    return Markup(found) % values if values or "%" in found else Markup(found)


def language() -> str:
    """``en`` outside of a request: logs and tests read English."""
    if not has_request_context():
        return "en"
    chosen = session.get("language")
    return chosen if chosen in LANGUAGES else _asked_for()


def _asked_for() -> str:
    tags = {"en": "en", "zh-CN": "zh_Hans", "zh-Hans": "zh_Hans", "zh-SG": "zh_Hans", "zh": "zh_Hans"}
    return tags.get(request.accept_languages.best_match(list(tags)), "en")


def language_tag() -> str:
    """For the ``lang`` attribute: ``en``, ``zh-Hans``."""
    return str(get_locale()).replace("_", "-")


@blueprint.post("/language")
def choose() -> Response:
    if request.form.get("language") in LANGUAGES:
        session["language"] = request.form["language"]
    return redirect(local_path(request.form.get("next")), 303)
