"""A value against its JSON Schema: what is wrong, in plain words which say what would be right. Pure."""

from collections.abc import Callable
from decimal import Decimal
from functools import reduce
from typing import Any

from flask_babel import gettext as _
from flask_babel import ngettext
from jsonschema import Draft202012Validator, FormatChecker
from jsonschema.exceptions import ValidationError, best_match

from web.forms import scalars
from web.forms.errors import Refused, quoted
from web.forms.shape import alternatives, shown
from web.language import Later as _l

FORMATS = FormatChecker(formats=())
for _name, _reader in (
    ("date", scalars.a_date),
    ("date-time", scalars.any_moment),
    ("time", scalars.a_time),
    ("duration", scalars.duration),
    ("uuid", scalars.uuid),
    ("decimal", scalars.decimal),
):
    FORMATS.checks(_name, raises=Refused)(scalars.is_a(_reader))

TYPES = {
    "integer": (_l("a whole number"), "42"),
    "number": (_l("a number"), "3.14"),
    "string": (_l("text"), '"abc"'),
    "boolean": (_l("true or false"), "true"),
    "array": (_l("a list"), "[1, 2]"),
    "object": (_l("an object"), '{"name": 1}'),
    "null": ("null", "null"),
}
MOST_NAMED = 12
FIVE_DIGITS = 10_000  # from here on thousands are set apart


def fault_of(value: Any, schema: dict[str, Any]) -> str:
    """The first thing to change, as a sentence; blank when the value fits. What cannot be checked fits."""
    try:
        error = best_match(Draft202012Validator(schema, format_checker=FORMATS).iter_errors(value))
    except RecursionError:
        return _("This is nested too deeply.")
    except Exception:  # a pattern that Python does not know, say: the worker will judge
        return ""
    return place_of(error) + sentence(error, schema.get("$defs", {})) if error else ""


def fits(value: Any, schema: dict[str, Any]) -> bool:
    return not fault_of(value, schema)


def place_of(error: ValidationError) -> str:
    """Where in a larger value it is: ``people, item 2, name: ``; blank for the value itself."""
    numbered = (part + 1 if isinstance(part, int) else part for part in error.absolute_path)
    parts = [_("item %(number)s", number=part) if isinstance(part, int) else str(part) for part in numbered]
    return f"{', '.join(parts)}: " if parts else ""


def sentence(error: ValidationError, defs: dict[str, Any]) -> str:
    write = SENTENCES.get(error.validator)
    return write(error, defs) if write else error.message


def _type(error: ValidationError, defs: dict) -> str:
    wanted = error.validator_value if isinstance(error.validator_value, list) else [error.validator_value]
    kinds = either([str(TYPES[each][0]) for each in wanted if each in TYPES])
    sentence = _("%(text)s is not %(kinds)s. Write it like %(like)s.")
    return sentence % {"text": as_text(error.instance), "kinds": kinds, "like": TYPES[wanted[0]][1]}


def _any_of(error: ValidationError, defs: dict) -> str:
    found = alternatives({error.validator: error.validator_value}, defs)
    words = list(dict.fromkeys(str(TYPES[each["type"]][0]) for each in found if each.get("type") in TYPES))
    if not words:
        return error.message
    return _("%(text)s is not %(kinds)s.", text=as_text(error.instance), kinds=either(words))


def either(words: list[str]) -> str:
    return reduce(lambda one, other: _("%(one)s or %(other)s", one=one, other=other), words)


def _enum(error: ValidationError, defs: dict) -> str:
    return none_of(as_text(error.instance), [shown(each) for each in error.validator_value])


def none_of(text: str, known: list[str]) -> str:
    """That ``text`` is none of the choices: the first of them are named."""
    names, more = ", ".join(str(each) for each in known[:MOST_NAMED]), len(known) - MOST_NAMED
    if more <= 0:
        return _("%(text)s is not one of %(names)s.", text=text, names=names)
    return _("%(text)s is not one of %(names)s and %(more)s more.", text=text, names=names, more=more)


def _const(error: ValidationError, defs: dict) -> str:
    only = shown(error.validator_value)
    return _("%(text)s is not %(only)s, the only choice.", text=as_text(error.instance), only=only)


def _pattern(error: ValidationError, defs: dict) -> str:
    examples = error.schema.get("examples") if isinstance(error.schema, dict) else None
    text = as_text(error.instance)
    if examples:
        return _("%(text)s is not written as asked. Write it like %(like)s.", text=text, like=shown(examples[0]))
    rule = error.validator_value
    return _("%(text)s is not written as asked. It has to match %(pattern)s", text=text, pattern=rule)


def _format(error: ValidationError, defs: dict) -> str:
    return str(error.cause) if isinstance(error.cause, Refused) else error.message


def _required(error: ValidationError, defs: dict) -> str:
    missing = [name for name in error.validator_value if name not in error.instance]
    return _("%(name)s is missing.", name=quoted(missing[0]))


def _additional(error: ValidationError, defs: dict) -> str:
    known = error.schema.get("properties", {})
    strange = [name for name in error.instance if name not in known]
    name = quoted(strange[0] if strange else "")
    if not known:
        return _("%(name)s is not known here.", name=name)
    return _("%(name)s is not known here. Known are %(names)s.", name=name, names=", ".join(list(known)[:MOST_NAMED]))


def _length(counted: Callable[[int], str], sentence: Any) -> Callable[[ValidationError, dict], str]:
    def write(error: ValidationError, defs: dict) -> str:
        return sentence % {"has": counted(len(error.instance)), "limit": f"{error.validator_value:,}"}

    return write


def _characters(number: int) -> str:
    return ngettext("%(number)s character", "%(number)s characters", number, number=f"{number:,}")


def _items(number: int) -> str:
    return ngettext("%(number)s item", "%(number)s items", number, number=f"{number:,}")


def _entries(number: int) -> str:
    return ngettext("%(number)s entry", "%(number)s entries", number, number=f"{number:,}")


AT_LEAST = _l("This has %(has)s, but at least %(limit)s are asked for.")
AT_MOST = _l("This has %(has)s, but at most %(limit)s are asked for.")


def _limit(sentence: Any) -> Callable[[ValidationError, dict], str]:
    def write(error: ValidationError, defs: dict) -> str:
        return sentence % {"text": as_text(error.instance), "limit": plain(error.validator_value)}

    return write


def plain(number: Any) -> str:
    """A limit as people write it: ``1.0`` is 1."""
    return str(int(number)) if isinstance(number, float) and number.is_integer() else str(number)


def grouped(number: Any) -> str:
    """A limit of a field that takes it written like this: ``10,000``."""
    return f"{number:,}" if isinstance(number, int) and abs(number) >= FIVE_DIGITS else plain(number)


def as_text(value: Any) -> str:
    return quoted(str(value) if isinstance(value, Decimal) else shown(value))


SENTENCES: dict[str, Callable[[ValidationError, dict], str]] = {
    "type": _type,
    "anyOf": _any_of,
    "oneOf": _any_of,
    "enum": _enum,
    "const": _const,
    "pattern": _pattern,
    "format": _format,
    "required": _required,
    "additionalProperties": _additional,
    "minimum": _limit(_l("%(text)s is too small. It has to be %(limit)s or more.")),
    "exclusiveMinimum": _limit(_l("%(text)s is too small. It has to be more than %(limit)s.")),
    "maximum": _limit(_l("%(text)s is too large. It has to be %(limit)s or less.")),
    "exclusiveMaximum": _limit(_l("%(text)s is too large. It has to be less than %(limit)s.")),
    "multipleOf": _limit(_l("%(text)s is none of these. It has to be a multiple of %(limit)s.")),
    "minLength": _length(_characters, AT_LEAST),
    "maxLength": _length(_characters, AT_MOST),
    "minItems": _length(_items, AT_LEAST),
    "maxItems": _length(_items, AT_MOST),
    "minProperties": _length(_entries, AT_LEAST),
    "maxProperties": _length(_entries, AT_MOST),
    "uniqueItems": lambda error, defs: _("The same value stands here twice."),
}
