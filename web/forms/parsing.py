"""JSON as a person types it -> a value: in plain words where it is none. Pure."""

import json
import re
from collections.abc import Iterator
from typing import Any

from web.forms.errors import Refused, quoted

DEEPEST = 64
SINGLE_QUOTES = re.compile(r"['‘’“”]")
BARE_WORD = re.compile(r"[^\W\d][\w .@/:-]*")


def parse_json(text: str) -> Any:
    """The value; raises Refused for what is no JSON, or cannot be stored as JSON."""
    try:
        value = json.loads(text, parse_constant=_refuse_constant, parse_float=_finite)
    except json.JSONDecodeError as error:
        raise Refused(_fault(text, error)) from None
    except RecursionError:
        raise Refused("This is nested too deeply.") from None
    except ValueError:
        raise Refused("A number in this has too many digits.") from None
    _refuse_unstorable(value)
    return value


def _refuse_constant(word: str) -> None:
    raise Refused(f"{word} is no JSON number. Leave it out, or write null.")


def _finite(text: str) -> float:
    value = float(text)
    if value in (float("inf"), float("-inf")):
        raise Refused(f"{quoted(text)} is too large for a number with a point.")
    return value


def _fault(text: str, error: json.JSONDecodeError) -> str:
    if BARE_WORD.fullmatch(text.strip()):
        return f'{quoted(text.strip())} is not JSON. Text needs double quotes, like "abc".'
    found = text[error.pos : error.pos + 1]
    if SINGLE_QUOTES.match(found):
        return f"This is not JSON: line {error.lineno} has {found} where a double quote is needed."
    what = error.msg[:1].lower() + error.msg[1:]
    return f"This is not JSON: {what} at line {error.lineno}, character {error.colno}."


def _refuse_unstorable(value: Any) -> None:
    for depth, each in _walk(value):
        if depth > DEEPEST:
            raise Refused("This is nested too deeply.")
        if isinstance(each, str) and not each.isascii():
            _refuse_half_characters(each)


def _refuse_half_characters(text: str) -> None:
    try:
        text.encode()
    except UnicodeEncodeError as error:
        half = text[error.start].encode("ascii", "backslashreplace").decode()
        raise Refused(f"{half} is only half of a character.") from None


def _walk(value: Any) -> Iterator[tuple[int, Any]]:
    """All values inside, object keys too, each with its depth."""
    waiting = [(0, value)]
    while waiting:
        depth, each = waiting.pop()
        yield depth, each
        if depth > DEEPEST:
            return
        inside = (
            [*each.keys(), *each.values()]
            if isinstance(each, dict)
            else each
            if isinstance(each, list)
            else ()
        )
        waiting += [(depth + 1, one) for one in inside]
