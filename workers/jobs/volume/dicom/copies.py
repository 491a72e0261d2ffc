"""Exact copies of files: people upload a folder and the archive that was made of it. One of each is enough."""

from hashlib import blake2b

from workers.jobs.volume.dicom import streams
from workers.jobs.volume.dicom.archive import Member
from workers.jobs.volume.dicom.frames import Frame


class Copies:
    """The files seen so far, by what their first picture says; bytes are compared only where that is the same."""

    def __init__(self) -> None:
        self._first: dict[tuple, Member] = {}
        self._digests: dict[tuple, set[bytes]] = {}

    def is_one(self, frames: list[Frame]) -> bool:
        """Whether the same file, byte for byte, was seen before."""
        frame = frames[0]
        alike = (frame.series, frame.position, frame.member.size, frame.marks)
        first = self._first.setdefault(alike, frame.member)
        if first is frame.member:
            return False
        if alike not in self._digests:
            self._digests[alike] = {_digest(first)}
        digests, digest = self._digests[alike], _digest(frame.member)
        known = digest in digests
        digests.add(digest)
        return known


def _digest(member: Member) -> bytes:
    found = blake2b()
    with member.opened() as stream:
        while piece := streams.up_to(stream, streams.PIECE):
            found.update(piece)
    return found.digest()
