"""The form of a schedule: what was typed, what is wrong with it, and the schedule it makes when nothing is."""

from dataclasses import dataclass, replace

from flask_babel import gettext as _
from werkzeug.datastructures import MultiDict

from ledger import clock
from ledger.queries.jobs import JobPage
from ledger.queries.schedules import Schedule
from ledger.recurrence import Rule, RuleError, parse
from ledger.schedules import OVERLAPS, NewSchedule
from ledger.ticks import Catchup
from web.forms import Form
from web.forms.errors import Refused
from web.schedule_words import fault
from web.when import priority, queue_name

NAME_LIMIT = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """The texts of the form's own fields, as typed; the job's arguments have a form of their own."""

    name: str = ""
    kind: str = "cron"
    rule: str = ""
    timezone: str = "UTC"
    overlap: str = OVERLAPS[0]
    catchup: str = Catchup.LATEST
    queue: str = ""
    priority: str = ""


def said_of(texts: MultiDict) -> Said:
    given = {name: texts[name].strip() for name in Said.__dataclass_fields__ if name in texts}
    return Said(**given)


def said_by(schedule: Schedule) -> Said:
    """What the form of an existing schedule begins with."""
    return Said(
        name=schedule.name, kind=schedule.rule.kind, rule=schedule.rule.text, timezone=schedule.rule.timezone,
        overlap=schedule.overlap, catchup=schedule.catchup, queue=schedule.queue or "",
        priority="" if schedule.priority is None else str(schedule.priority),
    )  # fmt: skip


def rule_of(said: Said, before: Rule | None = None) -> Rule:
    """The rule, counted from this second on; an interval that stays as it was ``before`` keeps its anchor.

    Raises RuleError.
    """
    rule = parse(said.kind, said.rule, said.timezone, clock.now() // clock.SECOND * clock.SECOND)
    same = before is not None and (before.kind, before.text) == (rule.kind, rule.text)
    return replace(rule, anchor=before.anchor) if same else rule


def judge(said: Said, job: JobPage, form: Form, before: Rule | None) -> tuple[NewSchedule | None, dict[str, str]]:
    """The schedule, or the errors by field; the job's own form keeps its errors itself."""
    errors: dict[str, str] = {}
    read = {"name": _name, "overlap": _overlap, "catchup": _catchup, "queue": _queue, "priority": _priority}
    values = {}
    for field, value_of in read.items():
        try:
            values[field] = value_of(getattr(said, field), job)
        except Refused as refused:
            errors[field] = str(refused)
    try:
        values["rule"] = rule_of(said, before)
    except RuleError as error:
        errors[error.field] = fault(error)
    if errors or form.kwargs is None:
        return None, errors
    return NewSchedule(job=job.name, args=form.kwargs, **values), {}


def _name(text: str, job: JobPage) -> str:
    if not text:
        raise Refused(_("A schedule needs a name."))
    if len(text) > NAME_LIMIT:
        raise Refused(_("A name has at most %(most)s characters.", most=NAME_LIMIT))
    return text


def _overlap(text: str, job: JobPage) -> str:
    return _one_of(text, OVERLAPS)


def _catchup(text: str, job: JobPage) -> str:
    return _one_of(text, tuple(Catchup))


def _one_of(text: str, known: tuple[str, ...]) -> str:
    if text not in known:
        raise Refused(_("Choose one of these."))
    return text


def _queue(text: str, job: JobPage) -> str | None:
    return queue_name(text) if text else None


def _priority(text: str, job: JobPage) -> int | None:
    return priority(job, text) if text else None
