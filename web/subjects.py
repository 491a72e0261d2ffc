"""A page per subject: its newest volume. Opened for the first time it has the volume loaded, and waits a little."""

import hashlib
import time
from dataclasses import dataclass

from flask import Blueprint, abort, redirect, request, url_for
from flask_babel import gettext as _

from ledger.engine import end_moment
from ledger.queries import volumes as queries
from ledger.queries.jobs import job_page
from ledger.queries.lines import RunLine, newest_with_key
from ledger.queries.status import AT_WORK, WAITING
from ledger.runs import NewRun
from web.console import console, person, start
from web.live import is_poll, live_page

blueprint = Blueprint("subjects", __name__, url_prefix="/subjects")

JOB = "volumes.ingest"
#: So long a visitor waits for the picture instead of for a page that says it will come.
PATIENCE_SECONDS = 1.0
POLL_SECONDS = 1.0
LONGEST_NAME = 100
MOST_LOADS = 20
NUMBERS = frozenset(map(str, range(1, MOST_LOADS + 1)))


@dataclass(frozen=True, slots=True)
class SubjectPage:
    """``path`` is where the file is looked for, in the files folder; ``run`` is the ``number``-th that loads it."""

    subject: str
    path: str
    run: RunLine
    number: int
    is_over: bool

    @property
    def can_load(self) -> bool:
        return self.number < MOST_LOADS


@blueprint.before_request
def refuse_what_is_no_name() -> None:
    path_of(request.view_args["subject"])


@blueprint.get("/<subject>")
def show(subject: str):
    """Its newest volume, as soon as there is one: a redirect, so that the volume has one address."""
    if found := volume_of(subject):
        return to_volume(found)
    if newest_load(subject) is None:
        load(subject, 1)
    if found := volume_soon(subject):
        return to_volume(found)
    page = page_of(subject)
    return live_page("subjects/show.html", page, None if page.is_over else POLL_SECONDS)


@blueprint.post("/<subject>/loads")
def create_load(subject: str):
    """Once more, after the last one came to nothing. A second press finds the same run."""
    number = request.form.get("number", "")
    load(subject, int(number) if number in NUMBERS else 1)
    return redirect(url_for("subjects.show", subject=subject), 303)


def to_volume(volume_id: str):
    return redirect(url_for("volume_page.show", volume_id=volume_id), 303)


def volume_of(subject: str) -> str | None:
    return queries.newest_of_subject(console().engine, subject)


def volume_soon(subject: str) -> str | None:
    """Its volume if it comes within the visitor's patience; a poll does not wait."""
    watch, until = console().watch, time.monotonic() + (0 if is_poll() else PATIENCE_SECONDS)
    while True:
        seen = watch.version
        end_moment()  # each look is of now
        found = volume_of(subject)
        rest = until - time.monotonic()
        if found or rest <= 0 or page_of(subject).is_over:
            return found
        watch.wait(seen, rest)


def page_of(subject: str) -> SubjectPage:
    number, line = newest_load(subject)
    return SubjectPage(subject, path_of(subject), line, number, line.status not in WAITING | AT_WORK)


def newest_load(subject: str) -> tuple[int, RunLine] | None:
    keys = [key_of(subject, number) for number in range(1, MOST_LOADS + 1)]
    found = newest_with_key(console().engine, keys)
    return found and (keys.index(found[0]) + 1, found[1])


def load(subject: str, number: int) -> None:
    job = job_page(console().engine, JOB)
    start(
        NewRun(
            job=JOB,
            queue=job.queue,
            origin="form",
            kwargs={"path": path_of(subject), "subject": subject, "name": subject},
            typed=True,
            created_by=person(),
            idempotency_key=key_of(subject, number),
        )
    )


def key_of(subject: str, number: int) -> str:
    digest = hashlib.sha256(subject.encode()).hexdigest()[:32]
    return f"subject:{digest}:{number}"


def path_of(subject: str) -> str:
    """Where the file of a subject lies, as the settings say."""
    if len(subject) > LONGEST_NAME or not subject.isprintable():
        abort(404, _("A subject's name has at most %(most)s characters.", most=LONGEST_NAME))
    return console().settings.subject_path.replace("{subject}", subject)
