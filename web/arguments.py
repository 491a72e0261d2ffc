"""A run's arguments, from the JSON that the ledger keeps to what people read. Pure."""

import json
from typing import Any

LINE_SHOWN = 120


def line(args: str) -> str:
    """One line for lists: ``10472, width=320``. JSON that was cut off is shown as it is."""
    try:
        parsed = json.loads(args)
    except ValueError:
        return shorten(args)
    return shorten(", ".join(_parts(parsed)))


def _parts(parsed: dict[str, Any]) -> list[str]:
    named = [f"{name}={plain(value)}" for name, value in parsed.get("kwargs", {}).items()]
    return [plain(value) for value in parsed.get("args", [])] + named


def table(args: str) -> list[tuple[str, Any]] | None:
    """Name and value of each argument, positional ones numbered from 1; None when the JSON was cut off."""
    try:
        parsed = json.loads(args)
    except ValueError:
        return None
    numbered = [(f"{place}.", value) for place, value in enumerate(parsed.get("args", []), start=1)]
    return numbered + list(parsed.get("kwargs", {}).items())


def plain(value: Any) -> str:
    """A text as it is, anything else as JSON, on one line."""
    if isinstance(value, str):
        return " ".join(value.split()) or '""'
    return json.dumps(value, ensure_ascii=False, separators=(", ", ": "))


def shorten(text: str, most: int = LINE_SHOWN) -> str:
    return text if len(text) <= most else text[: most - 1].rstrip() + "…"
