"""The form of a schedule: what was typed, what is wrong with it, and the schedule it makes when nothing is."""

import re
from dataclasses import dataclass, replace
from zoneinfo import ZoneInfo

from flask_babel import gettext as _
from werkzeug.datastructures import MultiDict

from ledger import clock
from ledger.declarations import LONGEST_JITTER, MOST_KEPT, NAME_LIMIT
from ledger.errors import N_
from ledger.queries.jobs import JobPage
from ledger.queries.schedules import Schedule
from ledger.recurrence import Rule, RuleError, next_after, parse
from ledger.schedules import OVERLAPS, NewSchedule
from ledger.ticks import Catchup
from web.forms import Form
from web.forms.errors import Refused
from web.schedule_words import fault
from web.when import priority, queue_name, seconds


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
    starts: str = ""
    ends: str = ""
    jitter: str = ""
    expires: str = ""
    keep: str = ""


def said_of(texts: MultiDict) -> Said:
    given = {name: texts[name].strip() for name in Said.__dataclass_fields__ if name in texts}
    return Said(**given)


def said_by(schedule: Schedule) -> Said:
    """What the form of an existing schedule begins with."""
    return Said(
        name=schedule.name, kind=schedule.rule.kind, rule=schedule.rule.text, timezone=schedule.rule.timezone,
        overlap=schedule.overlap, catchup=schedule.catchup, queue=schedule.queue or "",
        priority="" if schedule.priority is None else str(schedule.priority),
        starts=_wall(schedule.rule.starts, schedule.rule.timezone),
        ends=_wall(schedule.rule.ends, schedule.rule.timezone),
        jitter=_spelled(schedule.jitter), expires=_spelled(schedule.expires_after),
        keep="" if schedule.keep_runs is None else str(schedule.keep_runs),
    )  # fmt: skip


def _wall(at: int | None, timezone: str) -> str:
    """``2026-10-31 03:00``, as it is typed."""
    if at is None:
        return ""
    local = clock.to_datetime(at).astimezone(ZoneInfo(timezone)).replace(tzinfo=None)
    return local.isoformat(" ", "seconds" if local.second else "minutes")


def _spelled(span: int | None) -> str:
    """Microseconds as they are typed: in whole seconds, for a span in two units would be cut off."""
    return "" if span is None else f"{span // clock.SECOND} s"


def rule_of(said: Said, before: Rule | None = None) -> Rule:
    """The rule, counted from this second on; an interval that stays as it was ``before`` keeps its anchor.

    Raises RuleError.
    """
    text = said.rule.replace("T", " ") if said.kind == "once" else said.rule
    rule = parse(said.kind, text, said.timezone, clock.now() // clock.SECOND * clock.SECOND)
    starts, ends = (_edge(name, getattr(said, name), said.timezone) for name in ("starts", "ends"))
    if starts is not None and ends is not None and ends < starts:
        raise RuleError("ends", N_("The end lies before the beginning."))
    same = before is not None and (before.kind, before.text) == (rule.kind, rule.text)
    return replace(rule, anchor=before.anchor if same else rule.anchor, starts=starts, ends=ends)


def _edge(name: str, text: str, timezone: str) -> int | None:
    if not text:
        return None
    try:
        return next_after(parse("once", text.replace("T", " "), timezone), 0)
    except RuleError as error:
        raise RuleError(name, error.template, **error.values) from error


def _check_future(rule: Rule, before: Rule | None) -> None:
    """A schedule that has ended may be edited as long as its times stay as they are."""
    if rule != before and next_after(rule, clock.now()) is None:
        raise RuleError("rule" if rule.ends is None else "ends", N_("None of its times lies ahead."))


def judge(said: Said, job: JobPage, form: Form, before: Rule | None) -> tuple[NewSchedule | None, dict[str, str]]:
    """The schedule, or the errors by field; the job's own form keeps its errors itself."""
    errors: dict[str, str] = {}
    values = {}
    for field, (name, value_of) in READ.items():
        try:
            values[name] = value_of(getattr(said, field), job)
        except Refused as refused:
            errors[field] = str(refused)
    try:
        values["rule"] = rule_of(said, before)
        _check_future(values["rule"], before)
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
    if not text.isprintable():
        raise Refused(_("A name has letters, digits and signs that can be seen, on one line."))
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


def _jitter(text: str, job: JobPage) -> int | None:
    span = seconds(text) if text else None
    if span is not None and span > LONGEST_JITTER:
        raise Refused(_("A day is the most."))
    return span or None


def _expires(text: str, job: JobPage) -> int | None:
    span = seconds(text) if text else None
    if span == 0:
        raise Refused(_("It would expire before it starts."))
    return span


def _keep(text: str, job: JobPage) -> int | None:
    if not text:
        return None
    if not re.fullmatch(r"[0-9]{1,4}", text, re.ASCII) or not 1 <= int(text) <= MOST_KEPT:
        raise Refused(_("Write a number from 1 to %(most)s.", most=MOST_KEPT))
    return int(text)


#: The form's fields, what a schedule calls each, and who reads it.
READ = {
    "name": ("name", _name),
    "overlap": ("overlap", _overlap),
    "catchup": ("catchup", _catchup),
    "queue": ("queue", _queue),
    "priority": ("priority", _priority),
    "jitter": ("jitter", _jitter),
    "expires": ("expires_after", _expires),
    "keep": ("keep_runs", _keep),
}
