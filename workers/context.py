"""What a job may say and ask while it runs: progress, artifacts, whether it was canceled.

Outside a run - a job called directly, in a test or a shell - every function does nothing harmful, so that the
same code works there. Log lines need nothing from here: the standard ``logging`` of a job's code is kept.
"""

from contextlib import AbstractContextManager, nullcontext
from contextvars import ContextVar
from pathlib import Path
from typing import Protocol

from ledger.photos import Facts, Feed, Kept
from ledger.settings import settings
from ledger.volume_address import Address
from workers.uploads import UploadFile

__all__ = [
    "Canceled", "UploadFile", "artifact", "attempt", "canceled", "correction", "feed", "feed_visited", "files_dir",
    "measurement", "photo", "photos_dir", "progress", "run_id", "sidecar_of", "volume", "volumes_dir",
]  # fmt: skip


class Canceled(BaseException):
    """Raised in a job's code when a person asked its run to stop. Like KeyboardInterrupt no ``Exception``, so
    that a job's own ``except Exception`` lets it pass; catch it to clean up, and raise it again."""


class Running(Protocol):
    """The run that this thread executes, as ``workers.perform`` provides it."""

    run_id: str
    attempt: int

    def canceled(self) -> bool: ...
    def undisturbed(self) -> AbstractContextManager[None]: ...
    def progress(self, done: int, total: int | None, note: str) -> None: ...
    def artifact(self, name: str, data: bytes | Path, media_type: str | None, title: str) -> None: ...
    def volume(self, sidecar: dict) -> None: ...
    def measurement(self, volume_id: str, rule: dict, figures: dict) -> bool: ...
    def correction(self, volume_id: str, suv: dict, reason: str) -> bool: ...
    def sidecar_of(self, volume_id: str) -> dict | None: ...
    def feed(self, url: str) -> Feed: ...
    def feed_visited(self, url: str, feed: Feed) -> None: ...
    def photo(self, url: str, facts: Facts, most: int) -> Kept: ...


current: ContextVar[Running | None] = ContextVar("current", default=None)


def undisturbed() -> AbstractContextManager[None]:
    """For code of ours that a body calls and that holds locks: a time limit or a cancel waits until it is through."""
    run = current.get()
    return run.undisturbed() if run else nullcontext()


def run_id() -> str:
    """The id of the run, the same in every attempt; empty outside a run. Good as an idempotency key."""
    run = current.get()
    return run.run_id if run else ""


def attempt() -> int:
    """1 for the first start of this run, 2 for the second, ..."""
    run = current.get()
    return run.attempt if run else 1


def progress(done: int, total: int | None = None, note: str = "") -> None:
    """Reports ``done`` of ``total`` and what is going on; cheap to call often. Raises Canceled when asked to stop."""
    run = current.get()
    if run is None:
        return
    if run.canceled():
        raise Canceled
    run.progress(done, total, note)


def canceled() -> bool:
    """Whether a person asked this run to stop; for jobs that want to end in their own way."""
    run = current.get()
    return run is not None and run.canceled()


def artifact(name: str, data: bytes | Path, media_type: str | None = None, title: str = "") -> None:
    """Keeps a file with the run; pictures are shown on its page under ``title``.

    ``data`` is the content, or the path of a file to copy. The type is guessed from ``name`` unless given.
    A second artifact of the same name replaces the first. ValueError for a name with a path in it.
    """
    run = current.get()
    if run is not None:
        run.artifact(name, data, media_type, title)


def files_dir() -> Path:
    """The folder of server-side files that jobs may read and write."""
    settings().files.mkdir(parents=True, exist_ok=True)
    return settings().files


def volume(sidecar: dict) -> None:
    """The volume that this run wrote to ``volumes_dir() / run_id()`` is kept from now on, under the run's id."""
    run = current.get()
    if run is not None:
        run.volume(sidecar)


def measurement(volume_id: str, rule: dict, figures: dict) -> bool:
    """Whether what was measured in a volume is on record: not when the volume was deleted meanwhile."""
    run = current.get()
    return run is not None and run.measurement(volume_id, rule, figures)


def correction(volume_id: str, suv: dict, reason: str) -> bool:
    """Whether this SUV holds for the volume from now on: not when the volume was deleted meanwhile."""
    run = current.get()
    return run is not None and run.correction(volume_id, suv, reason)


def sidecar_of(volume_id: str) -> dict | None:
    """All that is known of a kept volume, with the SUV that holds now; None if there is no such volume."""
    run = current.get()
    return run.sidecar_of(volume_id) if run else None


def volumes_dir() -> Path | Address:
    """Where kept volumes are: a folder, or an address that is used like one."""
    place = settings().volume_place
    if isinstance(place, Path):
        place.mkdir(parents=True, exist_ok=True)
    return place


def feed(url: str) -> Feed:
    """How the feed stands after the runs before."""
    run = current.get()
    return run.feed(url) if run else Feed()


def feed_visited(url: str, now: Feed) -> None:
    """How the feed stands from now on."""
    run = current.get()
    if run is not None:
        run.feed_visited(url, now)


def photo(url: str, facts: Facts, most: int = 0) -> Kept:
    """Keeps what was written to ``photos_dir() / facts.id``, unless the picture or its entry is known; of this feed
    the newest ``most``, 0 is all."""
    run = current.get()
    return run.photo(url, facts, most) if run else Kept(True)


def photos_dir() -> Path:
    """The folder of kept photos."""
    settings().photos.mkdir(parents=True, exist_ok=True)
    return settings().photos
