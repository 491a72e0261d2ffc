"""Two volumes side by side, as two time points of one patient: places, windows and turns go together, and of what was
measured in both by the same rule, the change in each figure is told."""

from dataclasses import dataclass

from flask import Blueprint, abort, redirect, render_template, request, url_for

from ledger.ids import is_id
from ledger.queries.volumes import Measurement, measurements_of
from web.console import console
from web.measurement_view import in_words
from web.volume_change import Change, changes, rule_key
from web.volume_facts import in_a_list
from web.volume_folder import Kept, kept
from web.volume_page import Layer, View, layers_of, viewer
from web.volume_stills import Still, stills

blueprint = Blueprint("volume_beside", __name__, url_prefix="/volumes")

ROOTS = ("viewer", "viewer-2")
MOST_REGIONS = 20


@dataclass(frozen=True, slots=True)
class Region:
    """What was measured, to be outlined; ``labels`` is its address. A rule has the same number on both sides."""

    id: str
    words: str
    at: int
    labels: str
    rule: int
    is_shown: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Side(View):
    """One of the two; ``label`` tells it from the other. ``stills``: its middle slices, for browsers without script."""

    label: str
    stills: tuple[Still, ...]
    regions: tuple[Region, ...]


@dataclass(frozen=True, slots=True)
class BesidePage:
    """``in_time``: the two, the earlier first. ``share_frame``: the same millimetres are the same place in both."""

    views: tuple[Side, Side]
    in_time: tuple[Side, Side]
    dates_known: bool
    share_frame: bool
    changes: tuple[Change, ...]

    @property
    def layers(self) -> tuple[Layer, ...]:
        return tuple(view.base for view in self.views)

    @property
    def share_unit(self) -> bool:
        return self.layers[0].unit == self.layers[1].unit


@blueprint.get("/<volume_id>/beside")
def choose(volume_id: str):
    """From the form on the page of a volume."""
    other = request.args.get("other", "")
    if not (is_id(volume_id) and is_id(other)):
        abort(404)
    return redirect(url_for("volume_beside.show", volume_id=volume_id, other_id=other), 303)


@blueprint.get("/<volume_id>/beside/<other_id>")
def show(volume_id: str, other_id: str) -> str:
    return render_template("volumes/beside.html", page=page_of([kept(volume_id), kept(other_id)]))


def page_of(shown: list[Kept]) -> BesidePage:
    found = [measurements_of(console().engine, each.id) for each in shown]
    views = tuple(map(side, ROOTS, shown, labels(*shown), regions(*found)))
    dates = [view.base.acquired for view in views]
    in_time = sorted(views, key=lambda view: view.base.acquired if all(dates) else "")
    measured = found if in_time[0] is views[0] else found[::-1]
    return BesidePage(views, tuple(in_time), all(dates), share_frame(*shown), changes(*measured))


def regions(*found: tuple[Measurement, ...]) -> list[tuple[Region, ...]]:
    """Of both, the newest first. What is shown at first is the newest of a rule that both were measured by."""
    inside = [[each for each in measured if each.figures["whole"]][:MOST_REGIONS] for measured in found]
    keys = [[rule_key(each.rule) for each in measured] for measured in inside]
    rules = list(dict.fromkeys(keys[0] + keys[1]))
    common = next((rule for rule in rules if all(rule in each for each in keys)), None)
    shown = [each.index(common) if common else None for each in keys]
    return [
        tuple(_region(each, rules.index(key), at == first) for at, (each, key) in enumerate(zip(*both, strict=True)))
        for both, first in zip(zip(inside, keys, strict=True), shown, strict=True)
    ]


def _region(measured: Measurement, rule: int, is_shown: bool) -> Region:
    where = {"volume_id": measured.volume_id, "measurement_id": measured.id}
    labels = url_for("measurements.labels", **where)
    return Region(measured.id, in_words(measured.rule), measured.created_at, labels, rule, is_shown)


def labels(*shown: Kept) -> list[str]:
    """Their names, with the dates where both have the same name."""
    names = {each.name for each in shown}
    return [each.name if len(names) > 1 else in_a_list(each) for each in shown]


def side(root: str, volume: Kept, label: str, regions: tuple[Region, ...]) -> Side:
    return Side(root=root, label=label, stills=stills(volume, {}), regions=regions, **viewer(layers_of([volume])))


def share_frame(one: Kept, other: Kept) -> bool:
    frames = {each.sidecar.get("frame_of_reference_uid") or each.id for each in (one, other)}
    return len(frames) == 1 and all(each.sidecar.get("affine_known") for each in (one, other))
