"""What the files of an upload hold, as their headers are read one by one: slices, and what is none, counted."""

from collections import Counter
from collections.abc import Iterator

from workers.jobs.volume.dicom import aside, frames, headers
from workers.jobs.volume.dicom.archive import Member
from workers.jobs.volume.dicom.copies import Copies
from workers.jobs.volume.dicom.errors import TooMany
from workers.jobs.volume.dicom.frames import Frame
from workers.jobs.volume.dicom.headers import LeftAside
from workers.jobs.volume.errors import VolumeError

MOST_SLICES = 50_000
SAID = 5


class Gathered:
    """Of an upload called ``name``. A file whose header makes no sense is left aside with its fault: where it was
    a slice, the geometry shows that one is missing."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.frames: list[Frame] = []
        self.damaged: list[VolumeError] = []
        self._aside: Counter[str] = Counter()
        self._copies = Copies()

    def take(self, member: Member) -> None:
        """Read its header. Raises TooMany."""
        try:
            self.frames += self._slices(member)
        except LeftAside as reason:
            self._aside[reason.kind] += 1
        except VolumeError as error:
            self.damaged.append(error)
        if len(self.frames) > MOST_SLICES:
            raise TooMany(self.name, len(self.frames), MOST_SLICES)

    def _slices(self, member: Member) -> list[Frame]:
        found = frames.of(headers.read(member, frames.TAGS))
        if self._copies.is_one(found):
            raise LeftAside("copy")
        return found

    def said(self) -> Iterator[str]:
        """Sentences on what is no slice, and on what is damaged."""
        if counted := aside.spoken(self._aside):
            yield counted
        yield from map(str, self.damaged[:SAID])
        if len(self.damaged) > SAID:
            yield f"{len(self.damaged) - SAID:,} more files cannot be read."
