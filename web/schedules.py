"""Schedules: what fires next and what was missed; making, changing, pausing and deleting them; running one now."""

import re
from dataclasses import replace

from flask import Blueprint, flash, make_response, redirect, render_template, request, url_for
from flask_babel import gettext as _
from flask_babel import ngettext

from ledger import declared, schedules, texts
from ledger.engine import reading, writing
from ledger.errors import ScheduleNotFound
from ledger.ids import is_id
from ledger.queries import schedules as queries
from ledger.queries.calendar import calendar as calendar_of
from ledger.queries.jobs import JobPage, job_page, jobs_page
from ledger.queries.origins import ownership
from ledger.queries.schedules import Schedule, Wanted
from ledger.schedules import NameTaken, NewSchedule
from web import forms, pause_form, pause_words, schedule_bulk, schedule_words, tick_words
from web.calendar_view import calendar_view
from web.console import console, person, start
from web.forms import Form
from web.live import live_page
from web.reruns import KEY
from web.schedule_form import Said, judge, said_by, said_of
from web.schedule_page import form_page, preview
from web.schedule_view import missed_view, schedule_view, schedules_view

blueprint = Blueprint("schedules", __name__, url_prefix="/schedules")

SECONDS = 3
CALENDAR_SECONDS = 30
TEXT_LIMIT = 200
INSTANT = re.compile(r"[0-9]{1,18}", re.ASCII)

blueprint.register_blueprint(schedule_bulk.blueprint)
blueprint.add_app_template_filter(schedule_words.TICK.__getitem__, "tick")
blueprint.add_app_template_filter(tick_words.reason, "tick_reason")
blueprint.add_app_template_filter(pause_words.clock_time, "pause_end")


@blueprint.before_request
def refuse_what_is_no_id() -> None:
    schedule_id = (request.view_args or {}).get("schedule_id")
    if schedule_id is not None and not is_id(schedule_id):
        raise ScheduleNotFound(schedule_id)


@blueprint.get("")
def index():
    """``?q=…`` for those with these words in their name or job, ``sort=name`` by name; ``from`` is the name with which
    a page begins, and ``at`` when that one fires."""
    found = queries.schedules_page(console().engine, _wanted())
    return live_page("schedules/index.html", schedules_view(found, _wanted()), SECONDS)


def _wanted() -> Wanted:
    text, name = (texts.clean(request.args.get(each, "").strip()[:TEXT_LIMIT]) for each in ("q", "from"))
    at = request.args.get("at", "")
    return Wanted(text, name, int(at) if INSTANT.fullmatch(at) else 0, request.args.get("sort") == "name")


@blueprint.get("/calendar")
def calendar():
    found = calendar_of(console().engine, _wanted())
    return live_page("schedules/calendar.html", calendar_view(found, _wanted()), CALENDAR_SECONDS)


@blueprint.get("/<schedule_id>")
def show(schedule_id: str):
    page = schedule_view(queries.schedule_page(console().engine, schedule_id))
    return live_page("schedules/show.html", page, SECONDS)


@blueprint.get("/new")
def new():
    """The form for ``?job=…``; without one, the jobs to choose from."""
    if not request.args.get("job"):
        return render_template("schedules/pick.html", page=jobs_page(console().engine))
    job = job_page(console().engine, request.args["job"])
    said = Said(name=job.name, timezone=console().settings.display_timezone)
    return _answer(job, said, forms.filled_in(job.parameters, request.args))


@blueprint.get("/preview")
def show_preview():
    """The part of the form that says when a rule fires, while somebody types it."""
    fires, faults = preview(said_of(request.args), request.args.get("viewer", ""))
    return render_template("schedules/_preview.html", fires=fires, faults=faults.values())


@blueprint.post("")
def create():
    return _save(request.form.get("job", ""), None)


@blueprint.get("/<schedule_id>/edit")
def edit(schedule_id: str):
    schedule = queries.schedule_of(console().engine, schedule_id)
    job = job_page(console().engine, schedule.job)
    return _answer(job, said_by(schedule), forms.form_of(job.parameters, schedule.args), schedule)


@blueprint.post("/<schedule_id>")
def change(schedule_id: str):
    schedule = queries.schedule_of(console().engine, schedule_id)
    return _save(schedule.job, schedule)


def _save(job_name: str, schedule: Schedule | None):
    """Keeps what was sent, as a new schedule or a changed one; or shows the form again, with everything typed."""
    job, said = job_page(console().engine, job_name), said_of(request.form)
    form = forms.read(job.parameters, request.form, request.files)
    if "preview" in request.form:
        return _answer(job, said, _unjudged(form), schedule)
    new, errors = judge(said, job, form, schedule and schedule.rule)
    if new is None:
        return _answer(job, said, form, schedule, errors, 422)
    try:
        return redirect(url_for("schedules.show", schedule_id=_write(new, schedule)), 303)
    except NameTaken:
        errors = {"name": _("Another schedule is called “%(name)s”. Choose another name.", name=new.name)}
        return _answer(job, said, form, schedule, errors, 422)


def _write(new: NewSchedule, schedule: Schedule | None) -> str:
    with writing(console().engine) as connection:
        if schedule is None:
            return schedules.create(connection, new, person())
        schedules.change(connection, schedule.id, new)
        return schedule.id


def _unjudged(form: Form) -> Form:
    """Somebody only wants to see the times: no argument is called wrong yet. Files that came along are kept."""
    return replace(form, fields=tuple(replace(each, error="") for each in form.fields))


def _answer(job: JobPage, said: Said, form: Form, schedule=None, errors=None, status: int = 200):
    """Browsers may keep it: going back to a form brings back what was typed."""
    page = form_page(job, said, form, schedule, errors, request.values.get("viewer", ""))
    response = make_response(render_template("schedules/form.html", page=page), status)
    response.cache_control.private = response.cache_control.no_cache = True
    return response


@blueprint.get("/<schedule_id>/pause")
def new_pause(schedule_id: str):
    schedule = queries.schedule_of(console().engine, schedule_id)
    return render_template("schedules/pause.html", page=pause_form.filled_in(), schedule=schedule)


@blueprint.post("/<schedule_id>/pause")
def pause(schedule_id: str):
    """With a reason and an end, or from the list without."""
    page = pause_form.read(request.form)
    if page.errors:
        schedule = queries.schedule_of(console().engine, schedule_id)
        return render_template("schedules/pause.html", page=page, schedule=schedule), 422
    with writing(console().engine) as connection:
        schedules.pause(connection, schedule_id, person(), page.reason, page.ends_at)
    flash(pause_words.paused_schedule(page.ends_at))
    return _back(schedule_id)


@blueprint.post("/<schedule_id>/resumption")
def resume(schedule_id: str):
    with writing(console().engine) as connection:
        schedules.resume(connection, schedule_id)
    flash(_("Resumed, from now on: ticks of the pause are not made up for."))
    return _back(schedule_id)


def _back(schedule_id: str):
    """To the list, for buttons that stand there; else to the schedule's own page."""
    address = url_for("schedules.index") if request.form.get("from") == "list" else None
    return redirect(address or url_for("schedules.show", schedule_id=schedule_id), 303)


@blueprint.post("/<schedule_id>/runs")
def run_now(schedule_id: str):
    """A run besides the ticks. The form's key makes a second press of the button the same run."""
    key = request.form.get("key", "")
    unique = f"schedule:{schedule_id}:{key}" if KEY.fullmatch(key) else None
    with reading(console().engine) as connection:
        new = schedules.request(connection, schedule_id, person(), unique)
    return redirect(url_for("runs.show", run_id=start(new)), 303)


@blueprint.get("/<schedule_id>/missed")
def confirm_missed(schedule_id: str):
    return _missed(schedule_id)


@blueprint.post("/<schedule_id>/missed")
def run_missed(schedule_id: str):
    """The runs of the missed ticks that were chosen; those that somebody ran meanwhile are left."""
    times = [int(each) for each in request.form.getlist("tick") if INSTANT.fullmatch(each)]
    if not times:
        return _missed(schedule_id, _("Choose at least one tick.")), 422
    with writing(console().engine) as connection:
        fired = schedules.run_missed(connection, schedule_id, times, person())
    for each in fired:
        console().publisher.hint(each.run_id, each.job, each.queue)
    flash(ngettext("Started %(num)s run.", "Started %(num)s runs.", len(fired)))
    return redirect(url_for("schedules.show", schedule_id=schedule_id), 303)


def _missed(schedule_id: str, error: str = "") -> str:
    page = missed_view(queries.schedule_page(console().engine, schedule_id))
    return render_template("schedules/missed.html", page=page, error=error)


@blueprint.get("/<schedule_id>/deletion")
def confirm_deletion(schedule_id: str):
    page = queries.schedule_of(console().engine, schedule_id)
    origin, is_declared = ownership(console().engine, schedule_id)
    return render_template("schedules/deletion.html", page=page, origin=origin, is_declared=is_declared)


@blueprint.post("/<schedule_id>/deletion")
def delete(schedule_id: str):
    schedule = queries.schedule_of(console().engine, schedule_id)
    with writing(console().engine) as connection:
        declared.remove(connection, schedule_id)
    flash(_("Deleted the schedule “%(name)s”. Its runs stay.", name=schedule.name))
    return redirect(url_for("schedules.index"), 303)
