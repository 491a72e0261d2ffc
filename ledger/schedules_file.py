"""``schedules.toml``: schedules that stand in a file beside the code. Reading it never raises."""

import tomllib
from pathlib import Path
from typing import Any

from ledger import declarations, texts
from ledger.declarations import DeclarationError
from ledger.errors import N_
from ledger.statements import FILE, Statement, fault

ENTRIES = "schedule"


def read(path: Path) -> Statement:
    """What the file declares; one that is not there declares nothing, one that cannot be read says nothing."""
    try:
        found = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return Statement(FILE, is_absent=True)
    except (OSError, ValueError) as error:
        told = DeclarationError(N_("The file cannot be read: %(error)s"), error=texts.clean(str(error), 300))
        return Statement(FILE, is_broken=True, faults=(fault(path.name, told),))
    return _statement(path.name, found)


def _statement(file: str, found: dict[str, Any]) -> Statement:
    entries = found.pop(ENTRIES, [])
    faults = [fault(file, DeclarationError(STRANGE, key=key)) for key in found]
    if not isinstance(entries, list):
        return Statement(FILE, is_broken=True, faults=(*faults, fault(file, DeclarationError(STRANGE, key=ENTRIES))))
    schedules: dict[str, dict[str, Any]] = {}
    wrong: list[str] = []
    for number, entry in enumerate(entries, start=1):
        place = _place(file, number, entry)
        try:
            said = _read(entry, schedules)
            schedules[said["name"]] = said | {"place": place, "module": ""}
        except DeclarationError as error:
            faults.append(fault(place, error))
            wrong += [name for name in [_name(entry)] if name and name not in schedules]
    return Statement(FILE, schedules, tuple(wrong), faults=tuple(faults))


STRANGE = N_("“%(key)s” does not belong here: each schedule is a table called [[schedule]].")


def _read(entry: Any, before: dict[str, Any]) -> dict[str, Any]:
    if not isinstance(entry, dict):
        raise DeclarationError(STRANGE, key=ENTRIES)
    said = declarations.read({"name": entry.get("job"), **entry})
    if said["name"] in before:
        raise DeclarationError(TWICE, name=said["name"])
    return said


TWICE = N_("Another schedule is called “%(name)s”: give each a name of its own.")


def _name(entry: Any) -> str:
    """The name of an entry that is wrong, as far as it can be told: it keeps what was there before."""
    found = entry.get("name", entry.get("job")) if isinstance(entry, dict) else None
    return found.strip() if isinstance(found, str) else ""


def _place(file: str, number: int, entry: Any) -> str:
    name = _name(entry)
    return f"{file}, [[schedule]] {number}" + (f" “{name}”" if name else "")
