"""A value against its JSON Schema: what is wrong, in plain words which say what would be right. Pure."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any

from jsonschema import Draft202012Validator, FormatChecker
from jsonschema.exceptions import ValidationError, best_match

from web.forms import scalars
from web.forms.errors import Refused, quoted
from web.forms.shape import alternatives, shown

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
    "integer": ("a whole number", "42"),
    "number": ("a number", "3.14"),
    "string": ("text", '"abc"'),
    "boolean": ("true or false", "true"),
    "array": ("a list", "[1, 2]"),
    "object": ("an object", '{"name": 1}'),
    "null": ("null", "null"),
}
MOST_NAMED = 12


def fault_of(value: Any, schema: dict[str, Any]) -> str:
    """The first thing to change, as a sentence; blank when the value fits. What cannot be checked fits."""
    try:
        error = best_match(Draft202012Validator(schema, format_checker=FORMATS).iter_errors(value))
    except RecursionError:
        return "This is nested too deeply."
    except Exception:  # a pattern that Python does not know, say: the worker will judge
        return ""
    return place_of(error) + sentence(error, schema.get("$defs", {})) if error else ""


def fits(value: Any, schema: dict[str, Any]) -> bool:
    return not fault_of(value, schema)


def place_of(error: ValidationError) -> str:
    """Where in a larger value it is: ``people, item 2, name: ``; blank for the value itself."""
    parts = [f"item {part + 1}" if isinstance(part, int) else str(part) for part in error.absolute_path]
    return f"{', '.join(parts)}: " if parts else ""


def sentence(error: ValidationError, defs: dict[str, Any]) -> str:
    write = SENTENCES.get(error.validator)
    return write(error, defs) if write else error.message


def _type(error: ValidationError, defs: dict) -> str:
    wanted = error.validator_value if isinstance(error.validator_value, list) else [error.validator_value]
    words = " or ".join(TYPES[each][0] for each in wanted if each in TYPES)
    return f"{as_text(error.instance)} is not {words}. Write it like {TYPES[wanted[0]][1]}."


def _any_of(error: ValidationError, defs: dict) -> str:
    found = alternatives({error.validator: error.validator_value}, defs)
    words = list(dict.fromkeys(TYPES[each["type"]][0] for each in found if each.get("type") in TYPES))
    return f"{as_text(error.instance)} is not {' or '.join(words)}." if words else error.message


def _enum(error: ValidationError, defs: dict) -> str:
    known = [shown(each) for each in error.validator_value]
    more = f" and {len(known) - MOST_NAMED} more" if len(known) > MOST_NAMED else ""
    return f"{as_text(error.instance)} is not one of {', '.join(known[:MOST_NAMED])}{more}."


def _const(error: ValidationError, defs: dict) -> str:
    return f"{as_text(error.instance)} is not {shown(error.validator_value)}, the only choice."


def _pattern(error: ValidationError, defs: dict) -> str:
    examples = error.schema.get("examples") if isinstance(error.schema, dict) else None
    like = f"Write it like {shown(examples[0])}." if examples else f"It has to match {error.validator_value}"
    return f"{as_text(error.instance)} is not written as asked. {like}"


def _format(error: ValidationError, defs: dict) -> str:
    return str(error.cause) if isinstance(error.cause, Refused) else error.message


def _required(error: ValidationError, defs: dict) -> str:
    missing = [name for name in error.validator_value if name not in error.instance]
    return f"{quoted(missing[0])} is missing."


def _additional(error: ValidationError, defs: dict) -> str:
    known = error.schema.get("properties", {})
    strange = [name for name in error.instance if name not in known]
    names = f" Known are {', '.join(list(known)[:MOST_NAMED])}." if known else ""
    return f"{quoted(strange[0] if strange else '')} is not known here.{names}"


def _length(word: str, most: bool) -> Callable[[ValidationError, dict], str]:
    def write(error: ValidationError, defs: dict) -> str:
        has, limit = len(error.instance), error.validator_value
        has = f"{has:,} {word if has == 1 else word + 's'}"
        return f"This has {has}, but {f'at most {limit:,}' if most else f'at least {limit:,}'} are asked for."

    return write


def _limit(fault: str, words: str) -> Callable[[ValidationError, dict], str]:
    def write(error: ValidationError, defs: dict) -> str:
        limit = words.format(plain(error.validator_value))
        return f"{as_text(error.instance)} is {fault}. It has to be {limit}."

    return write


def plain(number: Any) -> str:
    """A limit as people write it: ``1.0`` is 1."""
    return str(int(number)) if isinstance(number, float) and number.is_integer() else str(number)


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
    "minimum": _limit("too small", "{} or more"),
    "exclusiveMinimum": _limit("too small", "more than {}"),
    "maximum": _limit("too large", "{} or less"),
    "exclusiveMaximum": _limit("too large", "less than {}"),
    "multipleOf": _limit("none of these", "a multiple of {}"),
    "minLength": _length("character", most=False),
    "maxLength": _length("character", most=True),
    "minItems": _length("item", most=False),
    "maxItems": _length("item", most=True),
    "minProperties": _length("entry", most=False),
    "maxProperties": _length("entry", most=True),
    "uniqueItems": lambda error, defs: "The same value stands here twice.",
}
