"""One parameter of a function as a field of a pydantic model: its type, default, title and description.

What pydantic cannot describe becomes any JSON.
"""

import enum
import inspect
import types
from collections.abc import Callable
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from pathlib import PurePath
from typing import Any, Union, get_type_hints
from uuid import UUID

from pydantic import Field, TypeAdapter
from pydantic.fields import FieldInfo
from pydantic.json_schema import GenerateJsonSchema

EMPTY = inspect.Parameter.empty
REST, NAMED_REST = inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD
#: The type of an un-annotated parameter with a default of one of these is taken to be the same.
TELLING = (bool, str, list, dict, datetime, date, time, timedelta, Decimal, UUID, enum.Enum, PurePath)


class Schema(GenerateJsonSchema):
    """JSON Schema for forms: an enumeration keeps its members' names, decimals are exact text, and a time
    that must not have a zone says so."""

    ignored_warning_kinds = {"skipped-choice", "non-serializable-default"}

    def enum_schema(self, schema):
        names = [member.name for member in schema["members"]]
        return super().enum_schema(schema) | {"x-enumNames": names}

    def decimal_schema(self, schema):
        limits = {"ge": "minimum", "gt": "exclusiveMinimum", "le": "maximum", "lt": "exclusiveMaximum"}
        found = {word: float(schema[key]) for key, word in limits.items() if key in schema}
        return {"type": "string", "format": "decimal"} | found

    def datetime_schema(self, schema):
        naive = {"x-zone": "none"} if schema.get("tz_constraint") == "naive" else {}
        return super().datetime_schema(schema) | naive


def field_of(parameter: inspect.Parameter, function: Callable | None, said: str | None) -> tuple[Any, FieldInfo]:
    """The type and field for ``create_model``; ``said`` is what the docstring says about it.

    The field of ``*args`` or ``**kwargs`` is a list or an object, marked with ``x-rest`` in the schema.
    """
    annotation = _annotation(parameter, function)
    own = FieldInfo.from_annotation(annotation)
    return annotation, Field(
        _default(parameter),
        alias=parameter.name,
        validation_alias=parameter.name,
        title=own.title,
        description=own.description or said,
        json_schema_extra=_mark(parameter) or own.json_schema_extra,
    )


def _annotation(parameter: inspect.Parameter, function: Callable | None) -> Any:
    """What the parameter takes, in types that pydantic can describe."""
    if parameter.annotation is EMPTY:
        annotation = _guess(parameter.default)
    else:
        annotation = _describable(_resolved(parameter.annotation, function))
    if parameter.kind is REST:
        return list[annotation]
    if parameter.kind is NAMED_REST:
        return dict[str, annotation]
    return annotation if parameter.default is EMPTY else _admitting(annotation, parameter.default)


def _guess(default: Any) -> Any:
    if isinstance(default, (int, float)) and not isinstance(default, (bool, enum.Enum)):
        return int | float
    return _describable(type(default)) if isinstance(default, TELLING) else Any


def _resolved(annotation: Any, function: Callable | None) -> Any:
    """The type behind an annotation that may be text; Any when its names are not known at run time."""
    names = getattr(getattr(function, "func", function), "__globals__", {})
    holder = types.SimpleNamespace(__annotations__={"it": annotation})
    try:
        return get_type_hints(holder, names, include_extras=True)["it"]
    except Exception:
        return Any


def _describable(annotation: Any) -> Any:
    try:
        TypeAdapter(annotation).json_schema(schema_generator=Schema)
    except Exception:  # pydantic has many ways to say no
        return Any
    return annotation


def _admitting(annotation: Any, default: Any) -> Any:
    """``annotation``, widened where it does not let its own default in, as in ``limit: int = None``."""
    try:
        TypeAdapter(annotation).validate_python(default)
    except Exception:
        return _describable(Union[annotation, type(default)])  # noqa: UP007 - `|` is refused by some types
    return annotation


def _default(parameter: inspect.Parameter) -> Any:
    rest = {REST: [], NAMED_REST: {}}
    return rest.get(parameter.kind, ... if parameter.default is EMPTY else parameter.default)


def _mark(parameter: inspect.Parameter) -> dict[str, str] | None:
    marks = {REST: "positional", NAMED_REST: "named"}
    return {"x-rest": marks[parameter.kind]} if parameter.kind in marks else None
