"""From what somebody gave - files, a folder, a headerless file without a word - to one volume.

What reads NIfTI and DICOM is imported when a file is read: its libraries take seconds, which no worker and none of its
processes is to spend at its start.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from workers.jobs.volume import folder
from workers.jobs.volume.errors import VolumeError
from workers.jobs.volume.payload import Progress
from workers.jobs.volume.pictures import Picture
from workers.jobs.volume.raw import Recipe
from workers.jobs.volume.shape import written
from workers.jobs.volume.source import Source
from workers.jobs.volume.volume import Volume

if TYPE_CHECKING:
    from workers.jobs.volume.guesses import Guess

#: Readings of a headerless file that are shown: a picture decides faster than a form, four faster than eight.
SHOWN = 4
#: Neighbours in pictures of anything differ by less, as a part of the range; in text they differ by a quarter.
ROUGHEST = 0.2


@dataclass(frozen=True)
class Loading:
    """How files are to be read. ``guesses``: of a headerless file about which nothing was said, the best first."""

    sources: tuple[Source, ...]
    recipe: Recipe
    guesses: "tuple[Guess, ...]" = ()

    @property
    def warnings(self) -> tuple[str, ...]:
        if not self.guesses:
            return ()
        best = self.guesses[0]
        return (f"The file does not say how it is to be read. It was read as {best.words}. {best.why}",)

    def pictures(self) -> Iterator[Picture]:
        """The middle of the volume in each reading."""
        from workers.jobs.volume import guesses

        for place, guess in enumerate(self.guesses, start=1):
            yield replace(guesses.thumbnails(self.sources[0], guess), name=f"reading-{place}.png")

    def offers(self) -> list[dict]:
        """What each reading takes, for whoever prefers another one."""
        return [_offer(place, guess) for place, guess in enumerate(self.guesses, start=1)]


def at(root: Path, path: str) -> tuple[Source, ...]:
    """The file at ``path`` below the files folder, or all files of a folder there. Raises VolumeError."""
    try:
        return (folder.existing(root, path),)
    except VolumeError:
        from workers.jobs.volume.dicom import archive

        return archive.below(root, path)


def planned(sources: tuple[Source, ...], recipe: Recipe) -> Loading:
    """The recipe as it was told, or the likeliest one where it was not and is needed."""
    if len(sources) > 1 or recipe.shape or not _is_raw(sources[0]):
        return Loading(sources, recipe)
    from workers.jobs.volume import guesses

    found = guesses.ranked(sources[0])[:SHOWN]
    if not found or found[0].score > ROUGHEST:
        return Loading(sources, recipe)
    told = {"spacing": recipe.spacing, "unit": recipe.unit}
    return Loading(sources, replace(found[0].recipe, **told), found)


def volume(loading: Loading, progress: Progress, series: str = "") -> Volume:
    """Raises VolumeError: SeveralSeries where ``series`` has to say which one is meant."""
    from workers.jobs.volume import read
    from workers.jobs.volume.dicom import load

    if len(loading.sources) > 1:
        return load.volume(loading.sources, progress, series)
    return read.volume(loading.sources[0], loading.recipe, progress, series)


def _is_raw(source: Source) -> bool:
    """What is damaged is told by reading it."""
    from workers.jobs.volume import read

    try:
        read.refuse_unless_raw(source)
    except VolumeError:
        return False
    return True


def _offer(place: int, guess: "Guess") -> dict:
    recipe = guess.recipe
    told = {"shape": written(recipe.shape), "dtype": recipe.dtype, "byte_order": recipe.byte_order}
    told |= {"header_offset": recipe.header_offset, "axes": recipe.axes}
    return {"words": guess.words, "why": guess.why, "picture": f"reading-{place}.png", "arguments": told}
