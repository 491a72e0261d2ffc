"""What a headerless file can be, likeliest first: a picture of each decides faster than a form.

Every dtype, byte order, order of axes and header that is exactly as long as the file is weighed by how smooth
its middle then is; hints in names and side files halve the score. Less is better.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from workers.jobs.volume import grids, hints, leading, pictures, read, readings, thumbnail
from workers.jobs.volume.fits import LARGEST_HEADER
from workers.jobs.volume.grids import Grid
from workers.jobs.volume.hints import Hint
from workers.jobs.volume.pictures import Picture
from workers.jobs.volume.raw import Recipe, described
from workers.jobs.volume.readings import Reading
from workers.jobs.volume.shape import spoken, written
from workers.jobs.volume.smoothness import Distances, Line
from workers.jobs.volume.source import Source

MOST = 8
#: Bytes of a file about which anything can be said.
SHORTEST = 64
#: Bytes of the middle that are looked at for signs of a dtype.
SAMPLE = 2**19
#: Readings that are this much rougher than the best are not weighed further, nor are more than so many.
ROUGHER, READINGS, GRIDS = 3.0, 3, 8

#: What a hint is worth, and what speaks against a guess, as factors of its roughness.
HINTED, HEADER, OBLONG = 0.5, 1.1, 1.1
LONG_HEADER = 4096
#: Added to each roughness, so that the factors tell of a volume of one value, too.
SMOOTH = 1e-4


@dataclass(frozen=True)
class Guess:
    """``score``: 0 is perfectly smooth. ``words`` say what it is, ``why`` what speaks for it, in sentences."""

    recipe: Recipe
    score: float
    words: str
    why: str


def ranked(source: Source) -> tuple[Guess, ...]:
    """The guesses, best first, at most MOST; none for a file of a few bytes.

    Raises NotRaw or DamagedFile for what is something else than raw voxels.
    """
    read.refuse_unless_raw(source)
    best = (
        sorted(_weighed(source, hints.told(source)), key=lambda guess: guess.score) if source.size >= SHORTEST else []
    )
    return tuple({guess.recipe: guess for guess in reversed(best)}.values())[::-1][:MOST]


def thumbnails(source: Source, guess: Guess) -> Picture:
    """The three middle slices of the volume that the guess makes of the file."""
    recipe = guess.recipe
    stored = np.memmap(source.path, recipe.numbers, "r", recipe.header_offset, recipe.stored(recipe.shape))
    cuts = thumbnail.middles(recipe.turned(stored))
    picture = thumbnail.strip(cuts, recipe.spacing or (1.0, 1.0, 1.0), pictures.robust(cuts), inverted=False)
    name = f"{written(recipe.shape)}-{recipe.dtype}-{recipe.byte_order}-{recipe.header_offset}-{recipe.axes}.png"
    return Picture(name, guess.words, picture)


def _weighed(source: Source, said: list[Hint]) -> Iterator[Guess]:
    for reading, line in _likely_readings(source, said):
        repeats = Distances(line)
        for grid in grids.likeliest(_grids(source.size, reading, said, repeats), repeats, GRIDS):
            told = grid.shape in _told("shape", said)
            yield _guess(reading, grid if told else leading.behind_header(source, reading, grid, line), line, said)


def _likely_readings(source: Source, said: list[Hint]) -> list[tuple[Reading, Line]]:
    """Told by neighbours along the one axis that is known of each file: the next voxel."""
    found = [(reading, Line(_line(source, reading))) for reading in _readings(source, said)]
    rough = [_weight(reading, said) * line.difference(1) for reading, line in found]
    best = np.argsort(rough, kind="stable")[:READINGS]
    return [found[index] for index in best if rough[index] <= ROUGHER * min(rough)]


def _readings(source: Source, said: list[Hint]) -> Iterator[Reading]:
    voxels = np.memmap(source.path, np.uint8, "r", _beyond_headers(source))
    start = max(0, voxels.size - SAMPLE) // 2 // 8 * 8
    return readings.possible(voxels[start : start + SAMPLE].tobytes(), _told("dtype", said))


def _line(source: Source, reading: Reading) -> np.ndarray:
    return np.memmap(source.path, reading.numbers, "r", _beyond_headers(source))


def _beyond_headers(source: Source) -> int:
    """Where a voxel begins, whatever its size: counted from the end, for only a header's length would tell the first.

    What may be a header is left out: it would be noise.
    """
    headers = min(LARGEST_HEADER, source.size // 4)
    return headers + (source.size - headers) % 8


def _grids(size: int, reading: Reading, said: list[Hint], repeats: Distances) -> Iterator[Grid]:
    itemsize = reading.numbers.itemsize
    for shape in _told("shape", said):
        yield from grids.of_shape(size, itemsize, shape)
    yield from grids.of_matrices(size, itemsize)
    yield from grids.of_repeats(size, itemsize, repeats)


def _guess(reading: Reading, grid: Grid, line: Line, said: list[Hint]) -> Guess:
    recipe = Recipe(grid.shape, _preferred(reading, said), reading.byte_order, grid.header, grid.axes)
    rough = sum(map(line.difference, grid.distances)) / 3
    why = " ".join(_why(recipe, reading, rough, said))
    score = (rough + SMOOTH) * _weight(reading, said) * _usual(grid, said)
    return Guess(recipe, score, f"{spoken(grid.shape)}, {described(recipe)}", why)


def _weight(reading: Reading, said: list[Hint]) -> float:
    told = {reading.dtype, *reading.same} & set(_told("dtype", said))
    ordered = reading.numbers.itemsize > 1 and reading.byte_order in _told("byte_order", said)
    return reading.penalty * HINTED ** (bool(told) + ordered)


def _told(what: str, said: list[Hint]) -> list:
    return [getattr(hint, what) for hint in said if getattr(hint, what)]


def _preferred(reading: Reading, said: list[Hint]) -> str:
    """Of dtypes that read the same numbers, the one that was told."""
    return next((dtype for dtype in _told("dtype", said) if dtype in reading.same), reading.dtype)


def _usual(grid: Grid, said: list[Hint]) -> float:
    """What is told is likelier; a header, a long one above all, and slices that are not square are less usual."""
    told = HINTED if grid.shape in _told("shape", said) else 1.0
    header = HEADER ** ((grid.header > 0) + (grid.header > LONG_HEADER))
    _, rows, columns = grid.shape
    return told * header * (OBLONG if rows != columns else 1.0)


def _why(recipe: Recipe, reading: Reading, rough: float, said: list[Hint]) -> Iterator[str]:
    yield f"That is exactly as long as the file, and neighbours differ by {rough:.1%} of the range."
    for hint in said:
        told = [hint.shape == recipe.shape and "shape", hint.dtype == recipe.dtype and "type of voxel"]
        if any(told):
            yield f"{hint.by} tells the {' and the '.join(filter(None, told))}."
    same = [dtype for dtype in (reading.dtype, *reading.same) if dtype != recipe.dtype]
    if same:
        yield f"Read as {' or '.join(same)} it is the same."
