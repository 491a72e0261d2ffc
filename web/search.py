"""The palette: finds pages, jobs and runs by what is typed. A job that needs nothing said is started from here,
by the same address as from its form."""

from dataclasses import dataclass

from flask import Blueprint, render_template, request

from ledger.queries.finding import Found, found
from web import places
from web.console import console
from web.live import is_poll
from web.places import Place

blueprint = Blueprint("search", __name__, url_prefix="/search")

TEXT_LIMIT = 200


@dataclass(frozen=True, slots=True)
class SearchPage:
    text: str
    places: list[Place]
    found: Found

    @property
    def number(self) -> int:
        return len(self.places) + len(self.found.jobs) + len(self.found.runs)


@blueprint.get("")
def index():
    """The whole page, or for the palette of another page just its options."""
    text = "".join(filter(str.isprintable, request.args.get("q", "")[:TEXT_LIMIT])).strip()
    page = SearchPage(text, places.called(text), found(console().engine, text))
    return render_template("search/_options.html" if is_poll() else "search/index.html", page=page)
