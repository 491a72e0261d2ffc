"""What code or a file says of one schedule: read from its keys, kept as JSON, compared with what is in the ledger.

Pure. A declaration is a dictionary: what the schedule's columns are to hold, and in ``place`` and ``module`` where
it was said. An interval that is declared counts from 1970, so that everybody who reads it means the same times.
"""

import json
import re
from collections.abc import Callable, Mapping
from datetime import date, datetime, timedelta
from difflib import get_close_matches
from enum import Enum
from typing import Any, NamedTuple

from ledger import clock, texts
from ledger.errors import N_, LedgerError
from ledger.recurrence import Rule, RuleError, next_after, parse
from ledger.schedules import NewSchedule
from ledger.ticks import Catchup, Overlap

NAME_LIMIT = 200
MOST_KEPT = 500
LONGEST_JITTER = 24 * 3_600 * clock.SECOND
LARGEST_PRIORITY = 2**31 - 1
QUEUE = re.compile(r"[a-zA-Z_][a-zA-Z0-9._-]{0,199}", re.ASCII)  # Dramatiq's rule
#: How a rule is said, and what kind of rule it is then.
RULES = {"cron": "cron", "every": "interval", "once": "once"}
#: Compared one by one; what makes up the rule, and the arguments, are compared together.
PLAIN = (
    "name", "job", "timezone", "starts", "ends", "overlap", "catchup", "queue", "priority", "jitter", "expires_after",
    "keep_runs",
)  # fmt: skip


class DeclarationError(LedgerError):
    """A declaration cannot be meant as it is written; the text says what would be right.

    Pages translate ``template`` and put the same ``values`` into it.
    """

    def __init__(self, template: str, **values: Any):
        self.template, self.values = template, values
        super().__init__(template % values)


class Difference(NamedTuple):
    """``field`` is a column, ``rule``, or an argument like ``args.month``; None where it is not said."""

    field: str
    declared: Any
    here: Any


def read(given: Mapping[str, Any]) -> dict[str, Any]:
    """The declaration that these keys mean. Raises DeclarationError."""
    _check_keys(given)
    said = {column: value_of(given[key]) for key, (column, value_of) in READ.items() if key in given}
    for needed in ("name", "job"):
        if needed not in said:
            raise DeclarationError(N_("It says no %(key)s."), key=needed)
    return said_of(NewSchedule(rule=_rule(given), **said))


def _check_keys(given: Mapping[str, Any]) -> None:
    known = {*READ, *RULES, "timezone", "starts", "ends"}
    for key in given:
        if key not in known:
            if like := get_close_matches(str(key), known, n=1):
                told = N_("“%(key)s” is no key of a schedule: did you mean %(like)s?")
                raise DeclarationError(told, key=str(key), like=like[0])
            told = N_("“%(key)s” is no key of a schedule; there are %(known)s.")
            raise DeclarationError(told, key=str(key), known=", ".join(sorted(known)))


def _rule(given: Mapping[str, Any]) -> Rule:
    said = [key for key in RULES if given.get(key) is not None]
    if len(said) != 1:
        raise DeclarationError(N_("It says %(number)s rules: give one of cron, every, once."), number=len(said))
    zone = _text(given.get("timezone", "UTC"))
    try:
        rule = parse(RULES[said[0]], _rule_text(given[said[0]]), zone)
        starts, ends = (_edge(given.get(key), zone) for key in ("starts", "ends"))
    except RuleError as error:
        raise DeclarationError(error.template, **error.values) from error
    if starts is not None and ends is not None and ends < starts:
        raise DeclarationError(N_("The end lies before the beginning."))
    return Rule(rule.kind, rule.text, zone, 0, starts, ends)


def _rule_text(value: Any) -> str:
    if isinstance(value, timedelta):
        value = int(value.total_seconds()) if value.total_seconds() % 1 == 0 else str(value)
    if isinstance(value, datetime):
        value = value.isoformat(" ")
    return str(value) if type(value) is int else _text(value).replace("T", " ")


def _edge(value: Any, zone: str) -> int | None:
    if value is None:
        return None
    if isinstance(value, date) and not isinstance(value, datetime):
        value = f"{value} 00:00"
    return next_after(parse("once", _rule_text(value), zone), 0)


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise DeclarationError(N_("%(value)s is no text."), value=_shown(value))
    return value


def _name(value: Any) -> str:
    name = texts.clean(_text(value)).strip()
    if not 1 <= len(name) <= NAME_LIMIT:
        raise DeclarationError(N_("A name has 1 to %(most)s characters."), most=NAME_LIMIT)
    return name


def _one_of(known: tuple[str, ...]) -> Callable[[Any], str]:
    def chosen(value: Any) -> str:
        if value not in known:
            raise DeclarationError(N_("%(value)s is none of %(known)s."), value=_shown(value), known=", ".join(known))
        return str(value)

    return chosen


def _queue(value: Any) -> str | None:
    if value is not None and not QUEUE.fullmatch(_text(value)):
        raise DeclarationError(N_("%(value)s cannot be a queue’s name."), value=_shown(value))
    return value


def _whole(lowest: int, highest: int) -> Callable[[Any], int | None]:
    def number(value: Any) -> int | None:
        if value is not None and (type(value) is not int or not lowest <= value <= highest):
            told = N_("%(value)s is no whole number from %(lowest)s to %(highest)s.")
            raise DeclarationError(told, value=_shown(value), lowest=lowest, highest=highest)
        return value

    return number


def _span(longest: int | None = None) -> Callable[[Any], int | None]:
    """Microseconds of 90, "90 s", "5 min", "2 h", "1 d"."""

    def span(value: Any) -> int | None:
        if value is None:
            return None
        try:
            found = int(parse("interval", _rule_text(value)).text) * clock.SECOND
        except RuleError as error:
            raise DeclarationError(error.template, **error.values) from error
        if longest is not None and found > longest:
            raise DeclarationError(N_("A day is the most."))
        return found

    return span


def _args(value: Any) -> dict[str, Any]:
    if not isinstance(value, Mapping) or not all(isinstance(key, str) for key in value):
        raise DeclarationError(N_("%(value)s are no arguments by name."), value=_shown(value))
    try:
        return json.loads(json.dumps(dict(value), default=_plain))
    except (TypeError, ValueError):
        raise DeclarationError(N_("%(value)s cannot be written as JSON."), value=_shown(value)) from None


def _plain(value: Any) -> Any:
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, date):
        return value.isoformat()
    raise TypeError(value)


def _shown(value: Any) -> str:
    return f"“{value}”"[:80] if isinstance(value, str) else repr(value)[:80]


#: The keys, which column each fills, and who reads it. The rule and its zone, beginning and end are read together.
READ: dict[str, tuple[str, Callable[[Any], Any]]] = {
    "name": ("name", _name),
    "job": ("job", _text),
    "args": ("args", _args),
    "overlap": ("overlap", _one_of(tuple(Overlap))),
    "catchup": ("catchup", _one_of(tuple(Catchup))),
    "queue": ("queue", _queue),
    "priority": ("priority", _whole(-LARGEST_PRIORITY, LARGEST_PRIORITY)),
    "jitter": ("jitter", _span(LONGEST_JITTER)),
    "expires": ("expires_after", _span()),
    "keep": ("keep_runs", _whole(1, MOST_KEPT)),
}


def said_of(new: NewSchedule) -> dict[str, Any]:
    rule = new.rule
    return {
        "name": new.name, "job": new.job, "args": new.args, "queue": new.queue, "priority": new.priority,
        "overlap": new.overlap, "catchup": new.catchup, "jitter": new.jitter, "expires_after": new.expires_after,
        "keep_runs": new.keep_runs, "kind": rule.kind, "rule": rule.text, "timezone": rule.timezone,
        "anchor": rule.anchor, "starts": rule.starts, "ends": rule.ends,
    }  # fmt: skip


def schedule_of(said: Mapping[str, Any]) -> NewSchedule:
    """What ``said_of`` was given."""
    rule = Rule(*(said[part] for part in ("kind", "rule", "timezone", "anchor", "starts", "ends")))
    columns = ("name", "job", "args", "queue", "priority", "overlap", "catchup", "jitter", "expires_after", "keep_runs")
    return NewSchedule(rule=rule, **{column: said[column] for column in columns})


def said_by(row) -> dict[str, Any]:
    """A row of ``schedules`` as a declaration would say it."""
    own = row._asdict()
    columns = {"args": texts.from_json(row.args), "anchor": row.anchor_at, "starts": row.starts_at, "ends": row.ends_at}
    names = (*PLAIN, "kind", "rule", "anchor", "args")
    return {name: columns[name] if name in columns else own[name] for name in names}


def differences(declared: Mapping, here: Mapping, parameters: Mapping | None = None) -> tuple[Difference, ...]:
    """Field by field; an argument that is left out is as the job's ``parameters`` preset it."""
    found = [Difference("rule", rule_key(declared), rule_key(here))]
    found += [Difference(name, declared[name], here[name]) for name in PLAIN]
    preset = _preset(parameters or {})
    said, own = preset | declared["args"], preset | here["args"]
    found += [Difference(f"args.{name}", said.get(name), own.get(name)) for name in dict.fromkeys([*said, *own])]
    return tuple(each for each in found if each.declared != each.here)


def rule_key(said: Mapping) -> tuple:
    """Kind, text, and for an interval from when it is counted: otherwise nobody counts from anywhere."""
    return said["kind"], said["rule"], said["anchor"] if said["kind"] == "interval" else 0


def _preset(parameters: Mapping) -> dict[str, Any]:
    known = parameters.get("properties") or {}
    return {name: its["default"] for name, its in known.items() if "default" in its}


def misfit(said: Mapping, parameters: Mapping) -> DeclarationError | None:
    """Whether the arguments have the names that the job takes, and all that it needs."""
    known = parameters.get("properties")
    if known is None or any("x-rest" in its for its in known.values()):
        return None
    if strange := sorted(said["args"].keys() - known.keys()):
        told = N_("The job %(job)s has no parameter %(names)s.")
    elif strange := [name for name in parameters.get("required", ()) if name not in said["args"]]:
        told = N_("The job %(job)s needs a value for %(names)s.")
    return DeclarationError(told, job=said["job"], names=", ".join(strange)) if strange else None
