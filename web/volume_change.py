"""What changed from one volume to another: of each rule that both were measured by, the newest figures of either."""

from collections.abc import Hashable
from dataclasses import dataclass
from typing import Any

from flask_babel import gettext as _

from ledger.queries.volumes import Measurement, corrections_of
from web.console import console
from web.language import Later as _l
from web.measurement_view import in_words
from web.volume_corrections import corrector

#: Figures that are compared, as (name, words where they are SUV, words where not, unit where it is not that of values).
COMPARED = (
    ("max", "SUVmax", _l("Highest"), None),
    ("peak", "SUVpeak", _l("Peak"), None),
    ("mean", "SUVmean", _l("Mean"), None),
    ("ml", "MTV", _l("Volume"), "ml"),
    ("total", "TLG", _l("Total"), ""),
)
#: What a rule came to in one volume, and its unit, do not make it another rule.
LEFT_OUT = ("cut", "notes", "unit")
#: Nor does where a sphere lies: in another scan that is another place.
SPHERES = ("within", "reference")
NONE = "–"


@dataclass(frozen=True, slots=True)
class Line:
    """A figure in both, as text; ``percent`` of the first."""

    figure: str
    before: str
    after: str
    difference: str
    percent: str


@dataclass(frozen=True, slots=True)
class Change:
    """Of one rule; ``words`` are the two rules, what they came to, and who corrected the SUV. In two units nothing is
    compared: no lines."""

    words: tuple[str, str]
    units: tuple[str, str]
    lines: tuple[Line, ...]


def changes(before: tuple[Measurement, ...], after: tuple[Measurement, ...]) -> tuple[Change, ...]:
    """For each rule that both were measured by; what was measured last stands first."""
    earlier, later = (_newest(found) for found in (before, after))
    return tuple(_change(earlier[key], each) for key, each in later.items() if key in earlier)


def _newest(found: tuple[Measurement, ...]) -> dict[Hashable, Measurement]:
    kept: dict[Hashable, Measurement] = {}
    for each in found:
        kept.setdefault(rule_key(each.rule), each)
    return kept


def rule_key(rule: dict[str, Any]) -> Hashable:
    """The same for rules that people would call the same."""
    said = {name: value for name, value in rule.items() if value and name not in LEFT_OUT}
    return frozenset((name, value["radius"] if name in SPHERES else value) for name, value in said.items())


def _change(before: Measurement, after: Measurement) -> Change:
    both = (before, after)
    units = tuple(each.figures["unit"] for each in both)
    lines = _lines(units[0], *(each.figures["whole"] or {} for each in both)) if units[0] == units[1] else ()
    return Change(tuple(map(_words, both)), tuple(unit or _("no unit") for unit in units), lines)


def _words(measured: Measurement) -> str:
    by, words = corrector(measured, corrections_of(console().engine, measured.volume_id)), in_words(measured.rule)
    return " · ".join([words, _("SUV corrected by hand by %(person)s", person=by)]) if by else words


def _lines(unit: str, before: dict[str, Any], after: dict[str, Any]) -> tuple[Line, ...]:
    is_suv = unit.startswith("SUV")
    found = []
    for name, of_suv, plain, own_unit in COMPARED:
        values = before.get(name), after.get(name)
        shown = own_unit if own_unit is not None else "" if is_suv else unit
        words = f"{of_suv if is_suv else plain} {shown}".strip()
        found.append(Line(words, *map(_figure, values), _difference(*values), _percent(*values)))
    return tuple(found)


def _figure(value: float | None) -> str:
    return NONE if value is None else f"{value:.4g}".replace("-", "−")


def _difference(before: float | None, after: float | None) -> str:
    return NONE if before is None or after is None else _signed(after - before, ".4g")


def _percent(before: float | None, after: float | None) -> str:
    if not before or after is None:
        return NONE
    return _("%(change)s %%", change=_signed(100 * (after - before) / abs(before), ".1f"))


def _signed(value: float, form: str) -> str:
    """Nothing has no sign."""
    return f"{value:+{form}}".replace("-", "−") if float(f"{value:{form}}") else f"{0:{form}}"
