"""What counts as inside: a rule, and the voxels of a volume for which it holds."""

from dataclasses import dataclass
from typing import Literal

import numpy as np

from workers.jobs.volume.errors import BadValue, VolumeError
from workers.jobs.volume.measuring.components import component_of
from workers.jobs.volume.measuring.grid import Grid, Sphere

Kind = Literal["percent", "absolute", "percist", "sphere", "mask"]
#: PERCIST 1.0 (Wahl et al., J Nucl Med 2009; 50 Suppl 1): 1.5 times the mean of the liver and two standard deviations.
PERCIST_MEANS, PERCIST_DEVIATIONS = 1.5, 2.0


@dataclass(eq=False)
class NothingInside(VolumeError):
    """Raised when no voxel is in the region that was asked for."""

    why: str

    def __str__(self) -> str:
        return f"No voxel is in that region: {self.why}."


@dataclass(frozen=True)
class Rule:
    """``threshold`` is a percentage for ``percent``, a value for ``absolute``. ``within`` limits the search to a
    sphere. ``hottest``: only what is connected to the hottest voxel. ``reference``: the liver, for ``percist``."""

    kind: Kind
    threshold: float | None = None
    within: Sphere | None = None
    hottest: bool = False
    reference: Sphere | None = None

    def __post_init__(self) -> None:
        if self.kind == "percent" and not 0 < (self.threshold or 0) <= 100:
            raise BadValue("threshold", self.threshold, "a percentage above 0, of at most 100")
        if self.kind == "absolute" and self.threshold is None:
            raise BadValue("threshold", self.threshold, "the least value that counts as inside")
        if self.kind == "sphere" and self.within is None:
            raise BadValue("within", None, "a centre and a radius in mm")
        if self.kind == "percist" and self.reference is None:
            raise BadValue("reference", None, "a sphere in the liver: its centre and radius in mm")

    def plain(self) -> dict:
        spheres = {name: each.plain() for name in ("within", "reference") if (each := getattr(self, name))}
        return {"kind": self.kind, "threshold": self.threshold, "hottest": self.hottest} | spheres


@dataclass(frozen=True, eq=False)
class Region:
    """The voxels inside, bool (z, y, x); ``cut`` is the least value that counted, None for a sphere or a mask."""

    mask: np.ndarray
    cut: float | None = None
    notes: tuple[str, ...] = ()


def region(rule: Rule, values: np.ndarray, grid: Grid, given: np.ndarray | None = None) -> Region:
    """The voxels of ``values`` (z, y, x) that ``rule`` means; ``given`` is the mask of a file. Raises NothingInside."""
    searched = _searched(rule, values, grid, given)
    if not searched.any():
        raise NothingInside("it lies outside the volume" if rule.within else "the mask is empty")
    if rule.kind in ("sphere", "mask"):
        return Region(searched)
    cut, notes = _cut(rule, values, grid, searched)
    mask = (values >= cut) & searched
    if not mask.any():
        raise NothingInside(f"nothing there is {cut:,.4g} or more")
    return Region(_connected(mask, values) if rule.hottest else mask, cut, notes)


def _searched(rule: Rule, values: np.ndarray, grid: Grid, given: np.ndarray | None) -> np.ndarray:
    searched = np.isfinite(values) if given is None else given & np.isfinite(values)
    return searched & grid.inside(rule.within) if rule.within else searched


def _cut(rule: Rule, values: np.ndarray, grid: Grid, searched: np.ndarray) -> tuple[float, tuple[str, ...]]:
    if rule.kind == "absolute":
        return rule.threshold, ()
    if rule.kind == "percent":
        return float(values.max(where=searched, initial=-np.inf)) * rule.threshold / 100, ()
    liver = values[grid.inside(rule.reference) & np.isfinite(values)]
    if not liver.size:
        raise NothingInside("the reference sphere lies outside the volume")
    mean, deviation = float(liver.mean(dtype=np.float64)), float(liver.std(dtype=np.float64))
    note = f"The reference of {liver.size:,} voxels: mean {mean:.4g}, standard deviation {deviation:.4g}."
    return PERCIST_MEANS * mean + PERCIST_DEVIATIONS * deviation, (note,)


def _connected(mask: np.ndarray, values: np.ndarray) -> np.ndarray:
    flat = np.argmax(np.where(mask, values, -np.inf))
    return component_of(mask, np.unravel_index(flat, mask.shape))
