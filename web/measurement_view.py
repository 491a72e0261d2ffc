"""Measurements as pages show them: the rule in words beside each number."""

from dataclasses import dataclass
from typing import Any

from flask import url_for
from flask_babel import gettext as _

from ledger.errors import RunNotFound
from ledger.ids import is_id
from ledger.queries.lines import RunLine, one_line
from ledger.queries.status import AT_WORK, WAITING
from ledger.queries.volumes import Correction, Measurement, Volume, corrections_of, measurements_of, volume
from ledger.states import State
from web.console import console
from web.language import Later as _l
from web.volume_corrections import Basis, basis
from web.volume_facts import unit_words

#: In the order of the table; the names are those of ``workers.jobs.volume.measuring.figures.Figures``.
FIGURES = ("max", "peak", "peak_at_max", "mean", "deviation", "min", "ml", "total", "voxels")
PARTS_SHOWN = 10

RULES = {
    "percent": _l("At least a percentage of the maximum"),
    "absolute": _l("At least a value"),
    "percist": _l("PERCIST: 1.5 times the mean of the liver and two standard deviations"),
    "sphere": _l("All of a sphere"),
    "mask": _l("All of a mask"),
}


@dataclass(frozen=True, slots=True)
class Shown:
    """One measurement. ``parts`` are figures by name, the largest part first; ``more`` are not shown."""

    id: str
    words: str
    notes: tuple[str, ...]
    unit: str
    whole: dict[str, Any] | None
    parts: tuple[dict[str, Any], ...]
    more: int
    by: str
    at: int
    labels: str
    basis: Basis


@dataclass(frozen=True, slots=True)
class MeasurementsPage:
    """``run`` is the one that the visitor has just asked for."""

    volume: Volume
    unit: str
    shown: tuple[Shown, ...]
    run: RunLine | None

    @property
    def is_measuring(self) -> bool:
        return self.run is not None and self.run.status in WAITING | AT_WORK

    @property
    def has_failed(self) -> bool:
        return self.run is not None and not self.is_measuring and self.run.status != State.SUCCEEDED


def page_of(volume_id: str, run_id: str = "") -> MeasurementsPage:
    """Raises VolumeNotFound."""
    engine = console().engine
    found = volume(engine, volume_id)
    corrections = corrections_of(engine, volume_id)
    measured = tuple(shown(each, corrections) for each in measurements_of(engine, volume_id))
    return MeasurementsPage(found, unit_words(found.sidecar), measured, _run(run_id))


def _run(run_id: str) -> RunLine | None:
    """One that was pruned meanwhile has come to its end."""
    try:
        return one_line(console().engine, run_id) if is_id(run_id) else None
    except RunNotFound:
        return None


def shown(measured: Measurement, corrections: tuple[Correction, ...]) -> Shown:
    told = measured.figures
    return Shown(
        id=measured.id,
        words=in_words(measured.rule),
        notes=tuple(measured.rule.get("notes", ())),
        unit=told["unit"],
        whole=told["whole"],
        parts=tuple(told["parts"][:PARTS_SHOWN]),
        more=told["number"] - min(PARTS_SHOWN, len(told["parts"])),
        by=measured.created_by,
        at=measured.created_at,
        labels=url_for("measurements.labels", volume_id=measured.volume_id, measurement_id=measured.id),
        basis=basis(measured, corrections),
    )


def in_words(rule: dict[str, Any]) -> str:
    """``≥ 41 % of the maximum (≥ 2.2 SUVbw), connected to the hottest voxel``."""
    return ", ".join([_inside(rule), *_limits(rule)])


def _inside(rule: dict[str, Any]) -> str:
    cut = "" if rule.get("cut") is None else f"≥ {rule['cut']:.4g} {rule['unit']}".strip()
    if rule["kind"] == "percent":
        return _("≥ %(percent)s %% of the maximum (%(cut)s)", percent=f"{rule['threshold']:g}", cut=cut)
    if rule["kind"] == "absolute":
        return cut
    if rule["kind"] == "percist":
        place = _place(rule["reference"])
        return _("PERCIST, 1.5 × mean + 2 SD of the reference at %(place)s (%(cut)s)", place=place, cut=cut)
    if rule["kind"] == "mask":
        return _("all of the mask %(name)s", name=rule.get("mask", ""))
    return _("all voxels")


def _limits(rule: dict[str, Any]) -> list[str]:
    found = []
    if rule.get("hottest"):
        found.append(_("connected to the hottest voxel"))
    if rule.get("mask") and rule["kind"] != "mask":
        found.append(_("in the mask %(name)s", name=rule["mask"]))
    if rule.get("within"):
        found.append(_("in the sphere at %(place)s", place=_place(rule["within"])))
    if rule.get("smallest_ml"):
        found.append(_("parts of at least %(ml)s ml", ml=f"{rule['smallest_ml']:g}"))
    return found


def _place(sphere: dict[str, Any]) -> str:
    x, y, z = (f"{each:.1f}" for each in sphere["centre"])
    return _("(%(x)s, %(y)s, %(z)s) mm, radius %(radius)s mm", x=x, y=y, z=z, radius=f"{sphere['radius']:g}")
