"""From errors to pages: one table. Every page says what happened and what to do; none says a secret."""

import logging
from dataclasses import dataclass

from flask import Flask, current_app, render_template, request
from flask_wtf.csrf import CSRFError
from werkzeug.exceptions import HTTPException, RequestEntityTooLarge

from ledger.errors import (
    ActionNotFound,
    JobNotFound,
    LedgerAway,
    RunNotFound,
    ScheduleNotFound,
    TooLateToUndo,
    ViewNotFound,
    WrongState,
)
from ledger.queries.schema import SchemaMissing, require_schema
from ledger.settings import Settings
from web import outage
from web.arguments import shorten
from web.console import console
from web.numbers import size
from web.security import TEXT_LIMIT, ForeignName
from web.words import STATUS

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class ErrorPage:
    status: int
    title: str
    text: str
    todo: str = ""
    back: str = "/"
    back_word: str = "To the overview"


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
    days = console().settings.retention_days
    return ErrorPage(
        404,
        "No such run",
        f"There is no run with the id {shorten(error.run_id, 60)}.",
        f"Finished runs are pruned after {days} days; this one may have been.",
        "/runs",
        "To the runs",
    )


def job_not_found(error: JobNotFound) -> ErrorPage:
    return ErrorPage(
        404,
        "No such job",
        f"No worker ever announced a job called “{error.name}”.",
        "Start a worker that has it, or look at the jobs that there are.",
        "/jobs",
        "To the jobs",
    )


def schedule_not_found(error: ScheduleNotFound) -> ErrorPage:
    text = f"There is no schedule with the id {error.schedule_id}. It may have been deleted."
    return ErrorPage(404, "No such schedule", text, "", "/schedules", "To the schedules")


def action_not_found(error: ActionNotFound) -> ErrorPage:
    days = console().settings.retention_days
    text = f"There is no action with the id {shorten(error.action_id, 60)}."
    return ErrorPage(404, "No such action", text, f"They are forgotten after {days} days.", "/runs", "To the runs")


def too_late_to_undo(error: TooLateToUndo) -> ErrorPage:
    text = "An action can be undone once, and for ten minutes; what was discarded is gone."
    return ErrorPage(409, "Too late to undo", text, "", f"/actions/{error.action_id}", "To the action")


def view_not_found(error: ViewNotFound) -> ErrorPage:
    return ErrorPage(404, "No such view", "Somebody may have deleted it.", "", "/views", "To the saved views")


def wrong_state(error: WrongState) -> ErrorPage:
    word = STATUS[error.state].word
    text = f"The run is {word.lower()} by now: only a run that waits or runs can be canceled."
    return ErrorPage(409, "Too late for that", text, "", f"/runs/{error.run_id}", "To the run")


def csrf_failed(error: CSRFError) -> ErrorPage:
    return ErrorPage(
        400,
        "The form was too old",
        "It was not sent, so nothing happened. Its key did not fit your session: you were signed out, the "
        "site got a new key, or cookies are turned off.",
        "Go back, reload the page, and send the form again.",
    )


def too_large(error: RequestEntityTooLarge) -> ErrorPage:
    files, texts = size(current_app.config["MAX_CONTENT_LENGTH"]), size(TEXT_LIMIT)
    return ErrorPage(
        413,
        "Too large",
        f"This site takes up to {files} in one form, and up to {texts} of that as text. Nothing was started.",
        "Choose a smaller file, put it into the server's files folder, or raise UPLOAD_LIMIT_MB.",
    )


def foreign_name(error: ForeignName) -> ErrorPage:
    return ErrorPage(
        400,
        "Not by this name",
        "Without a password this site answers only at localhost and 127.0.0.1.",
        "Use one of these names, or set WAYBILL_PASSWORD.",
    )


def http_error(error: HTTPException) -> ErrorPage:
    said = error.description if error.description != type(error).description else ""
    if error.code == 404:
        return ErrorPage(404, "Nothing here", said or "There is no page at this address.")
    return ErrorPage(error.code or 500, error.name, error.description or "")


def server_error(error: Exception) -> ErrorPage:
    log.exception("A page failed: %s %s", request.method, request.path, exc_info=error)
    text = "What was accepted before is safe in the ledger. The error stands in the log of the site."
    return ErrorPage(500, "An error of this site", text)


PAGES = {
    RunNotFound: run_not_found,
    JobNotFound: job_not_found,
    ScheduleNotFound: schedule_not_found,
    ActionNotFound: action_not_found,
    TooLateToUndo: too_late_to_undo,
    ViewNotFound: view_not_found,
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
