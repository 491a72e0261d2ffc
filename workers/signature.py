"""A function's signature as a pydantic model: JSON Schema for its form, typed values for JSON arguments.

Any function will do; one that cannot be looked into has a single field, its keyword arguments.
"""

import inspect
import json
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError, create_model

from workers import docstrings
from workers.parameters import NAMED_REST, REST, Schema, field_of

POSITIONAL_ONLY = inspect.Parameter.POSITIONAL_ONLY
POSITIONAL = inspect.Parameter.POSITIONAL_OR_KEYWORD
ANYTHING = (inspect.Parameter("kwargs", NAMED_REST),)


class ArgumentsDoNotFit(Exception):
    """JSON arguments do not fit the signature, for instance because the code changed in the meantime."""

    def __init__(self, function: str, faults: list[str]):
        self.function, self.faults = function, faults
        super().__init__(
            f"The arguments do not fit {function}(): {'; '.join(faults)}. "
            "Perhaps its code changed after this run was made."
        )


@dataclass(frozen=True)
class Signature:
    """``parameters`` in order; ``model`` has a field ``p0``, ``p1``, ... for each, its name as the alias."""

    function: str
    parameters: tuple[inspect.Parameter, ...]
    model: type[BaseModel]
    schema: dict[str, Any]

    def typed(self, kwargs: dict[str, Any]) -> dict[str, Any]:
        """The given values by parameter name, as the annotations want them. Raises ArgumentsDoNotFit."""
        try:
            made = self.model.model_validate_json(json.dumps(kwargs))
        except ValidationError as error:
            raise ArgumentsDoNotFit(self.function, _faults(error)) from None
        fields = {f"p{index}": each.name for index, each in enumerate(self.parameters)}
        return {fields[key]: getattr(made, key) for key in fields if key in made.model_fields_set}

    def bound(self, kwargs: dict[str, Any]) -> tuple[list[Any], dict[str, Any]]:
        """``keywords`` with ``*args``, positional-only ones, and what must stand before them, apart."""
        values = self.keywords(kwargs)
        rest = [each for name in self._names(REST) for each in values.pop(name, ())]
        leading = (POSITIONAL_ONLY, POSITIONAL) if rest else (POSITIONAL_ONLY,)
        first = [values.pop(each.name, each.default) for each in self.parameters if each.kind in leading]
        return first + rest, values

    def keywords(self, kwargs: dict[str, Any]) -> dict[str, Any]:
        """``typed`` with the contents of ``**kwargs`` beside the others."""
        values = self.typed(kwargs)
        more = {key: each for name in self._names(NAMED_REST) for key, each in values.pop(name, {}).items()}
        if doubled := values.keys() & more.keys():
            raise ArgumentsDoNotFit(self.function, [f"{name} is given twice" for name in sorted(doubled)])
        return values | more

    def _names(self, kind: inspect._ParameterKind) -> list[str]:
        return [each.name for each in self.parameters if each.kind is kind]


@cache
def signature_of(fn: Callable) -> Signature:
    """The signature of the function below all wrappers; never raises."""
    function = original(fn)
    name = getattr(function, "__name__", type(function).__name__)
    try:
        return _signature(name, function, tuple(inspect.signature(function).parameters.values()))
    except Exception:  # a worker boots, whatever it was given
        return _signature(name, None, ANYTHING)


def original(fn: Callable) -> Callable:
    """What a person wrote: below the wrappers of our broker, and of Dramatiq for async and class actors."""
    try:
        function = inspect.unwrap(fn)
    except ValueError:  # it wraps itself
        function = fn
    return function if inspect.isroutine(function) else getattr(function, "perform", function)


def _signature(name: str, function: Callable | None, parameters: tuple[inspect.Parameter, ...]) -> Signature:
    said = docstrings.read(function).parameters if function else {}
    fields = {f"p{index}": field_of(each, function, said.get(each.name)) for index, each in enumerate(parameters)}
    model = create_model("Parameters", __config__=CONFIG, **fields)
    return Signature(name, parameters, model, _schema(model))


def _label(name: str) -> str:
    words = name.replace("_", " ").strip() or name
    return words[:1].upper() + words[1:]


CONFIG = ConfigDict(extra="forbid", field_title_generator=lambda name, info: _label(info.alias or name))


def _schema(model: type[BaseModel]) -> dict[str, Any]:
    schema = model.model_json_schema(schema_generator=Schema)
    fields = {name: _with_json_default(field) for name, field in schema.get("properties", {}).items()}
    return schema | {"properties": fields}


def _with_json_default(field: dict[str, Any]) -> dict[str, Any]:
    """``field`` without a default that is no JSON, or no UTF-8, such as NaN."""
    try:
        json.dumps(field.get("default"), allow_nan=False, ensure_ascii=False).encode()
    except (ValueError, TypeError):
        return {key: value for key, value in field.items() if key != "default"}
    return field


def _faults(error: ValidationError) -> list[str]:
    return [_fault(each) for each in error.errors(include_url=False, include_context=False)]


def _fault(fault: dict[str, Any]) -> str:
    place = ".".join(str(part) for part in fault["loc"])
    if fault["type"] == "missing":
        return f"{place} is missing"
    if fault["type"] == "extra_forbidden":
        return f"it has no parameter {place}"
    said = fault["msg"].removeprefix("Value error, ")
    return f"{place}: {said[:1].lower()}{said[1:]}"
