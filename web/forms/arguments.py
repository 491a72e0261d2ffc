"""A run's arguments, as code or a form gave them -> values for the fields of its form. Pure."""

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Named:
    """``values`` by parameter; ``homeless`` are arguments for which the job has no parameter any more."""

    values: dict[str, Any]
    homeless: tuple[str, ...] = ()


def by_name(parameters: dict[str, Any], args: list[Any], kwargs: dict[str, Any], typed: bool) -> Named:
    """Positional arguments go to the parameters in order, what is left over to ``*args`` and ``**kwargs``.

    The arguments of a ``typed`` run came from a form and have the names of its fields already.
    """
    properties = parameters.get("properties", {})
    rest = {prop["x-rest"]: name for name, prop in properties.items() if "x-rest" in prop}
    names = [name for name in properties if typed or name not in rest.values()]
    in_order = list(properties)
    in_order = in_order[: in_order.index(rest["positional"])] if "positional" in rest else names
    values = dict(zip(in_order, args, strict=False)) | {key: kwargs[key] for key in names if key in kwargs}
    more_args = list(args[len(in_order) :])
    more_kwargs = {key: value for key, value in kwargs.items() if key not in names}
    strange = _place(values, rest.get("positional"), more_args)
    return Named(values, strange + _place(values, rest.get("named"), more_kwargs))


def _place(values: dict[str, Any], name: str | None, more: list | dict) -> tuple[str, ...]:
    """Puts what is left over into the parameter that takes it; the words for it where there is none."""
    if more and name:
        values[name] = more
    return () if name else tuple(str(each) if isinstance(more, dict) else repr(each) for each in more)
