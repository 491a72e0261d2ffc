"""Headers that are longer than a slice: the middle of a file cannot tell them from slices, its beginning can."""

import numpy as np

from workers.jobs.volume.fits import LARGEST_HEADER
from workers.jobs.volume.grids import Grid, named
from workers.jobs.volume.readings import Reading
from workers.jobs.volume.smoothness import Line
from workers.jobs.volume.source import Source

#: So many times rougher than others, and this share of the range at least, is a row that is none of a picture.
ROUGHER, ROUGH = 6.0, 0.05
FEWEST_SLICES = 9


def behind_header(source: Source, reading: Reading, grid: Grid, line: Line) -> Grid:
    """The grid without the slices that are header, if the file begins with rows that are none of a picture.

    What follows them and has one value belongs to the header: to fill it up is usual.
    """
    depth, rows, columns = grid.stored
    itemsize = reading.numbers.itemsize
    most = min((LARGEST_HEADER - grid.header) // (rows * columns * itemsize), depth - FEWEST_SLICES)
    if most < 1:
        return grid
    voxels = np.memmap(source.path, reading.numbers, "r", grid.header, ((most + 1) * rows, columns))
    slices = _header_slices(line.levelled(voxels), rows, most, max(ROUGH, ROUGHER * line.difference(columns)))
    if not slices:
        return grid
    return named((depth - slices, rows, columns), grid.header + slices * rows * columns * itemsize)


def _header_slices(levels: np.ndarray, rows: int, most: int, limit: float) -> int:
    rough = np.abs(np.diff(levels, axis=0)).mean(axis=1) > limit
    if not rough[:2].any():
        return 0
    last = np.flatnonzero(rough)
    gaps = np.flatnonzero(np.diff(last) > rows)
    slices = int(last[gaps[0]] if gaps.size else last[-1]) // rows + 1
    while slices < most and np.ptp(levels[slices * rows : (slices + 1) * rows]) == 0:
        slices += 1
    return slices if slices <= most else 0
