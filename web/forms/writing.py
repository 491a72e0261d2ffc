"""A value -> what stands in its field, so that reading it gives the same value again. Pure.

Where a kind's own way of writing cannot do that - text with control characters in one line, say - the field
holds JSON instead.
"""

import json
import unicodedata
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from flask_babel import gettext as _

from web.forms.errors import Refused
from web.forms.field import Typed
from web.forms.reading import lines_as_typed, value_of
from web.forms.shape import SCALARS, Shape


def typed_of(shape: Shape, value: Any, zone: ZoneInfo) -> Typed:
    """What the field shows for ``value``; a value that the field's schema refuses is shown all the same."""
    try:
        found = (each for each in _candidates(shape, value, zone) if _survives(shape, each))
        good = next((each for each in found if _reads_back(shape, each, value, zone)), None)
        return good or _refused_but_shown(shape, value)
    except RecursionError:
        return Typed((_("(nested too deeply to be shown)"),), as_json=True)


def _candidates(shape: Shape, value: Any, zone: ZoneInfo) -> Iterator[Typed]:
    if value is None:
        yield Typed(("",))
    elif shape.kind == "list" and isinstance(value, list):
        yield Typed(("\n".join(next(_lines(shape.item, each, zone), "") for each in value),))
    elif shape.kind == "choices" and isinstance(value, list):
        yield Typed(("", *(_key(shape, each) for each in value)))
    elif shape.kind == "uploads" and isinstance(value, list):
        yield Typed(("", *map(str, value)))
    else:
        yield from (Typed((line,)) for line in _lines(shape, value, zone))


def _lines(shape: Shape, value: Any, zone: ZoneInfo) -> Iterator[str]:
    if shape.kind == "choice":
        yield _key(shape, value)
    elif shape.kind == "json":
        yield pretty(value)
    elif is_instant(shape) and isinstance(value, str):
        yield from _clocks(value, zone)
    elif isinstance(value, str):
        yield value
        yield '""' + value
    if shape.kind in SCALARS | {"boolean"}:
        yield json.dumps(value, ensure_ascii=False)


def _key(shape: Shape, value: Any) -> str:
    written = json.dumps(value)
    return next((choice.key for choice, known in shape.choices if json.dumps(known) == written), "")


def _clocks(value: str, zone: ZoneInfo) -> Iterator[str]:
    """The time as a clock in ``zone`` shows it, short; with its offset where that is not enough."""
    try:
        local = _instant(value, zone).astimezone(zone)
    except (ValueError, OverflowError):
        return
    yield f"{local:%Y-%m-%dT%H:%M}".zfill(16)
    yield f"{local:%Y-%m-%dT%H:%M:%S}".zfill(19)
    yield value


def pretty(value: Any) -> str:
    """JSON for people: indented where it has parts, on one line where it is short."""
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 60 else json.dumps(value, ensure_ascii=False, indent=2)


def _survives(shape: Shape, typed: Typed) -> bool:
    """Whether a page can hold it: no control characters, no half characters, no second line in one line."""
    if shape.kind == "choices" and [*typed.texts] != ["", *_ticked(shape, typed)]:
        return False
    one_line = shape.kind in SCALARS - {"text"}
    allowed = "\t" if one_line else "\t\n"
    text = "".join(typed.texts)
    return all(char in allowed or unicodedata.category(char) not in ("Cc", "Cs") for char in text)


def _ticked(shape: Shape, typed: Typed) -> list[str]:
    """Boxes come back once each, and in the order of the page."""
    return [choice.key for choice, _value in shape.choices if choice.key in typed.texts]


def _reads_back(shape: Shape, typed: Typed, value: Any, zone: ZoneInfo) -> bool:
    try:
        return same(shape, value_of(shape, typed, zone), value, zone)
    except Refused:
        return False


def same(shape: Shape, one: Any, other: Any, zone: ZoneInfo) -> bool:
    """Whether two values are equal, their types too; times if they are one instant, and decimal numbers
    whether code gave them as numbers or a form as text."""
    if shape.kind == "decimal" and isinstance(other, int | float):
        return one == json.dumps(other)
    if is_instant(shape) and isinstance(one, str) and isinstance(other, str):
        return _same_instant(one, other, zone)
    if shape.kind == "list" and is_instant(shape.item) and isinstance(other, list):
        pairs = zip(one, other, strict=False)
        return len(one) == len(other) and all(same(shape.item, *pair, zone) for pair in pairs)
    return _written(one) == _written(other)


def is_instant(shape: Shape) -> bool:
    return shape.kind == "datetime" and shape.schema.get("x-zone") != "none"


def _same_instant(one: str, other: str, zone: ZoneInfo) -> bool:
    try:
        return _instant(one, zone) == _instant(other, zone)
    except (ValueError, OverflowError):
        return one == other


def _instant(text: str, zone: ZoneInfo) -> datetime:
    moment = datetime.fromisoformat(text.upper())
    return (moment if moment.tzinfo else moment.replace(tzinfo=zone)).astimezone(UTC)


def _written(value: Any) -> str | None:
    try:
        return json.dumps(value)
    except TypeError:  # MISSING
        return None


def _refused_but_shown(shape: Shape, value: Any) -> Typed:
    if isinstance(value, str) and shape.kind in (SCALARS | {"choice"}) - {"text", "union"}:
        plain = Typed((lines_as_typed(value),))
        if _survives(shape, plain):
            return plain
    return Typed((json.dumps(value, indent=2),), as_json=True)
