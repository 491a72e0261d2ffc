"""The catalogue of jobs, and the page of one, which is the form that starts it."""

import hashlib
from secrets import token_urlsafe
from zoneinfo import ZoneInfo

from flask import Blueprint, flash, make_response, redirect, render_template, request, url_for
from flask_babel import gettext as _

from ledger.errors import RunNotFound
from ledger.ids import is_id
from ledger.queries.jobs import JobPage, RunArguments, job_page, jobs_page, run_arguments
from ledger.queries.reruns import ties
from ledger.runs import NewRun
from web import when
from web.console import console, person, start
from web.forms import Form, Named, by_name, filled_in, form_of, read
from web.jobview import StartPage, page_of, served_by
from web.live import live_page

blueprint = Blueprint("jobs", __name__, url_prefix="/jobs")

CATALOGUE_SECONDS = 5
KEY_LIMIT = 60

blueprint.add_app_template_filter(served_by, "served")


@blueprint.get("")
def index():
    return live_page("jobs/index.html", jobs_page(console().engine), CATALOGUE_SECONDS)


@blueprint.get("/<path:name>/start")
def edit(name: str):
    """``?from=<run>``: the form filled in with that run's arguments; the new run is linked to it."""
    return _filled_form(name, linked=True)


@blueprint.get("/<path:name>")
def show(name: str):
    """The form: blank, or as an address says (``?arg-month=2026-10``), or with an earlier run's arguments."""
    return _filled_form(name, linked=False)


@blueprint.post("/<path:name>/runs")
def create_run(name: str):
    begun = begin(name)
    return redirect(url_for("runs.show", run_id=begun), 303) if isinstance(begun, str) else begun


def begin(name: str):
    """The id of the run that the form which was sent asks for; or the job's page with what is wrong at each field."""
    job = job_page(console().engine, name)
    original = _original(request.form.get("parent", ""))
    form = read(
        job.parameters, request.form, request.files, _named(job, original).values if original else None
    )
    asked = when.read(job, request.form, _zone())
    if form.kwargs is None or asked.wrong:
        page = page_of(job, form, asked, _key(), original, (), bool(_ties(original)))
        return _answer(page, 422)
    return _started(job, _new_run(job, form, asked, original))


def _filled_form(name: str, linked: bool):
    job = job_page(console().engine, name)
    run = _run(request.args.get("from", ""))
    if run and run.job != name:
        return redirect(url_for(request.endpoint, name=run.job, **request.args))
    named = _named(job, run) if run else Named({})
    form = form_of(job.parameters, named.values) if run else filled_in(job.parameters, request.args)
    texts = when.like(job, run.queue, run.priority) if run else request.args
    original = run if linked else None
    shown = when.shown(job, texts, _zone())
    goes_on = bool(_ties(original))
    return _answer(page_of(job, form, shown, _key(), original, named.homeless, goes_on))


def _answer(page: StartPage, status: int = 200):
    """Browsers may keep it: going back to a form brings back what was typed."""
    response = make_response(render_template("jobs/show.html", page=page), status)
    response.cache_control.private = response.cache_control.no_cache = True
    return response


def _run(run_id: str) -> RunArguments | None:
    """Raises RunNotFound."""
    if run_id and not is_id(run_id):
        raise RunNotFound(run_id)
    return run_arguments(console().engine, run_id) if run_id else None


def _original(run_id: str) -> RunArguments | None:
    """The run that was edited, unless it was pruned meanwhile: nothing typed is lost for that."""
    try:
        return _run(run_id)
    except RunNotFound:
        return None


def _ties(original: RunArguments | None) -> dict:
    """What lets the new run take the place of the original in its pipeline or group."""
    return ties(console().engine, original.id) if original else {}


def _named(job: JobPage, run: RunArguments) -> Named:
    return by_name(job.parameters, run.args, run.kwargs, run.typed)


def _zone() -> ZoneInfo:
    return ZoneInfo(console().settings.display_timezone)


def _key() -> str:
    return request.form.get("key", "")[:KEY_LIMIT] or token_urlsafe(12)


def _new_run(job: JobPage, form: Form, asked: when.When, original: RunArguments | None) -> NewRun:
    return NewRun(
        job=job.name,
        queue=asked.queue,
        origin="form",
        kwargs=form.kwargs,
        typed=True,
        priority=asked.priority,
        due_at=asked.due_at,
        expires_at=asked.expires_at,
        created_by=person(),
        parent_id=original and original.id,
        options=_ties(original),
        idempotency_key=_idempotency_key(job, form, asked),
    )


def _idempotency_key(job: JobPage, form: Form, asked: when.When) -> str | None:
    """The same for a second press of the button; another one for who goes back and changes something."""
    if not (key := request.form.get("key", "")[:KEY_LIMIT]):
        return None
    said = "\0".join((job.name, key, form.digest, *asked.sent))
    return f"form:{hashlib.sha256(said.encode()).hexdigest()}"


def _started(job: JobPage, new: NewRun) -> str:
    run_id = start(new)
    if run_id != new.id and job.options.get("unique"):
        flash(_("This job takes no equal run now: here is the one that stands in its way."))
    elif run_id != new.id:
        flash(_("This was started already: sending a form twice makes one run."))
    return run_id
