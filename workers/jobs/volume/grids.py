"""Lengths of axes, and a header, that together are exactly as long as a raw file. No reading is weighed here."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from math import prod
from typing import get_args

from numpy import nanmean

from workers.jobs.volume.fits import DEEPEST, LARGEST_HEADER, MATRICES
from workers.jobs.volume.raw import Axes
from workers.jobs.volume.shape import Shape
from workers.jobs.volume.smoothness import Distances

#: Of axes that nobody told. The bytes of a wide voxel repeat, too, every 8 at most: that is no axis.
SHORTEST, LONGEST = 9, 2048


@dataclass(frozen=True)
class Grid:
    """Lengths in the order of the file, slowest first; the axes that these are; and the bytes before them."""

    stored: Shape
    header: int
    axes: Axes

    @property
    def distances(self) -> tuple[int, int, int]:
        """How far apart neighbours along the three axes are in the file."""
        _, rows, columns = self.stored
        return rows * columns, columns, 1

    @property
    def shape(self) -> Shape:
        """As (z, y, x)."""
        return tuple(self.stored[self.axes.index(axis)] for axis in "zyx")


def of_shape(size: int, itemsize: int, shape: Shape) -> Iterator[Grid]:
    """The grids of a told shape, in any order of its axes."""
    header = size - prod(shape) * itemsize
    if 0 <= header <= LARGEST_HEADER:
        yield from (Grid(tuple(shape["zyx".index(axis)] for axis in axes), header, axes) for axes in get_args(Axes))


def of_matrices(size: int, itemsize: int) -> Iterator[Grid]:
    """Square slices as scanners write them, with Z at any place."""
    for n in MATRICES:
        depth, header = divmod(size, n * n * itemsize)
        if 1 < depth <= DEEPEST and header <= LARGEST_HEADER:
            yield from (named(stored, header) for stored in ((depth, n, n), (n, depth, n), (n, n, depth)))


def of_repeats(size: int, itemsize: int, repeats: Distances) -> Iterator[Grid]:
    """What the voxels themselves repeat: rows are like the next row, slices like the next slice."""
    for columns in repeats.dips(range(SHORTEST - 1, LONGEST + 1), 8):
        for slice_ in repeats.dips(range(columns * (SHORTEST - 1), columns * LONGEST, columns), 4):
            depth, header = divmod(size, slice_ * itemsize)
            if depth >= SHORTEST and header <= LARGEST_HEADER:
                yield named((depth, slice_ // columns, columns), header)


def named(stored: Shape, header: int) -> Grid:
    """The odd length out is Z; without one, the file counts as nearly all do."""
    slow, middle, fast = stored
    if slow == fast != middle:
        return Grid(stored, header, "yzx")
    return Grid(stored, header, "xyz" if slow == middle != fast else "zyx")


def likeliest(grids: Iterable[Grid], repeats: Distances, count: int) -> list[Grid]:
    """Those whose neighbours are alike over all distances that can be told; of two names for one grid, the first."""
    known: dict[tuple, Grid] = {}
    for grid in grids:
        known.setdefault((grid.stored, grid.header), grid)
    return sorted(known.values(), key=lambda grid: nanmean([*map(repeats, grid.distances)]))[:count]
