"""What stands below a field: the job's own words, then what the field takes. Pure."""

import json
from typing import Any
from zoneinfo import ZoneInfo

from web.forms.checking import TYPES, plain
from web.forms.shape import Shape, alternatives, shown

DEEPEST = 4


def help_of(shape: Shape, prop: dict[str, Any], zone: ZoneInfo) -> str:
    said = str(prop.get("description", "")).strip()
    if said and said[-1] not in ".!?:":
        said += "."
    sentences = [said, *_limits(shape), _way_of_writing(shape, zone, bool(said)), _example(shape, prop)]
    return " ".join(filter(None, sentences))


def _limits(shape: Shape) -> list[str]:
    schema = shape.schema
    return [
        _between(schema.get("minimum"), schema.get("maximum")),
        _more(schema, "exclusiveMinimum", "More than {}."),
        _more(schema, "exclusiveMaximum", "Less than {}."),
        _more(schema, "multipleOf", "A multiple of {}."),
        _more(schema, "minLength", "{} characters or more."),
        _more(schema, "maxLength", "{} characters at most."),
        _more(schema, "minItems", "{} or more of them."),
        _more(schema, "maxItems", "{} of them at most."),
    ]


def _between(low: Any, high: Any) -> str:
    if low is not None and high is not None:
        return f"{plain(low)} to {plain(high)}."
    if low is not None:
        return f"{plain(low)} or more."
    return f"{plain(high)} or less." if high is not None else ""


def _more(schema: dict[str, Any], word: str, sentence: str) -> str:
    return sentence.format(plain(schema[word])) if schema.get(word) is not None else ""


def _way_of_writing(shape: Shape, zone: ZoneInfo, described: bool) -> str:
    """Short where the job's own words say what kind of thing it is."""
    if shape.kind == "datetime":
        return "Without a time zone." if shape.schema.get("x-zone") == "none" else f"Time in {zone.key}."
    if shape.kind == "list":
        word = "" if described else WORDS.get(shape.item.kind, "")
        return f"One {word} per line." if word else "One per line."
    if shape.kind == "union":
        return _types(shape, described)
    return {"duration": "Hours first, like 1:30:00, or PT90S.", "json": _json(shape)}.get(shape.kind, "")


WORDS = {"integer": "whole number", "number": "number", "decimal": "number", "date": "date", "time": "time"}


def _json(shape: Shape) -> str:
    members = shape.schema.get("properties") or {}
    names = [name if name in shape.schema.get("required", ()) else f"{name} (optional)" for name in members]
    return f"As JSON, with {', '.join(names)}." if names else "As JSON."


def _types(shape: Shape, described: bool) -> str:
    found = alternatives(shape.schema, shape.schema.get("$defs", {}))
    words = list(dict.fromkeys(TYPES[each["type"]][0] for each in found if each.get("type") in TYPES))
    listed = f"{' or '.join(words)}." if words and not described else ""
    quotes = 'Put text in quotes where it could be taken for something else: "5".' if "text" in words else ""
    return " ".join(filter(None, (listed[:1].upper() + listed[1:], quotes)))


def _example(shape: Shape, prop: dict[str, Any]) -> str:
    examples = prop.get("examples") or shape.schema.get("examples")
    if isinstance(examples, list) and examples:
        return f"Like {shown(examples[0])}."
    pattern = shape.schema.get("pattern")
    return f"It has to match {pattern}" if pattern and not prop.get("description") else ""


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
