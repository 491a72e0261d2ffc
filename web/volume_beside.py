"""Two volumes side by side, as two time points of one patient: places, windows and turns go together, and of what was
measured in both by the same rule, the change in each figure is told."""

from dataclasses import dataclass
from typing import Any

from flask import Blueprint, abort, redirect, render_template, request, url_for
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from ledger.ids import is_id
from ledger.queries.volumes import Measurement, measurements_of
from web.console import console
from web.measurement_view import in_words
from web.volume_folder import kept
from web.volume_page import Layer, View, layers_of, viewer

blueprint = Blueprint("volume_beside", __name__, url_prefix="/volumes")

ROOTS = ("viewer", "viewer-2")
#: Figures that are compared, as (name, words where they are SUV, words where not, unit where it is not that of values).
COMPARED = (
    ("max", "SUVmax", _l("Highest"), None),
    ("peak", "SUVpeak", _l("Peak"), None),
    ("mean", "SUVmean", _l("Mean"), None),
    ("ml", "MTV", _l("Volume"), "ml"),
    ("total", "TLG", _l("Total"), ""),
)
#: What makes two rules the same. A sphere lies where it lies: in another scan that is another place.
SAME = ("kind", "threshold", "hottest", "smallest_ml")


@dataclass(frozen=True, slots=True)
class Line:
    """A figure in both, as text; ``change`` in percent of the first."""

    figure: str
    before: str
    after: str
    change: str


@dataclass(frozen=True, slots=True)
class Change:
    """Of one rule, by the newest measurement in each; ``words`` are the two rules with what they came to."""

    words: tuple[str, str]
    lines: tuple[Line, ...]


@dataclass(frozen=True, slots=True)
class BesidePage:
    views: tuple[View, View]
    changes: tuple[Change, ...]

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(view.base.name for view in self.views)

    @property
    def layers(self) -> tuple[Layer, ...]:
        return tuple(view.base for view in self.views)


@blueprint.get("/<volume_id>/beside")
def choose(volume_id: str):
    """From the form that also lays a volume over another, hence the name."""
    other = request.args.get("over", "")
    if not (is_id(volume_id) and is_id(other)):
        abort(404)
    return redirect(url_for("volume_beside.show", volume_id=volume_id, other_id=other), 303)


@blueprint.get("/<volume_id>/beside/<other_id>")
def show(volume_id: str, other_id: str) -> str:
    shown = [kept(volume_id), kept(other_id)]
    views = tuple(View(root=root, **viewer(layers_of([each]))) for root, each in zip(ROOTS, shown, strict=True))
    both = (measurements_of(console().engine, each) for each in (volume_id, other_id))
    return render_template("volumes/beside.html", page=BesidePage(views, tuple(changes(*both))))


def changes(before: tuple[Measurement, ...], after: tuple[Measurement, ...]) -> list[Change]:
    """For each rule that both were measured by, the newest of either."""
    earlier, later = ({key_of(each): each for each in reversed(found)} for found in (before, after))
    return [change(earlier[key], each) for key, each in reversed(later.items()) if key in earlier]


def key_of(measured: Measurement) -> tuple[Any, ...]:
    rule = measured.rule
    limited = [bool(rule.get(name)) for name in ("within", "mask")]
    return (measured.figures["unit"], *(rule.get(name) for name in SAME), *limited)


def change(before: Measurement, after: Measurement) -> Change:
    unit = before.figures["unit"]
    pairs = [(before.figures["whole"] or {}).get, (after.figures["whole"] or {}).get]
    lines = []
    for name, of_suv, plain, own_unit in COMPARED:
        values = [get(name) for get in pairs]
        words = of_suv if unit.startswith("SUV") else str(plain)
        shown = own_unit if own_unit is not None else "" if unit.startswith("SUV") else unit
        lines.append(Line(f"{words} {shown}".strip(), *map(figure, values), percent(*values)))
    return Change((in_words(before.rule), in_words(after.rule)), tuple(lines))


def figure(value: float | None) -> str:
    return "–" if value is None else f"{value:.4g}"


def percent(before: float | None, after: float | None) -> str:
    if not before or after is None:
        return "–"
    return _("%(change)s %%", change=f"{100 * (after - before) / abs(before):+.1f}".replace("-", "−"))
