"""What the pages of jobs show: sentences about a job, and its form with what stands around it."""

import json
from dataclasses import dataclass
from typing import Any

from flask import url_for
from flask_babel import gettext as _
from flask_babel import ngettext

from ledger.clock import MILLISECOND
from ledger.queries.jobs import JobPage, Recent, RunArguments
from ledger.queries.lines import RunLine
from ledger.states import State
from ledger.uploads import PREFIX, name_of
from web import arguments
from web.forms import Field, Form, by_name
from web.numbers import duration, number, size
from web.volume_presets import Row as PresetRow
from web.volume_presets import rows_of as presets_of
from web.when import When


@dataclass(frozen=True, slots=True)
class PastRun:
    """``arguments``: those that are not the job's defaults, in words."""

    line: RunLine
    arguments: str
    use_url: str


@dataclass(frozen=True, kw_only=True)
class StartPage:
    """The job's page, which is its form. ``original`` is the run that is edited, ``stays`` says that it does,
    ``homeless`` are those of its arguments that no field takes; ``takes_place``: a pipeline or a group goes on with
    the new run."""

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
    stays: str
    homeless: tuple[str, ...]
    takes_place: bool
    link: str
    action: str
    presets: tuple[PresetRow, ...] | None

    @property
    def wrong(self) -> tuple[Field, ...]:
        return self.form.wrong + self.when.wrong if self.form.kwargs is None or self.when.wrong else ()


def page_of(
    job: JobPage,
    form: Form,
    when: When,
    key: str,
    original: RunArguments | None,
    homeless: tuple[str, ...],
    takes_place: bool = False,
) -> StartPage:
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
        past=tuple(past_run(job, each) for each in job.recent),
        form=form,
        when=when,
        key=key,
        original=original and original.id,
        stays=_stays(original.state) if original else "",
        homeless=homeless,
        takes_place=takes_place,
        link=link_to(job.name, form, when),
        action=url_for("jobs.create_run", name=job.name),
        presets=presets_of(job.name, tuple(form.link)),
    )


def _stays(state: State) -> str:
    """What becomes of the run that is edited, where it has not ended; it is not this one that is changed."""
    if state == State.QUEUED:
        return _("The run that waits stays: cancel it if this one takes its place.")
    return _("That run goes on: cancel it if this one takes its place.") if state == State.RUNNING else ""


def past_run(job: JobPage, run: Recent) -> PastRun:
    use_url = url_for("jobs.show", name=job.name, **{"from": run.line.id})
    return PastRun(run.line, own_arguments(job.parameters, run), use_url)


def own_arguments(parameters: dict[str, Any], run: Recent) -> str:
    """``2026-10, US, dry run: yes``; JSON that was cut off is shown as it is."""
    try:
        given = json.loads(run.line.args)
    except ValueError:
        return arguments.line(run.line.args)
    named = by_name(parameters, given["args"], given["kwargs"], run.typed)
    defaults = {name: prop.get("default", ...) for name, prop in parameters.get("properties", {}).items()}
    own = [_in_words(name, value) for name, value in named.values.items() if value != defaults[name]]
    return arguments.shorten(", ".join([*own, *named.homeless])) or (_("all as preset") if defaults else _("none"))


def _in_words(name: str, value: Any) -> str:
    if isinstance(value, bool):
        return f"{name.replace('_', ' ')}: " + (_("yes") if value else _("no"))
    return name_of(value) if isinstance(value, str) and value.startswith(PREFIX) else arguments.plain(value)


def link_to(name: str, form: Form, when: When) -> str:
    """The address that fills the form in as it stands now."""
    query: dict[str, list[str]] = {}
    for key, text in (*form.link, *((each.key, each.value) for each in when.fields if each.value)):
        query.setdefault(key, []).append(text)
    return url_for("jobs.show", name=name, _external=True, **query)


def served_by(workers: int) -> str:
    """``2 workers``; in words when there is none."""
    if not workers:
        return _("no worker serves it")
    return ngettext("%(shown)s worker", "%(shown)s workers", workers, shown=number(workers))


def options_in_words(options: dict[str, Any]) -> tuple[str, ...]:
    """Sentences on retries and limits; times in the options are milliseconds."""
    sentences = (_retries, _throws, _on_crash, _concurrency, _rate, _unique, _time_limit, _max_age, _process)
    return tuple(filter(None, (sentence(options) for sentence in sentences)))


def _retries(options: dict[str, Any]) -> str:
    most = options.get("max_retries")
    apart = {"least": _span(options.get("min_backoff")), "most": _span(options.get("max_backoff"))}
    if options.get("retry_when"):
        return _("Tried again as its own rule says, %(least)s to %(most)s apart.", **apart)
    if most is None:
        return _("Tried again until it succeeds, %(least)s to %(most)s apart.", **apart)
    if not most:
        return _("Never tried again.")
    return ngettext(
        "Up to %(shown)s retry, %(least)s to %(most)s apart.",
        "Up to %(shown)s retries, %(least)s to %(most)s apart.",
        most, shown=number(most), **apart,
    )  # fmt: skip


def _throws(options: dict[str, Any]) -> str:
    names = options.get("throws") or ()
    if not names or options.get("max_retries") == 0:
        return ""
    return _("Not tried again after %(names)s.", names=", ".join(names))


def _time_limit(options: dict[str, Any]) -> str:
    limit = options.get("time_limit")
    return _("Stopped after %(time)s.", time=_span(limit)) if limit else _("Runs for as long as it takes.")


def _max_age(options: dict[str, Any]) -> str:
    age = options.get("max_age")
    return _("Not started when it is older than %(time)s.", time=_span(age)) if age else ""


def _on_crash(options: dict[str, Any]) -> str:
    return _("Fails when it crashes, and is not started again.") if options.get("on_crash") == "fail" else ""


def _concurrency(options: dict[str, Any]) -> str:
    most = options.get("max_concurrency")
    if most == 1:
        return _("Never two at a time.")
    return _("At most %(number)s at a time.", number=number(most)) if most else ""


def _rate(options: dict[str, Any]) -> str:
    rate = options.get("rate_limit")
    if not rate:
        return ""
    return ngettext(
        "At most %(shown)s start within %(time)s.", "At most %(shown)s starts within %(time)s.",
        rate["runs"], shown=number(rate["runs"]), time=_span(rate["seconds"] * 1000),
    )  # fmt: skip


def _unique(options: dict[str, Any]) -> str:
    unique = options.get("unique")
    if not unique:
        return ""
    sentences = [_while(unique)]
    if unique["by"]:
        sentences.append(_("Equal are those of the same %(names)s.", names=", ".join(unique["by"])))
    if unique["on_duplicate"] == "replace":
        sentences.append(_("One that waits makes way for the newer one."))
    return " ".join(sentences)


def _while(unique: dict[str, Any]) -> str:
    if unique["while"] == "queued":
        return _("While a run waits, an equal one is no new one.")
    if unique["while"] == "active":
        return _("While a run waits or runs, an equal one is no new one.")
    return _("For %(time)s, an equal run is no new one.", time=_span(unique["seconds"] * 1000))


def _process(options: dict[str, Any]) -> str:
    """Nothing about a thread, which is the usual place."""
    if options.get("isolation") != "process":
        return ""
    limits = [in_words(options[name]) for name, in_words in LIMITS.items() if options.get(name)]
    if not limits:
        return _("Runs in a process of its own.")
    return _("Runs in a process of its own with at most %(limits)s.", limits=", ".join(limits))


#: Limits of a process, as its sentence tells them.
LIMITS = {
    "memory_limit": lambda limit: _("%(size)s of memory", size=size(limit)),
    "cpu_limit": lambda limit: _("%(time)s of CPU time", time=_span(limit * 1000)),
    "file_size_limit": lambda limit: _("%(size)s in a file", size=size(limit)),
    "open_files_limit": lambda limit: _("%(number)s open files", number=number(limit)),
}


def _span(milliseconds: int | None) -> str:
    days, rest = divmod(milliseconds or 0, 86_400_000)
    if days and not rest:
        return ngettext("%(shown)s day", "%(shown)s days", days, shown=number(days))
    return duration((milliseconds or 0) * MILLISECOND)
