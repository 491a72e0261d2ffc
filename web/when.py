"""When and where a run is to start: the advanced part of a form. Blank means now, and as the job says."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from flask_babel import gettext as _

from ledger import clock
from ledger.queries.jobs import JobPage
from web.forms.errors import Refused, quoted
from web.forms.field import Choice, Field
from web.forms.scalars import moment
from web.language import Later as _l
from web.numbers import duration

PREFIX = "when-"
NAMES = ("delay", "at", "priority", "queue", "expires")
#: As in Dramatiq, the lower number goes first. What is typed, and stands in links, is English in every language.
STEPS = {"high": -10, "normal": 0, "low": 10}
STEP_WORDS = {"high": _l("high"), "normal": _l("normal"), "low": _l("low")}
LOWEST, HIGHEST = -(2**31) + 1, 2**31 - 1
QUEUE = re.compile(r"[a-zA-Z_][a-zA-Z0-9._-]*", re.ASCII)  # Dramatiq's rule
QUEUE_LIMIT = 200
UNITS = {"s": 1, "min": 60, "m": 60, "h": 3_600, "d": 86_400, "w": 7 * 86_400}
AMOUNT = re.compile(r"\s*([0-9]+(?:\.[0-9]+)?)\s*(s|min|m|h|d|w)\b[a-z]*\s*", re.ASCII | re.IGNORECASE)
WORDS = re.compile(r"\b(seconds?|secs?|minutes?|mins?|hours?|days?|weeks?)\b", re.IGNORECASE)
LONGEST = 10 * 366 * 86_400
PATIENCE = 60 * clock.SECOND  # a form takes a moment to be filled in


@dataclass(frozen=True, kw_only=True)
class When:
    """``due_at`` None means now. What is wrong stands at its field; then the rest means nothing."""

    fields: tuple[Field, ...]
    summary: str
    is_open: bool
    due_at: int | None = None
    expires_at: int | None = None
    priority: int = 0
    queue: str = ""
    sent: tuple[str, ...] = ()

    @property
    def wrong(self) -> tuple[Field, ...]:
        return tuple(each for each in self.fields if each.error)


def shown(job: JobPage, texts: Mapping[str, str], zone: ZoneInfo) -> When:
    """The fields as a link or an earlier run fills them in; what is wrong is told when the form is sent."""
    found = _Reading(job, texts, zone)
    return found.when(judging=False)


def read(job: JobPage, texts: Mapping[str, str], zone: ZoneInfo) -> When:
    """What was sent, with every fault at its field."""
    return _Reading(job, texts, zone).when(judging=True)


def like(job: JobPage, queue: str, priority: int) -> dict[str, str]:
    """What stands in the fields of a form that repeats a run of this queue and priority."""
    texts = {"queue": queue} if queue != job.queue else {}
    return {PREFIX + name: text for name, text in (texts | _priority_text(job, priority)).items()}


def _priority_text(job: JobPage, priority: int) -> dict[str, str]:
    return {"priority": priority_words(job, priority)} if priority != job.priority else {}


def priority_words(job: JobPage, priority: int) -> str:
    return next((word for word, step in STEPS.items() if job.priority + step == priority), str(priority))


class _Reading:
    def __init__(self, job: JobPage, texts: Mapping[str, str], zone: ZoneInfo):
        self.job, self.zone, self.now = job, zone, clock.now()
        self.texts = {name: texts.get(PREFIX + name, "").strip() for name in NAMES}
        self.errors: dict[str, str] = {}

    def when(self, judging: bool) -> When:
        due_at = self._due_at()
        expires_at = self._expires_at(due_at)
        priority = self._part("priority", self._priority, self.job.priority)
        queue = self._part("queue", queue_name, self.job.queue)
        return When(
            fields=tuple(self._field(name, judging) for name in NAMES),
            summary=self._summary(due_at, priority, queue),
            is_open=any(self.texts.values()),
            due_at=due_at,
            expires_at=expires_at,
            priority=priority,
            queue=queue,
            sent=tuple(self.texts.values()),
        )

    def _part(self, name: str, read: Callable[[str], Any], blank: Any) -> Any:
        if not self.texts[name]:
            return blank
        try:
            return read(self.texts[name])
        except Refused as refused:
            self.errors[name] = str(refused)
            return blank

    def _due_at(self) -> int | None:
        delay = self._part("delay", seconds, None)
        at = self._part("at", self._instant, None)
        if delay is not None and at is not None:
            self.errors["at"] = _("Give a delay or a time, not both.")
        return at if delay is None else self.now + delay

    def _instant(self, text: str) -> int | None:
        at = clock.from_datetime(datetime.fromisoformat(moment(text, self.zone)))
        if at < self.now - PATIENCE:
            raise Refused(_("%(time)s has passed.", time=quoted(text.replace("T", " "))))
        return at if at > self.now else None

    def _expires_at(self, due_at: int | None) -> int | None:
        after = self._part("expires", seconds, None)
        if after is None:
            return None
        if self.now + after <= (due_at or self.now):
            self.errors["expires"] = _("It would expire before it starts.")
        return self.now + after

    def _priority(self, text: str) -> int:
        return priority(self.job, text)

    def _summary(self, due_at: int | None, priority: int, queue: str) -> str:
        if self.errors:
            return _("needs a change")
        word = priority_words(self.job, priority)
        said = {"start": self._start(due_at), "queue": queue, "priority": STEP_WORDS.get(word, word)}
        return _("%(start)s · queue “%(queue)s” · priority %(priority)s", **said)

    def _start(self, due_at: int | None) -> str:
        if due_at is None:
            return _("now")
        if self.texts["delay"]:
            return _("in %(time)s", time=duration(due_at - self.now))
        local = clock.to_datetime(due_at).astimezone(self.zone)
        return _("on %(date)s at %(time)s", date=f"{local:%Y-%m-%d}", time=f"{local:%H:%M}")

    def _field(self, name: str, judging: bool) -> Field:
        label, help_, attributes, choices = self._asked(name)
        text = self.texts[name]
        if name == "at" and text and not re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:]{5,8}", text):
            attributes = {"type": "text"}
        return Field(
            name=name, label=label, kind="text", required=False, value=text, help=help_,
            error=self.errors.get(name, "") if judging else "", attributes={"type": "text"} | attributes,
            choices=tuple(Choice(each, each) for each in choices), prefix=PREFIX,
        )  # fmt: skip

    def _asked(self, name: str) -> tuple[str, str, dict[str, str], tuple[str, ...]]:
        job = self.job
        return {
            "delay": (_("Start after"), _("Like 90 s, 10 min, 2 h or 3 d."), {"placeholder": _("now")}, ()),
            "at": (_("Or start at"), _("Time in %(zone)s.", zone=self.zone.key), {"type": "datetime-local"}, ()),
            "priority": (
                _("Priority"),
                _("Or a number: the lower one goes first. Normal is %(number)s for this job.", number=job.priority),
                {"placeholder": "normal"},
                tuple(STEPS),
            ),
            "queue": (_("Queue"), "", {"placeholder": job.queue}, job.queues),
            "expires": (
                _("Expires after"),
                _("Like 2 h. If it has not started by then, it never will."),
                {"placeholder": _("does not expire")},
                (),
            ),
        }[name]


def seconds(text: str) -> int:
    """Microseconds of ``90``, ``90 s``, ``1 h 30 min``: a plain number is seconds."""
    plain = WORDS.sub(lambda found: found[0][:3] if found[0][:1] in "mM" else found[0][:1], text)
    parts = AMOUNT.findall(plain)
    if re.fullmatch(r"[0-9]+(\.[0-9]+)?", text, re.ASCII):
        parts = [(text, "s")]
    elif not parts or AMOUNT.sub("", plain):
        raise Refused(_("%(text)s is not a span of time. Write it like 90 s, 10 min, 2 h or 3 d.", text=quoted(text)))
    total = sum(float(number) * UNITS[unit.lower()] for number, unit in parts)
    if total > LONGEST:
        raise Refused(_("%(text)s is too long. Ten years are the most.", text=quoted(text)))
    return round(total * clock.SECOND)


def priority(job: JobPage, text: str) -> int:
    """``high`` and the like count from the job's own."""
    if text.lower() in STEPS:
        return job.priority + STEPS[text.lower()]
    if not re.fullmatch(r"[+-]?[0-9]{1,10}", text, re.ASCII) or not LOWEST <= int(text) <= HIGHEST:
        raise Refused(_("%(text)s is no priority. Write high, normal, low or a number.", text=quoted(text)))
    return int(text)


def queue_name(text: str) -> str:
    if not QUEUE.fullmatch(text) or len(text) > QUEUE_LIMIT:
        told = _(
            "%(text)s cannot be a queue's name. Take letters, digits, dots, dashes and underscores, "
            "with a letter or an underscore first.",
            text=quoted(text),
        )
        raise Refused(told)
    return text
