"""What stands below a field: the job's own words, then what the field takes. Pure."""

import json
from collections.abc import Callable
from typing import Any
from zoneinfo import ZoneInfo

from flask_babel import gettext as _

from web.forms.checking import TYPES, either, grouped, plain
from web.forms.shape import Shape, alternatives, shown
from web.language import Later as _l

DEEPEST = 4


def help_of(shape: Shape, prop: dict[str, Any], zone: ZoneInfo) -> str:
    said = str(prop.get("description", "")).strip()
    if said and said[-1] not in ".!?:":
        said += "."
    sentences = [said, *_limits(shape), _way_of_writing(shape, zone, bool(said)), _example(shape, prop)]
    return " ".join(filter(None, sentences))


def _limits(shape: Shape) -> list[str]:
    schema, written = shape.schema, grouped if shape.kind == "integer" else plain
    return [
        _between(schema.get("minimum"), schema.get("maximum"), written),
        _more(schema, "exclusiveMinimum", _("More than {}.")),
        _more(schema, "exclusiveMaximum", _("Less than {}.")),
        _more(schema, "multipleOf", _("A multiple of {}.")),
        _more(schema, "minLength", _("{} characters or more.")),
        _more(schema, "maxLength", _("{} characters at most.")),
        _more(schema, "minItems", _("{} or more of them.")),
        _more(schema, "maxItems", _("{} of them at most.")),
    ]


def _between(low: Any, high: Any, written: Callable[[Any], str]) -> str:
    if low is not None and high is not None:
        return _("{low} to {high}.").format(low=written(low), high=written(high))
    if low is not None:
        return _("{} or more.").format(written(low))
    return _("{} or less.").format(written(high)) if high is not None else ""


def _more(schema: dict[str, Any], word: str, sentence: str) -> str:
    return sentence.format(plain(schema[word])) if schema.get(word) is not None else ""


def _way_of_writing(shape: Shape, zone: ZoneInfo, described: bool) -> str:
    """Short where the job's own words say what kind of thing it is."""
    if shape.kind == "datetime":
        zoned = shape.schema.get("x-zone") != "none"
        return _("Time in %(zone)s.", zone=zone.key) if zoned else _("Without a time zone.")
    if shape.kind == "list":
        return _("One per line.") if described else str(LISTS.get(shape.item.kind, _("One per line.")))
    if shape.kind == "union":
        return _types(shape, described)
    return {"duration": _("Hours first, like 1:30:00, or PT90S."), "json": _json(shape)}.get(shape.kind, "")


LISTS = {
    "integer": _l("One whole number per line."),
    "number": _l("One number per line."),
    "decimal": _l("One number per line."),
    "date": _l("One date per line."),
    "time": _l("One time per line."),
}


def _json(shape: Shape) -> str:
    members = shape.schema.get("properties") or {}
    needed = shape.schema.get("required", ())
    names = [name if name in needed else _("%(name)s (optional)", name=name) for name in members]
    return _("As JSON, with %(names)s.", names=", ".join(names)) if names else _("As JSON.")


def _types(shape: Shape, described: bool) -> str:
    found = alternatives(shape.schema, shape.schema.get("$defs", {}))
    types = list(dict.fromkeys(each["type"] for each in found if each.get("type") in TYPES))
    listed = _("%(kinds)s.", kinds=either([str(TYPES[each][0]) for each in types])) if types and not described else ""
    quotes = _('Put text in quotes where it could be taken for something else: "5".') if "string" in types else ""
    return " ".join(filter(None, (listed[:1].upper() + listed[1:], quotes)))


def _example(shape: Shape, prop: dict[str, Any]) -> str:
    examples = prop.get("examples") or shape.schema.get("examples")
    if isinstance(examples, list) and examples:
        return _("Like %(example)s.", example=shown(examples[0]))
    pattern = shape.schema.get("pattern")
    return _("It has to match %(pattern)s", pattern=pattern) if pattern and not prop.get("description") else ""


def template_of(shape: Shape) -> str:
    """An object to be filled in: its defaults, and null where a value is needed; blank for anything else."""
    defs = shape.schema.get("$defs", {})
    blank = _blank(shape.schema, defs, 0)
    return json.dumps(blank, indent=2, ensure_ascii=False) if isinstance(blank, dict) and blank else ""


def _blank(schema: Any, defs: dict[str, Any], depth: int) -> Any:
    found = alternatives(schema, defs)
    if len(found) != 1 or "properties" not in found[0] or depth == DEEPEST:
        return [] if found[0].get("type") == "array" else None
    return {
        name: prop["default"] if "default" in prop else _blank(prop, defs, depth + 1)
        for name, prop in found[0]["properties"].items()
    }
