"""The places of the site: what the bar on top lists, the keys that lead there, and what the palette finds."""

from dataclasses import dataclass
from typing import Any

from flask import Flask, current_app, request, url_for
from flask_babel import gettext

from ledger.errors import N_
from ledger.settings import Settings
from web.language import Later as _l


@dataclass(frozen=True, slots=True)
class Place:
    """``word`` as people read it, ``name`` in English; ``keys`` as ``aria-keyshortcuts`` writes them; ``rooms`` are
    other blueprints whose pages belong to this place; ``also`` is what else people call it, or do there."""

    endpoint: str
    name: str
    word: Any
    keys: str = ""
    in_bar: bool = True
    rooms: tuple[str, ...] = ()
    also: str = ""

    @property
    def about(self) -> str:
        return gettext(self.also) if self.also else ""

    @property
    def url(self) -> str:
        return url_for(self.endpoint)

    @property
    def is_here(self) -> bool:
        own = (self.endpoint.partition(".")[0], *self.rooms)
        return any(room in request.blueprints for room in own)


#: Pages that belong to a place although another blueprint has them.
OF_RUNS = ("failures", "dead_letters", "actions", "views")
OF_VOLUMES = ("volume_page", "volume_beside", "measurements", "subjects")
ALL = (
    Place("overview.index", "Overview", _l("Overview"), "g o", also=N_("home, dashboard, alerts, flow")),
    Place("runs.index", "Runs", _l("Runs"), "g r", rooms=OF_RUNS, also=N_("history, cancel, tag, export")),
    Place("jobs.index", "Jobs", _l("Jobs"), "g j", also=N_("start, form")),
    Place("queues.index", "Queues", _l("Queues"), "g q", also=N_("pause, resume, waiting, backlog")),
    Place("workers.index", "Workers", _l("Workers"), "g w", also=N_("drain, forget, processes, slots")),
    Place("schedules.index", "Schedules", _l("Schedules"), "g s", also=N_("pause, resume, cron, next, missed")),
    Place("volumes.index", "Volumes", _l("Volumes"), "g v", rooms=OF_VOLUMES),
    Place("photos.index", "Photos", _l("Photos"), "g p"),
    Place("failures.index", "Failures", _l("Failures"), in_bar=False, also=N_("mute, unmute, errors, causes")),
    Place("dead_letters.index", "Dead letters", _l("Dead letters"), in_bar=False, also=N_("unreadable messages")),
    Place("actions.index", "Bulk history", _l("Bulk history"), in_bar=False, also=N_("bulk actions, undo")),
    Place("settings.index", "Settings", _l("Settings"), in_bar=False, also=N_("versions, retention, checks")),
    Place("schedules.new", "New schedule", _l("New schedule"), in_bar=False),
    Place("schedules.calendar", "Calendar of schedules", _l("Calendar of schedules"), in_bar=False),
    Place("keyboard.index", "Keys", _l("Keys"), in_bar=False, also=N_("keyboard, shortcuts")),
)


def init_app(app: Flask, settings: Settings) -> None:
    app.jinja_env.globals |= {"places_in_bar": in_bar, "has_page": has_page}


def places() -> list[Place]:
    return [place for place in ALL if has_page(place.endpoint)]


def in_bar() -> list[Place]:
    return [place for place in places() if place.in_bar]


def has_page(endpoint: str) -> bool:
    return endpoint in current_app.view_functions


def called(text: str) -> list[Place]:
    """Those whose name, in the page's language or in English, has all words of ``text``; then those that have them
    with what else they are called."""
    words = text.casefold().split()
    named = [place for place in places() if all(word in _names(place) for word in words)]
    return named + [place for place in places() if place not in named and all(word in _all(place) for word in words)]


def _names(place: Place) -> str:
    return " ".join((gettext(place.name), place.name)).casefold()


def _all(place: Place) -> str:
    return f"{_names(place)} {place.about} {place.also}".casefold()
