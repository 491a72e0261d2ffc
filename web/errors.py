"""From errors to pages: one table. Every page says what happened and what to do; none says a secret."""

import logging
from dataclasses import dataclass

from flask import Flask, current_app, render_template, request
from flask_babel import gettext as _
from flask_babel import ngettext
from flask_wtf.csrf import CSRFError
from werkzeug.exceptions import HTTPException, RequestEntityTooLarge

from ledger import clock
from ledger.declared import StillDeclared
from ledger.errors import (
    ActionNotFound,
    FailureNotFound,
    JobNotFound,
    LedgerAway,
    MessageNotFound,
    PhotoNotFound,
    PresetNotFound,
    ProcessNotFound,
    QueueNotFound,
    RunNotFound,
    ScheduleNotFound,
    TooLateToUndo,
    ViewNotFound,
    VolumeNotFound,
    WrongState,
)
from ledger.ids import made_at
from ledger.queries.schema import SchemaMissing, require_schema
from ledger.retention import DAY
from ledger.schedules import NameTaken
from ledger.settings import Settings
from ledger.volume_address import VolumesAway
from web import moments, outage, resend
from web.arguments import shorten
from web.console import console
from web.language import Later as _l
from web.numbers import number, size
from web.security import TEXT_LIMIT, ForeignName
from web.words import STATUS

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class ErrorPage:
    """``again`` are the fields of a form that can be sent once more."""

    status: int
    title: str
    text: str
    todo: str = ""
    back: str = "/"
    back_word: str = _l("To the overview")
    again: tuple[tuple[str, str], ...] = ()


NEED_NO_LEDGER = {"static", "health.healthz", "health.readyz"}


def init_app(app: Flask, settings: Settings) -> None:
    app.before_request(check_schema_once)
    for error, page_of in PAGES.items():
        app.register_error_handler(error, _handler(page_of))
    app.register_error_handler(LedgerAway, ledger_away)
    app.register_error_handler(SchemaMissing, schema_missing)


def check_schema_once() -> None:
    """Until the ledger is found ready for the first time: without its tables every page would be a 500."""
    if "waybill_ready" not in current_app.extensions and request.endpoint not in NEED_NO_LEDGER:
        require_schema(console().engine)
        current_app.extensions["waybill_ready"] = True


def _handler(page_of):
    def handle(error):
        page = page_of(error)
        return render_template("errors/error.html", page=page), page.status

    return handle


def run_not_found(error: RunNotFound) -> ErrorPage:
    return ErrorPage(
        404,
        _("No such run"),
        _("There is no run with the id %(id)s.", id=shorten(error.run_id, 60)),
        why_gone(error.run_id),
        "/runs",
        _("To the runs"),
    )


def why_gone(run_id: str) -> str:
    """An id tells when it was made; whether its run was pruned follows from that, as far as anybody can know."""
    settings, at = console().settings, made_at(run_id)
    days = ngettext("pruned after 1 day", "pruned after %(num)s days", settings.retention_days)
    if at is None:
        return _("Finished runs are %(pruned)s; this one may have been.", pruned=days)
    made, age = f"{moments.local(at):%Y-%m-%d %H:%M}", clock.now() - at
    told = _("A run of this id was made on %(date)s. Finished runs are %(pruned)s.", date=made, pruned=days)
    if age > settings.retention_days * DAY:
        return told
    most = settings.retention_runs_per_job
    few = _("Of each job the newest %(number)s finished runs are kept.", number=number(most)) if most else ""
    return f"{told} {few or _('It is not so old: its job may keep only a few runs, or it was never accepted.')}"


def job_not_found(error: JobNotFound) -> ErrorPage:
    return ErrorPage(
        404,
        _("No such job"),
        _("No worker ever announced a job called “%(name)s”.", name=error.name),
        _("Start a worker that has it, or look at the jobs that there are."),
        "/jobs",
        _("To the jobs"),
    )


def failure_not_found(error: FailureNotFound) -> ErrorPage:
    text = _("No run that is still kept failed in this way.")
    return ErrorPage(404, _("No such failure"), text, "", "/failures", _("To the failures"))


def schedule_not_found(error: ScheduleNotFound) -> ErrorPage:
    text = _("There is no schedule with the id %(id)s. It may have been deleted.", id=error.schedule_id)
    return ErrorPage(404, _("No such schedule"), text, "", "/schedules", _("To the schedules"))


def still_declared(error: StillDeclared) -> ErrorPage:
    text = _("It is declared in %(place)s: deleted here, it would come back.", place=error.place)
    title, advice = _("“%(name)s” cannot be deleted", name=error.name), _("Take it out there, or pause it here.")
    return ErrorPage(409, title, text, advice, f"/schedules/{error.schedule_id}", _("To the schedule"))


def name_taken(error: NameTaken) -> ErrorPage:
    text = _("Another schedule is called “%(name)s”. Choose another name.", name=error.name)
    return ErrorPage(409, _("This name is taken"), text, "", "/schedules", _("To the schedules"))


def queue_not_found(error: QueueNotFound) -> ErrorPage:
    text = _("No job, run or worker has a queue called “%(queue)s”.", queue=shorten(error.name, 60))
    return ErrorPage(404, _("No such queue"), text, "", "/queues", _("To the queues"))


def process_not_found(error: ProcessNotFound) -> ErrorPage:
    text = _("No process has this id. It may have been forgotten.")
    return ErrorPage(404, _("No such process"), text, "", "/workers", _("To the workers"))


def message_not_found(error: MessageNotFound) -> ErrorPage:
    text = _("No message has this id. It may have been forgotten, or pruned.")
    return ErrorPage(404, _("No such message"), text, "", "/dead-letters", _("To the dead letters"))


def action_not_found(error: ActionNotFound) -> ErrorPage:
    text = _("There is no action with the id %(id)s.", id=shorten(error.action_id, 60))
    days = console().settings.retention_days
    more = ngettext("They are forgotten after 1 day.", "They are forgotten after %(num)s days.", days)
    return ErrorPage(404, _("No such action"), text, more, "/runs", _("To the runs"))


def too_late_to_undo(error: TooLateToUndo) -> ErrorPage:
    text = _("An action can be undone once, and for ten minutes; what was discarded is gone.")
    return ErrorPage(409, _("Too late to undo"), text, "", f"/actions/{error.action_id}", _("To the action"))


def view_not_found(error: ViewNotFound) -> ErrorPage:
    text = _("Somebody may have deleted it.")
    return ErrorPage(404, _("No such view"), text, "", "/views", _("To the saved views"))


def preset_not_found(error: PresetNotFound) -> ErrorPage:
    text = _("Somebody may have deleted it.")
    return ErrorPage(404, _("No such preset"), text, "", "/volumes/presets", _("To the presets"))


def volume_not_found(error: VolumeNotFound) -> ErrorPage:
    text = _("There is no volume with the id %(id)s. Somebody may have deleted it.", id=shorten(error.volume_id, 60))
    return ErrorPage(404, _("No such volume"), text, "", "/volumes", _("To the volumes"))


def volumes_away(error: VolumesAway) -> ErrorPage:
    log.warning("Answered 503: %s", error)
    text = _("What the ledger knows of volumes is there; their pictures come from a storage that does not answer.")
    return ErrorPage(503, _("The storage of volumes is away"), text, str(error), "/volumes", _("To the volumes"))


def photo_not_found(error: PhotoNotFound) -> ErrorPage:
    text = _("There is no photo with the id %(id)s. Somebody may have deleted it.", id=shorten(error.photo_id, 60))
    return ErrorPage(404, _("No such photo"), text, "", "/photos", _("To the photos"))


def wrong_state(error: WrongState) -> ErrorPage:
    word = str(STATUS[error.state].word).lower()
    text = _("The run is %(state)s by now: only a run that waits or runs can be canceled.", state=word)
    return ErrorPage(409, _("Too late for that"), text, "", f"/runs/{error.run_id}", _("To the run"))


def csrf_failed(error: CSRFError) -> ErrorPage:
    again = resend.fields()
    return ErrorPage(
        400,
        _("The form was too old"),
        _(
            "It was not sent, so nothing happened. Its key did not fit your session: you were signed out, the "
            "site got a new key, or cookies are turned off."
        ),
        _("What it said is kept.") if again else _("Go back, reload the page, and send the form again."),
        again=again,
    )


def too_large(error: RequestEntityTooLarge) -> ErrorPage:
    files, texts = size(current_app.config["MAX_CONTENT_LENGTH"]), size(TEXT_LIMIT)
    return ErrorPage(
        413,
        _("Too large"),
        _(
            "This site takes up to %(files)s in one form, and up to %(texts)s of that as text. Nothing was started.",
            files=files,
            texts=texts,
        ),
        _("Choose a smaller file, put it into the server's files folder, or raise UPLOAD_LIMIT_MB."),
    )


def foreign_name(error: ForeignName) -> ErrorPage:
    return ErrorPage(
        400,
        _("Not by this name"),
        _("Without a password this site answers only at localhost and 127.0.0.1."),
        _("Use one of these names, or set WAYBILL_PASSWORD."),
    )


def http_error(error: HTTPException) -> ErrorPage:
    said = error.description if error.description != type(error).description else ""
    if error.code == 404:
        return ErrorPage(404, _("Nothing here"), said or _("There is no page at this address."))
    return ErrorPage(error.code or 500, error.name, error.description or "")


def server_error(error: Exception) -> ErrorPage:
    log.exception("A page failed: %s %s", request.method, request.path, exc_info=error)
    text = _("What was accepted before is safe in the ledger. The error stands in the log of the site.")
    return ErrorPage(500, _("An error of this site"), text)


PAGES = {
    RunNotFound: run_not_found,
    JobNotFound: job_not_found,
    FailureNotFound: failure_not_found,
    ScheduleNotFound: schedule_not_found,
    StillDeclared: still_declared,
    NameTaken: name_taken,
    QueueNotFound: queue_not_found,
    ProcessNotFound: process_not_found,
    MessageNotFound: message_not_found,
    ActionNotFound: action_not_found,
    TooLateToUndo: too_late_to_undo,
    PresetNotFound: preset_not_found,
    ViewNotFound: view_not_found,
    VolumeNotFound: volume_not_found,
    VolumesAway: volumes_away,
    PhotoNotFound: photo_not_found,
    WrongState: wrong_state,
    CSRFError: csrf_failed,
    RequestEntityTooLarge: too_large,
    ForeignName: foreign_name,
    HTTPException: http_error,
    Exception: server_error,
}


def ledger_away(error: LedgerAway):
    """Static: it must not ask the ledger anything."""
    page = outage.page(console().settings, str(error))
    log.warning("Answered 503: %s", error)
    return render_template("errors/away.html", page=page), 503, {"Retry-After": "5"}


def schema_missing(error: SchemaMissing):
    return render_template("errors/schema.html", page=error), 503, {"Retry-After": "5"}
