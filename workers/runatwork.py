"""A run while its body runs: what ``workers.context`` talks to, in a worker's thread and in a cell alike."""

import mimetypes
import shutil
import time
from contextlib import AbstractContextManager
from pathlib import Path

from ledger import notes, photos, progress, volumes
from ledger.claims import Claim
from ledger.progress import Progress
from workers.interrupts import Guard

PROGRESS_SECONDS = 0.25  # no run tells the ledger more often how far it is
LOG_LIMIT = 5_000  # lines kept per attempt


class RunAtWork:
    """What ``workers.context`` talks to while a body runs."""

    def __init__(self, claim: Claim, writer, artifacts: Path, guard: Guard, time_limit: float | None = None):
        self.claim, self.run_id, self.attempt = claim, claim.id, claim.attempt
        self.guard, self.time_limit = guard, time_limit
        self.began_at = time.monotonic()
        self.deadline: float | None = None
        self.cancel_requested_at: float | None = None
        self._writer, self._artifacts = writer, artifacts
        self._reported_at = 0.0
        self._unreported: Progress | None = None
        self._log_lines = 0

    def start_clock(self) -> None:
        """The body starts now: its time limit counts from here."""
        if self.time_limit is not None:
            self.deadline = time.monotonic() + self.time_limit

    def ask_to_stop(self) -> None:
        """A person canceled it; the first of several askings counts."""
        if self.cancel_requested_at is None:
            self.cancel_requested_at = time.monotonic()
            self.guard.ask_to_stop()

    def canceled(self) -> bool:
        return self.cancel_requested_at is not None

    def undisturbed(self) -> AbstractContextManager[None]:
        """For code of ours that holds locks: no interrupt of the body lands in it."""
        return self.guard.undisturbed()

    def progress(self, done: int, total: int | None, note: str) -> None:
        self._unreported = Progress(self.claim, bounded(done), None if total is None else bounded(total), str(note))
        if time.monotonic() - self._reported_at >= PROGRESS_SECONDS:
            with self.undisturbed():
                self.report()

    def report(self) -> None:
        if self._unreported is not None:
            self._reported_at = time.monotonic()
            self._writer.submit(progress.report, self._unreported, durable=False)
            self._unreported = None

    def log(self, level: str, logger: str, message: str) -> None:
        self._log_lines += 1
        if self._log_lines > LOG_LIMIT:
            return
        if self._log_lines == LOG_LIMIT:
            message = f"Further lines are left out; {LOG_LIMIT:,} are kept."
        line = notes.LogLine(self.run_id, self.attempt, level, logger, message)
        with self.undisturbed():
            self._writer.submit(notes.add_logs, line, durable=False)

    def artifact(self, name: str, data: bytes | Path, media_type: str | None, title: str) -> None:
        if not name or name != Path(name).name or name.startswith(".") or len(name) > 200:
            raise ValueError(f"{name!r} is not a plain file name of at most 200 characters")
        path = Path(self.run_id, str(self.attempt), name)
        size = store(data, self._artifacts / path)
        guessed = (media_type or mimetypes.guess_type(name)[0] or "application/octet-stream")[:100]
        new = notes.NewArtifact(
            run_id=self.run_id,
            attempt=self.attempt,
            name=name,
            title=title,
            media_type=guessed,
            size=size,
            path=str(path),
        )
        with self.undisturbed():
            self._writer.call(notes.add_artifacts, new)

    def volume(self, sidecar: dict) -> None:
        new = volumes.NewVolume(run_id=self.run_id, claim_token=self.claim.token, sidecar=sidecar)
        with self.undisturbed():
            self._writer.call(volumes.keep, new)

    def measurement(self, volume_id: str, rule: dict, figures: dict) -> bool:
        new = volumes.NewMeasurement(
            run_id=self.run_id, claim_token=self.claim.token, volume_id=volume_id, rule=rule, figures=figures
        )
        with self.undisturbed():
            return self._writer.call(volumes.note_measurement, new)

    def correction(self, volume_id: str, suv: dict, reason: str) -> bool:
        new = volumes.NewCorrection(
            run_id=self.run_id, claim_token=self.claim.token, volume_id=volume_id, suv=suv, reason=reason
        )
        with self.undisturbed():
            return self._writer.call(volumes.note_correction, new)

    def sidecar_of(self, volume_id: str) -> dict | None:
        with self.undisturbed():
            return self._writer.call(volumes.sidecars, volume_id)

    def feed(self, url: str) -> photos.Feed:
        with self.undisturbed():
            return self._writer.call(photos.feeds_of, url)

    def feed_visited(self, url: str, feed: photos.Feed) -> None:
        visit = photos.Visit(run_id=self.run_id, claim_token=self.claim.token, url=url, feed=feed)
        with self.undisturbed():
            self._writer.call(photos.note_visit, visit)

    def photo(self, url: str, facts: photos.Facts, most: int) -> photos.Kept:
        new = photos.NewPhoto(run_id=self.run_id, claim_token=self.claim.token, url=url, facts=facts, most=most)
        with self.undisturbed():
            return self._writer.call(photos.keep, new)


def bounded(number: float) -> int:
    """A count that every column can hold."""
    return max(-(2**62), min(int(number), 2**62))


def store(data: bytes | Path, target: Path) -> int:
    """Writes or copies ``data`` to ``target``, whole or not at all; its size in bytes."""
    target.parent.mkdir(parents=True, exist_ok=True)
    partial = target.with_name(f".{target.name}.partial")
    if isinstance(data, Path):
        shutil.copyfile(data, partial)
    else:
        partial.write_bytes(data)
    partial.replace(target)
    return target.stat().st_size
