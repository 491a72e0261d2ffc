"""A result as people read it: a table where it is one, JSON otherwise. Pure."""

import json
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from ledger.queries.run import Text
from web.arguments import plain

MOST_ROWS, MOST_COLUMNS = 100, 12
LONG = 120


class Form(StrEnum):
    PAIRS = "pairs"
    TABLE = "table"
    TEXT = "text"
    JSON = "json"


@dataclass(frozen=True, slots=True)
class Pair:
    """``block`` is set instead of ``text`` when the value needs lines of its own."""

    name: str
    text: str
    block: str = ""


@dataclass(frozen=True, slots=True)
class Cell:
    text: str
    is_number: bool


@dataclass(frozen=True, slots=True)
class Result:
    """``size`` in characters; ``is_cut`` when only the beginning is shown."""

    form: Form
    size: int
    is_cut: bool = False
    pairs: tuple[Pair, ...] = ()
    columns: tuple[Cell, ...] = ()
    rows: tuple[tuple[Cell, ...], ...] = ()
    more_rows: int = 0
    text: str = ""


def result_of(stored: Text | None) -> Result | None:
    if stored is None:
        return None
    if stored.is_cut:
        return Result(Form.JSON, stored.size, True, text=stored.text)
    return _shaped(json.loads(stored.text), stored.size)


def _shaped(value: Any, size: int) -> Result:
    if isinstance(value, dict) and value:
        return Result(Form.PAIRS, size, pairs=tuple(_pair(name, each) for name, each in value.items()))
    if is_table(value):
        return _table(value, size)
    if isinstance(value, str):
        return Result(Form.TEXT, size, text=value)
    return Result(Form.JSON, size, text=pretty(value))


def _pair(name: str, value: Any) -> Pair:
    line = plain(value)
    if isinstance(value, dict | list) and len(line) > LONG:
        return Pair(name, "", pretty(value))
    return Pair(name, "", value) if isinstance(value, str) and len(value) > 4 * LONG else Pair(name, line)


def is_table(value: Any) -> bool:
    """A list of objects that have the same few names."""
    if not isinstance(value, list) or not value or not all(isinstance(each, dict) for each in value):
        return False
    names = list(value[0])
    return 0 < len(names) <= MOST_COLUMNS and all(list(each) == names for each in value)


def _table(value: list[dict], size: int) -> Result:
    rows = tuple(tuple(_cell(each) for each in row.values()) for row in value[:MOST_ROWS])
    hidden = max(0, len(value) - MOST_ROWS)
    columns = tuple(_head(name, [row[place] for row in rows]) for place, name in enumerate(value[0]))
    return Result(Form.TABLE, size, columns=columns, rows=rows, more_rows=hidden)


def _head(name: str, cells: list[Cell]) -> Cell:
    """A column of numbers has its name on the right, like them."""
    return Cell(name, all(cell.is_number for cell in cells))


def _cell(value: Any) -> Cell:
    return Cell(plain(value), isinstance(value, int | float) and not isinstance(value, bool))


def pretty(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, indent=2)
