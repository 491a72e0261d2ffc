"""The figures of a region: of all of it, and of each of its connected parts."""

from dataclasses import asdict, dataclass

import numpy as np

from workers.jobs.volume.measuring.components import Box, bounds, labelled
from workers.jobs.volume.measuring.grid import Grid, Point
from workers.jobs.volume.measuring.peak import RADIUS, Peaks, kernel, peaks

MOST_PARTS = 50
BINS = 50


@dataclass(frozen=True)
class Figures:
    """Of some voxels. ``ml`` is what PET calls metabolic tumour volume, ``total`` the total lesion glycolysis:
    mean times ml. ``peak`` is the highest mean in a sphere of 1 ml, ``peak_at_max`` that around the hottest voxel."""

    voxels: int
    ml: float
    max: float
    mean: float
    min: float
    deviation: float
    total: float
    peak: float
    peak_at_max: float
    hottest_xyz: tuple[int, int, int]
    hottest_mm: Point
    centre_mm: Point


def measure(values: np.ndarray, mask: np.ndarray, grid: Grid, smallest: int = 1) -> tuple[dict, np.ndarray]:
    """Figures as JSON, and the parts as labels: uint16 (z, y, x), the largest is 1.

    Parts of less than ``smallest`` voxels count nowhere. Beyond MOST_PARTS parts only their number is told.
    """
    from scipy import ndimage

    labels, number = labelled(mask, smallest)
    weights, box = kernel(grid), bounds(labels > 0)
    parts = enumerate(ndimage.find_objects(labels, MOST_PARTS), start=1)
    found = [figures(values, labels[place] == label, place, grid, weights) for label, place in parts if place]
    known = _highest(found) if number == len(found) else None
    told = {
        "whole": asdict(figures(values, labels[box] > 0, box, grid, weights, known)) if number else None,
        "parts": [asdict(each) for each in found],
        "number": number,
        "voxel_ml": grid.voxel_ml,
        "peak_radius_mm": RADIUS,
        "histogram": _histogram(values[box][labels[box] > 0]),
    }
    return told, labels


def _highest(parts: list[Figures]) -> Peaks | None:
    """The peaks of all parts together, without summing up spheres once more. Of voxels that are equally hot, the first
    counts, as it does within a part."""
    hottest = max(parts, key=lambda part: (part.max, [-at for at in part.hottest_xyz[::-1]]), default=None)
    return hottest and Peaks(max(part.peak for part in parts), hottest.peak_at_max)


def figures(
    values: np.ndarray, inside: np.ndarray, box: Box, grid: Grid, weights: np.ndarray, known: Peaks | None = None
) -> Figures:
    """Of the voxels ``inside`` (bool, of that ``box`` of ``values``), of which there is at least one. Their peaks are
    found, unless they are ``known``."""
    counted = values[box][inside].astype(np.float64)
    where = np.argwhere(inside) + [side.start for side in box]
    hottest, peak = where[counted.argmax()], known or peaks(values, inside, box, weights)
    mean, ml = float(counted.mean()), len(counted) * grid.voxel_ml
    return Figures(
        voxels=len(counted),
        ml=ml,
        max=float(counted.max()),
        mean=mean,
        min=float(counted.min()),
        deviation=float(counted.std()),
        total=mean * ml,
        peak=peak.highest,
        peak_at_max=peak.at_max,
        hottest_xyz=tuple(int(each) for each in hottest[::-1]),
        hottest_mm=grid.world(tuple(hottest)),
        centre_mm=grid.world(tuple(where.mean(axis=0))),
    )


def _histogram(inside: np.ndarray) -> dict:
    counts, edges = np.histogram(inside, BINS) if inside.size else ([], [])
    return {"counts": [int(each) for each in counts], "edges": [float(each) for each in edges]}
