"""What a parameter takes, found out from its JSON Schema. Pure.

References are followed, "or null" is taken apart, and what no simpler field can hold is ``json``.
"""

import json
from dataclasses import dataclass, replace
from enum import Enum
from typing import Any

from flask_babel import gettext as _

from web.forms.field import Choice
from web.language import Later as _l


class Missing(Enum):
    """Stands for 'no value at all', which null is not."""

    MISSING = "missing"


MISSING = Missing.MISSING
#: Kinds whose values are one line of text.
SCALARS = frozenset(
    {"integer", "number", "decimal", "date", "datetime", "time", "duration", "uuid", "text", "union"}
)
FORMATS = {
    "date": "date",
    "date-time": "datetime",
    "time": "time",
    "duration": "duration",
    "uuid": "uuid",
    "decimal": "decimal",
    "upload": "upload",
}
YES_OR_NO = ((Choice("true", _l("Yes")), True), (Choice("false", _l("No")), False))
HOPS = 20


@dataclass(frozen=True)
class Shape:
    """``schema`` describes a value other than null, with the definitions it needs. ``item`` is of a list."""

    kind: str
    schema: dict[str, Any]
    nullable: bool = False
    required: bool = False
    default: Any = MISSING
    choices: tuple[tuple[Choice, Any], ...] = ()
    item: "Shape | None" = None


def shapes_of(parameters: dict[str, Any]) -> dict[str, Shape]:
    """The shape of every parameter, in order."""
    defs, required = parameters.get("$defs", {}), set(parameters.get("required", ()))
    return {
        name: replace(_any_shape_of(prop, defs), required=name in required, default=default_of(prop))
        for name, prop in parameters.get("properties", {}).items()
    }


def _any_shape_of(schema: Any, defs: dict[str, Any]) -> Shape:
    """JSON for what is no schema as we know them: a worker of another version may have announced it."""
    try:
        return shape_of(schema, defs)
    except (AttributeError, KeyError, TypeError, ValueError):
        return Shape("json", {})


def default_of(prop: Any) -> Any:
    return prop.get("default", MISSING) if isinstance(prop, dict) else MISSING


def shape_of(schema: Any, defs: dict[str, Any]) -> Shape:
    found = alternatives(schema, defs)
    others = [each for each in found if each.get("type") != "null"]
    kind = kind_of(others)
    whole = others[0] if len(others) == 1 else {"anyOf": others} if others else {}
    shape = Shape(kind, {"$defs": defs, **whole}, nullable=len(others) < len(found))
    if kind == "choice":
        return _with_choices(shape, others)
    if kind == "boolean" and shape.nullable:
        return replace(shape, kind="choice", choices=YES_OR_NO)
    return _with_item(shape, whole, defs) if kind == "list" else shape


def alternatives(schema: Any, defs: dict[str, Any], hops: int = HOPS) -> list[dict[str, Any]]:
    """The schemas of which a value fits one, without references at their top."""
    if not isinstance(schema, dict) or hops == 0:
        return [{}]
    if isinstance(ref := schema.get("$ref"), str):
        target = defs.get(ref.removeprefix("#/$defs/"), {})
        return alternatives({**target, **without(schema, "$ref")}, defs, hops - 1)
    if len(whole := schema.get("allOf", ())) == 1:
        return alternatives({**whole[0], **without(schema, "allOf")}, defs, hops - 1)
    for word in ("anyOf", "oneOf"):
        if word in schema:
            return [found for each in schema[word] for found in alternatives(each, defs, hops - 1)]
    return _by_type(schema)


def without(schema: dict[str, Any], *words: str) -> dict[str, Any]:
    return {key: value for key, value in schema.items() if key not in words}


def _by_type(schema: dict[str, Any]) -> list[dict[str, Any]]:
    if isinstance(types := schema.get("type"), list):
        return [{**schema, "type": each} for each in types]
    if None in (options := schema.get("enum") or ()):
        return [{**schema, "enum": [each for each in options if each is not None]}, {"type": "null"}]
    return [schema]


def kind_of(schemas: list[dict[str, Any]]) -> str:
    if all("enum" in each or "const" in each for each in schemas) and schemas:
        return "choice"
    kinds = {_kind_of_one(each) for each in schemas}
    if len(kinds) == 1 and (len(schemas) == 1 or kinds <= {"integer", "number"}):
        return kinds.pop()
    if kinds and kinds <= {"integer", "number"}:
        return "number"
    return "union" if kinds and kinds <= SCALARS | {"boolean", "choice"} else "json"


def _kind_of_one(schema: dict[str, Any]) -> str:
    if "enum" in schema or "const" in schema:
        return "choice"
    if (kind := schema.get("type")) in ("integer", "number", "boolean"):
        return kind
    if kind == "string":
        return FORMATS.get(schema.get("format"), "text")
    return "list" if kind == "array" and "items" in schema and "prefixItems" not in schema else "json"


def _with_choices(shape: Shape, schemas: list[dict[str, Any]]) -> Shape:
    pairs = [pair for each in schemas for pair in _options(each)]
    keys = keys_of([value for value, _ in pairs])
    return replace(
        shape,
        choices=tuple((Choice(key, label), value) for key, (value, label) in zip(keys, pairs, strict=True)),
    )


def _options(schema: dict[str, Any]) -> list[tuple[Any, str]]:
    values = schema["enum"] if "enum" in schema else [schema["const"]]
    names = schema.get("x-enumNames") or [shown(value) for value in values]
    return list(zip(values, map(str, names), strict=False))


def keys_of(values: list[Any]) -> list[str]:
    """What stands for each value in the page: itself if it is text, else its JSON; JSON if two are alike."""
    plain = [value if isinstance(value, str) and value else json.dumps(value) for value in values]
    return plain if len(set(plain)) == len(plain) else [json.dumps(value) for value in values]


def shown(value: Any) -> str:
    """A value in words for people."""
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    return value if isinstance(value, str) and value else json.dumps(value, ensure_ascii=False, default=str)


def _with_item(shape: Shape, schema: dict[str, Any], defs: dict[str, Any]) -> Shape:
    """One-line values are lines, choices are boxes to tick, files are files, a list of others is JSON."""
    found = alternatives(schema["items"], defs)
    if kind_of(found) not in SCALARS | {"choice", "upload"}:  # a list of lists may have no bottom
        return replace(shape, kind="json")
    item = shape_of(schema["items"], defs)
    if item.kind == "choice":
        return replace(shape, kind="choices", choices=item.choices, item=item)
    return replace(shape, kind="uploads" if item.kind == "upload" else "list", item=item)
