"""Docstrings as people write them (Google, Sphinx, NumPy, Epydoc) -> text for the job's page. Pure."""

import inspect
import re
from dataclasses import dataclass, field

import docstring_parser

from ledger import texts

LIMIT = 8_000


@dataclass(frozen=True)
class Docstring:
    """``text`` leaves out the sections on parameters, results and errors; ``parameters`` is by name."""

    text: str = ""
    parameters: dict[str, str] = field(default_factory=dict)


def read(documented: object) -> Docstring:
    """The docstring of a function or an actor's class; what cannot be parsed is taken as it stands."""
    text = inspect.getdoc(documented) or ""
    try:
        parsed = docstring_parser.parse(text)
    except Exception:  # people may write what they like there
        return Docstring(_clean(text))
    named = {each.arg_name.lstrip("*"): _one_line(each.description or "") for each in parsed.params}
    return Docstring(_clean(parsed.description or ""), {name: said for name, said in named.items() if said})


def _clean(text: str) -> str:
    return texts.clean(text.strip(), LIMIT)


def _one_line(text: str) -> str:
    return texts.clean(re.sub(r"\s+", " ", text).strip())
