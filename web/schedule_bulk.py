"""Pausing and resuming many schedules at once: the page that asks, naming each, and then all in one transaction."""

from dataclasses import dataclass

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from flask_babel import ngettext

from ledger import schedules
from ledger.engine import writing
from ledger.ids import is_id
from ledger.queries import schedules as queries
from ledger.queries.schedules import Schedule
from web import pause_form
from web.console import console, person
from web.pause_form import PauseForm

blueprint = Blueprint("bulk", __name__)

MOST_CHOSEN = 500


@dataclass(frozen=True, slots=True)
class BulkPage:
    """``act`` is pause or resume; ``chosen`` are those to which it can be done, ``others`` are so already."""

    act: str
    chosen: tuple[Schedule, ...]
    others: int


def _page(act: str, ids: list[str]) -> BulkPage:
    found = queries.schedules_of(console().engine, [each for each in ids if is_id(each)][:MOST_CHOSEN])
    paused = act != "pause"
    chosen = tuple(each for each in found if (each.paused_at is not None) == paused and not each.is_held_up)
    return BulkPage(act, chosen, len(found) - len(chosen))


@blueprint.get("/bulk")
def new():
    """``?act=pause&id=…&id=…``, as the list sends what was ticked."""
    page = _page("resume" if request.args.get("act") == "resume" else "pause", request.args.getlist("id"))
    if not page.chosen:
        flash(_nothing(page))
        return redirect(url_for("schedules.index"), 303)
    return _ask(page, pause_form.filled_in())


def _nothing(page: BulkPage) -> str:
    if not page.others:
        return _("Nothing was chosen. Tick schedules first.")
    return _("All of them are paused already.") if page.act == "pause" else _("None of them is paused.")


def _ask(page: BulkPage, form: PauseForm) -> str:
    return render_template("schedules/bulk.html", page=form, bulk=page, nothing="" if page.chosen else _nothing(page))


@blueprint.post("/pauses")
def pause():
    page, form = _page("pause", request.form.getlist("id")), pause_form.read(request.form)
    if form.errors or not page.chosen:
        return _ask(page, form), 422
    with writing(console().engine) as connection:
        for each in page.chosen:
            schedules.pause(connection, each.id, person(), form.reason, form.ends_at)
    flash(ngettext("Paused %(num)s schedule.", "Paused %(num)s schedules.", len(page.chosen)))
    return redirect(url_for("schedules.index"), 303)


@blueprint.post("/resumptions")
def resume():
    page = _page("resume", request.form.getlist("id"))
    if not page.chosen:
        return _ask(page, pause_form.filled_in()), 422
    with writing(console().engine) as connection:
        for each in page.chosen:
            schedules.resume(connection, each.id)
    flash(
        ngettext("Resumed %(num)s schedule, from now on.", "Resumed %(num)s schedules, from now on.", len(page.chosen))
    )
    return redirect(url_for("schedules.index"), 303)
