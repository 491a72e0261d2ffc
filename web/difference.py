"""What differs between a run and the one that it repeats, argument by argument. Pure."""

from dataclasses import dataclass
from typing import Any

from ledger import texts
from ledger.queries.run import Asked
from web.arguments import plain, shorten
from web.forms import by_name

LONGEST = 300


@dataclass(frozen=True, slots=True)
class Change:
    """``was`` or ``now`` is None where there is no such argument."""

    name: str
    was: str | None
    now: str | None


def changes(asked: Asked | None) -> tuple[Change, ...]:
    """In the order of the arguments; what came from code and what came from a form are compared by their names."""
    if asked is None:
        return ()
    was, now = _named(asked.args, asked.typed, asked), _named(asked.own_args, asked.own_typed, asked)
    names = dict.fromkeys([*was, *now])
    return tuple(Change(name, _in_words(was, name), _in_words(now, name)) for name in names if _differ(was, now, name))


def _named(args: str, typed: bool, asked: Asked) -> dict[str, Any]:
    """By parameter; without the job's parameters, positional ones by their number."""
    given = texts.from_json(args)
    positional, named = given.get("args", []), given.get("kwargs", {})
    parameters = texts.from_json(asked.parameters) or {}
    if not parameters.get("properties"):
        return {f"{place}.": value for place, value in enumerate(positional, start=1)} | named
    found = by_name(parameters, positional, named, typed)
    preset = {name: prop["default"] for name, prop in parameters["properties"].items() if "default" in prop}
    return preset | found.values


def _differ(was: dict[str, Any], now: dict[str, Any], name: str) -> bool:
    return name not in was or name not in now or was[name] != now[name]


def _in_words(values: dict[str, Any], name: str) -> str | None:
    return shorten(plain(values[name]), LONGEST) if name in values else None
