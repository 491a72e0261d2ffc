"""What was typed into a field -> the value for the run's arguments. Pure."""

from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from flask_babel import gettext as _

from web.forms.checking import fault_of, fits, none_of
from web.forms.errors import Refused, quoted
from web.forms.field import Typed
from web.forms.parsing import parse_json
from web.forms.scalars import READERS, moment, ungrouped
from web.forms.shape import MISSING, Shape
from web.language import Later as _l

YES, NO = frozenset({"true", "on", "yes", "1"}), frozenset({"false", "off", "no", "0"})
LIMITS = ("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum")


def value_of(shape: Shape, typed: Typed, zone: ZoneInfo) -> Any:
    """The value, checked against the schema; MISSING to leave the parameter out. Raises Refused."""
    if not typed.texts:
        return blank(shape) if shape.default is MISSING else shape.default
    value = _value(shape, typed, zone)
    if value is MISSING or value is None and shape.nullable or value is shape.default:
        return value
    if fault := fault_of(value, shape.schema):
        raise Refused(fault)
    return value


def _value(shape: Shape, typed: Typed, zone: ZoneInfo) -> Any:
    if typed.as_json:
        return _json(shape, typed.text)
    read = KINDS.get(shape.kind, _scalar)
    return read(shape, typed, zone)


def blank(shape: Shape) -> Any:
    """What an empty field stands for. Raises Refused where a value is needed."""
    if shape.nullable and (shape.required or shape.default is not MISSING):
        return None
    if shape.default is not MISSING:
        return shape.default
    if not shape.required:
        return MISSING
    if shape.kind in ("list", "choices", "uploads"):
        return []
    if shape.kind == "boolean":
        return False
    raise Refused(str(NEEDS.get(shape.kind, _("This needs a value."))))


NEEDS = {"choice": _l("Choose one of these."), "upload": _l("Choose a file.")}


def blank_is_empty_text(shape: Shape) -> bool:
    """Whether an empty field is empty text: where it would be something else, two double quotes are."""
    return shape.default is not MISSING and not shape.nullable


def _text(shape: Shape, typed: Typed, zone: ZoneInfo) -> Any:
    text = lines_as_typed(typed.text)
    if blank_is_empty_text(shape):
        return text
    if not text:
        return blank(shape)
    return text[2:] if not text.replace('""', "") else text


def lines_as_typed(text: str) -> str:
    """Browsers send every line break as CR LF."""
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _boolean(shape: Shape, typed: Typed, zone: ZoneInfo) -> bool:
    text = typed.text.strip().lower()
    if text in YES:
        return True
    if text in NO or not text:
        return False
    raise Refused(_("%(text)s is neither yes nor no.", text=quoted(typed.text)))


def _choice(shape: Shape, typed: Typed, zone: ZoneInfo) -> Any:
    return _chosen(shape, typed.text) if typed.text else blank(shape)


def _chosen(shape: Shape, key: str) -> Any:
    for choice, value in shape.choices:
        if key == choice.key:
            return value
    raise Refused(none_of(quoted(key), [choice.label for choice, _value in shape.choices]))


def _choices(shape: Shape, typed: Typed, zone: ZoneInfo) -> Any:
    keys = [key for key in typed.texts if key]
    return [_chosen(shape, key) for key in keys] if keys else _no_items(shape)


def _no_items(shape: Shape) -> Any:
    """Nothing ticked, no line written: no items, or null where that is possible."""
    if not shape.required and shape.default is MISSING:
        return MISSING
    return None if shape.nullable else []


def _list(shape: Shape, typed: Typed, zone: ZoneInfo) -> Any:
    lines = [line.strip() for line in typed.text.splitlines()]
    numbered = [(number, line) for number, line in enumerate(lines, 1) if line]
    return (
        [_item(shape.item, number, line, zone) for number, line in numbered] if numbered else _no_items(shape)
    )


def _item(shape: Shape, number: int, line: str, zone: ZoneInfo) -> Any:
    try:
        value = _scalar(shape, Typed((line,)), zone)
        if fault := fault_of(value, shape.schema):
            raise Refused(fault)
    except Refused as refused:
        raise Refused(_("Line %(number)s: %(fault)s", number=number, fault=refused)) from None
    return value


def _scalar(shape: Shape, typed: Typed, zone: ZoneInfo) -> Any:
    text = typed.text.strip()
    if not text:
        return blank(shape)
    if shape.kind == "datetime":
        return moment(text, None if shape.schema.get("x-zone") == "none" else zone)
    if shape.kind in READERS:
        return _within_limits(shape, READERS[shape.kind](text))
    return _union(shape, typed.text) if shape.kind == "union" else lines_as_typed(typed.text)


def _integer(shape: Shape, typed: Typed, zone: ZoneInfo) -> Any:
    """With its thousands set apart or not; in a line of a list, ``1,200`` may be two numbers, and is none."""
    return _scalar(shape, Typed((ungrouped(typed.text.strip()),)), zone)


def _within_limits(shape: Shape, value: Any) -> Any:
    """A decimal number is kept as text, on which JSON Schema knows no limits."""
    limits = {word: shape.schema[word] for word in LIMITS if word in shape.schema}
    if shape.kind == "decimal" and limits and (fault := fault_of(Decimal(value), limits)):
        raise Refused(fault)
    return value


def _union(shape: Shape, text: str) -> Any:
    """Several types in one line: the text as JSON if that fits, else as it is, if the schema lets it in."""
    readings = [*_as_json_scalar(text), lines_as_typed(text)]
    for value in readings:
        if fits(value, shape.schema):
            return value
    raise Refused(fault_of(readings[0], shape.schema))


def _as_json_scalar(text: str) -> list[Any]:
    try:
        value = parse_json(text)
    except Refused:
        return []
    return [] if isinstance(value, dict | list | None) else [value]


def _json(shape: Shape, text: str) -> Any:
    return parse_json(text) if text.strip() else blank(shape)


def _upload(shape: Shape, typed: Typed, zone: ZoneInfo) -> Any:
    return typed.text or blank(shape)


def _uploads(shape: Shape, typed: Typed, zone: ZoneInfo) -> Any:
    return [text for text in typed.texts if text] or _no_items(shape)


KINDS = {
    "text": _text,
    "integer": _integer,
    "boolean": _boolean,
    "choice": _choice,
    "choices": _choices,
    "list": _list,
    "json": lambda shape, typed, zone: _json(shape, typed.text),
    "upload": _upload,
    "uploads": _uploads,
}
