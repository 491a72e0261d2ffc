"""JSON as a person types it -> a value: in plain words where it is none. Pure."""

import json
import re
from collections.abc import Iterator
from typing import Any

from flask_babel import gettext as _

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
        raise Refused(_("This is nested too deeply.")) from None
    except ValueError:
        raise Refused(_("A number in this has too many digits.")) from None
    _refuse_unstorable(value)
    return value


def _refuse_constant(word: str) -> None:
    raise Refused(_("%(word)s is no JSON number. Leave it out, or write null.", word=word))


def _finite(text: str) -> float:
    value = float(text)
    if value in (float("inf"), float("-inf")):
        raise Refused(_("%(text)s is too large for a number with a point.", text=quoted(text)))
    return value


def _fault(text: str, error: json.JSONDecodeError) -> str:
    if BARE_WORD.fullmatch(text.strip()):
        return _('%(text)s is not JSON. Text needs double quotes, like "abc".', text=quoted(text.strip()))
    found = text[error.pos : error.pos + 1]
    if SINGLE_QUOTES.match(found):
        sentence = _("This is not JSON: line %(line)s has %(found)s where a double quote is needed.")
        return sentence % {"line": error.lineno, "found": found}
    what = error.msg[:1].lower() + error.msg[1:]
    where = {"what": what, "line": error.lineno, "character": error.colno}
    return _("This is not JSON: %(what)s at line %(line)s, character %(character)s.", **where)


def _refuse_unstorable(value: Any) -> None:
    for depth, each in _walk(value):
        if depth > DEEPEST:
            raise Refused(_("This is nested too deeply."))
        if isinstance(each, str) and not each.isascii():
            _refuse_half_characters(each)


def _refuse_half_characters(text: str) -> None:
    try:
        text.encode()
    except UnicodeEncodeError as error:
        half = text[error.start].encode("ascii", "backslashreplace").decode()
        raise Refused(_("%(half)s is only half of a character.", half=half)) from None


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
