"""What the pages of jobs show: sentences about a job, and its form with what stands around it."""

from dataclasses import dataclass
from typing import Any

from flask import url_for

from ledger.clock import MILLISECOND
from ledger.queries.jobs import JobPage
from ledger.queries.lines import RunLine
from web.forms import Field, Form
from web.numbers import duration, number
from web.when import When


@dataclass(frozen=True, slots=True)
class PastRun:
    line: RunLine
    use_url: str


@dataclass(frozen=True, kw_only=True)
class StartPage:
    """The job's page, which is its form. ``original`` is the run that is edited, ``homeless`` what of its arguments
    no field takes."""

    name: str
    queue: str
    lead: tuple[str, ...]
    more: tuple[str, ...]
    source: str
    usual: int | None
    options: tuple[str, ...]
    served: str
    worker_command: str
    version: str
    past: tuple[PastRun, ...]
    form: Form
    when: When
    key: str
    original: str | None
    homeless: tuple[str, ...]
    link: str
    action: str

    @property
    def wrong(self) -> tuple[Field, ...]:
        return self.form.wrong + self.when.wrong if self.form.kwargs is None or self.when.wrong else ()


def page_of(job: JobPage, form: Form, when: When, key: str, original: str | None, homeless: tuple[str, ...]) -> StartPage:
    paragraphs = tuple(" ".join(each.split()) for each in job.doc.split("\n\n") if each.strip())
    return StartPage(
        name=job.name,
        queue=job.queue,
        lead=paragraphs[:1],
        more=paragraphs[1:],
        source=job.source,
        usual=job.usual,
        options=options_in_words(job.options),
        served=served_by(job.workers),
        worker_command="" if job.workers else f"python -m workers --queues {job.queue}",
        version=job.version,
        past=tuple(PastRun(line, url_for("jobs.show", name=job.name, **{"from": line.id})) for line in job.recent),
        form=form,
        when=when,
        key=key,
        original=original,
        homeless=homeless,
        link=link_to(job.name, form, when),
        action=url_for("jobs.create_run", name=job.name),
    )


def link_to(name: str, form: Form, when: When) -> str:
    """The address that fills the form in as it stands now."""
    query: dict[str, list[str]] = {}
    for key, text in (*form.link, *((each.key, each.value) for each in when.fields if each.value)):
        query.setdefault(key, []).append(text)
    return url_for("jobs.show", name=name, _external=True, **query)


def served_by(workers: int) -> str:
    """``2 workers``; in words when there is none."""
    if not workers:
        return "no worker serves it"
    return f"{number(workers)} {'worker' if workers == 1 else 'workers'}"


def options_in_words(options: dict[str, Any]) -> tuple[str, ...]:
    """Sentences on retries and limits; times in the options are milliseconds."""
    return tuple(filter(None, (_retries(options), _throws(options), _time_limit(options), _max_age(options))))


def _retries(options: dict[str, Any]) -> str:
    most = options.get("max_retries")
    apart = f"{_span(options.get('min_backoff'))} to {_span(options.get('max_backoff'))} apart"
    if options.get("retry_when"):
        return f"Tried again as its own rule says, {apart}."
    if most is None:
        return f"Tried again until it succeeds, {apart}."
    return f"Up to {number(most)} {'retry' if most == 1 else 'retries'}, {apart}." if most else "Never tried again."


def _throws(options: dict[str, Any]) -> str:
    names = options.get("throws") or ()
    return f"Not tried again after {', '.join(names)}." if names and options.get("max_retries") != 0 else ""


def _time_limit(options: dict[str, Any]) -> str:
    limit = options.get("time_limit")
    return f"Stopped after {_span(limit)}." if limit else "Runs for as long as it takes."


def _max_age(options: dict[str, Any]) -> str:
    age = options.get("max_age")
    return f"Not started when it is older than {_span(age)}." if age else ""


def _span(milliseconds: int | None) -> str:
    return duration((milliseconds or 0) * MILLISECOND)
