"""The palette: finds pages, jobs and runs by what is typed. A job that needs nothing said is started from here,
by the same address as from its form."""

from dataclasses import dataclass

from flask import Blueprint, render_template, request
from flask_babel import gettext as _

from ledger.errors import N_
from ledger.queries.finding import Found, found, queue_names
from web import places
from web.console import console
from web.live import is_poll
from web.places import Place

blueprint = Blueprint("search", __name__, url_prefix="/search")

TEXT_LIMIT = 200
MOST_QUEUES = 8
GENERAL = N_("queue pause resume")


@dataclass(frozen=True, slots=True)
class SearchPage:
    text: str
    places: list[Place]
    found: Found
    queues: tuple[str, ...]

    @property
    def number(self) -> int:
        return len(self.places) + len(self.queues) + len(self.found.jobs) + len(self.found.runs)


@blueprint.get("")
def index():
    """The whole page, or for the palette of another page just its options."""
    text = "".join(filter(str.isprintable, request.args.get("q", "")[:TEXT_LIMIT])).strip()
    page = SearchPage(text, places.called(text), found(console().engine, text), _queues(text))
    return render_template("search/_options.html" if is_poll() else "search/index.html", page=page)


def _queues(text: str) -> tuple[str, ...]:
    """Those with all words of ``text`` in their name, where "queue", "pause" and the like may stand for any."""
    words, general = text.casefold().split(), " ".join((_(GENERAL), GENERAL))
    if not words:
        return ()
    names = queue_names(console().engine)
    return tuple(name for name in names if all(word in f"{name.casefold()} {general}" for word in words))[:MOST_QUEUES]
