"""The page with the form of a schedule: its fields for the template, and when it would fire."""

from dataclasses import dataclass

from ledger import clock
from ledger.queries.jobs import JobPage
from ledger.queries.schedules import Schedule
from ledger.recurrence import Rule, RuleError, zones
from web.forms import Choice, Field, Form
from web.language import Later as _l
from web.schedule_form import Said, rule_of
from web.schedule_words import CATCHUP, KIND, OVERLAP, Fires, fault, fires_of
from web.when import STEPS

LABEL = {
    "name": _l("Name"), "kind": _l("When"), "rule": _l("Rule"), "timezone": _l("Time zone"), "queue": _l("Queue"),
    "priority": _l("Priority"), "overlap": _l("When the run before is not finished"), "catchup": _l("After downtime"),
    "starts": _l("Not before"), "ends": _l("Not after"), "jitter": _l("Spread starts over"),
    "expires": _l("Expires after"), "keep": _l("Keep runs"),
}  # fmt: skip
HELP = {
    "rule": _l(
        "Cron: minute, hour, day of month, month, day of week, like 30 9 * * MON-FRI; or @hourly, @daily, @weekly, "
        "@monthly, @yearly. Interval: seconds, like 90, or 5 min, 2 h, 1 d. Once: a time, like 2026-10-31 03:00."
    ),
    "timezone": _l("When clocks change, no tick is lost: a time that is skipped fires right after the gap."),
    "catchup": _l(
        "A tick that nobody noticed within 5 seconds counts as missed. To make up for all of them, let runs "
        "overlap: else only the first one runs."
    ),
    "starts": _l("A time of the zone above, like 2026-10-31 03:00."),
    "jitter": _l("Like 30 s or 5 min: each run starts some time within that after its tick."),
    "expires": _l("Like 2 h. If a run has not started so long after its tick, it never will."),
    "keep": _l("So many of its newest runs are kept, however old they are."),
    "priority": _l("High, normal, low or a number; lower goes first."),
}
PICKED = {"kind": KIND, "overlap": OVERLAP, "catchup": CATCHUP}
PLACE = ("queue", "priority")
BOUNDS = ("starts", "ends", "jitter", "expires", "keep")
OPTIONAL = PLACE + BOUNDS


@dataclass(frozen=True, slots=True, kw_only=True)
class FormPage:
    """``schedule`` is the one that is edited; None for a new one. ``preview_error`` says why there are no times."""

    job: JobPage
    said: Said
    form: Form
    schedule: Schedule | None
    fires: Fires | None
    fields: dict[str, Field]

    @property
    def wrong(self) -> tuple[Field, ...]:
        return tuple(each for each in self.fields.values() if each.error) + self.form.wrong

    @property
    def place_is_open(self) -> bool:
        return self._is_used(PLACE)

    @property
    def bounds_are_open(self) -> bool:
        return self._is_used(BOUNDS)

    def _is_used(self, names: tuple[str, ...]) -> bool:
        return any(self.fields[name].value or self.fields[name].error for name in names)

    def named(self, *names: str) -> tuple[Field, ...]:
        return tuple(self.fields[name] for name in names)


def form_page(
    job: JobPage,
    said: Said,
    form: Form,
    schedule: Schedule | None = None,
    errors: dict[str, str] | None = None,
    viewer: str = "",
) -> FormPage:
    fires, faults = preview(said, viewer, schedule and schedule.rule)
    faults |= errors or {}
    fields = {name: _field(name, said, job, faults.get(name, "")) for name in LABEL}
    return FormPage(job=job, said=said, form=form, schedule=schedule, fires=fires, fields=fields)


def preview(said: Said, viewer: str = "", before: Rule | None = None) -> tuple[Fires | None, dict[str, str]]:
    """The next five, there and in the ``viewer``'s zone, or what is wrong with the rule; neither as long as none was
    typed."""
    if not said.rule:
        return None, {}
    try:
        return fires_of(rule_of(said, before), clock.now(), viewer), {}
    except RuleError as error:
        return None, {error.field: fault(error)}


def _field(name: str, said: Said, job: JobPage, error: str) -> Field:
    value = getattr(said, name)
    return Field(
        name=name, label=LABEL[name], kind="choice" if name in PICKED else "text", required=name not in OPTIONAL,
        value=value, help=HELP.get(name, ""), error=error, choices=_choices(name, value, job), prefix="",
        attributes={"type": "text", "spellcheck": "false"} | _placeholder(name, job),
    )  # fmt: skip


def _choices(name: str, value: str, job: JobPage) -> tuple[Choice, ...]:
    if name in PICKED:
        return tuple(Choice(key, words, key == value) for key, words in PICKED[name].items())
    suggested = {"timezone": zones(), "queue": job.queues, "priority": tuple(STEPS)}
    return tuple(Choice(each, each) for each in suggested.get(name, ()))


def _placeholder(name: str, job: JobPage) -> dict[str, str]:
    return {"queue": {"placeholder": job.queue}, "priority": {"placeholder": "normal"}}.get(name, {})
