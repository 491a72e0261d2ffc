"""One worker process at work: its slots, the runs it holds, and what it tells the ledger about them."""

import logging
import mimetypes
import shutil
import threading
import time
from concurrent.futures import Future
from pathlib import Path

from ledger import claims, notes, progress
from ledger.claims import Claim, Claims, Ending, Wanted
from ledger.errors import LedgerAway
from ledger.progress import Progress
from ledger.settings import Settings
from ledger.states import Outcome, State
from ledger.watch import Watch
from ledger.writer import Writer
from workers.interrupts import Guard

log = logging.getLogger(__name__)

PROGRESS_SECONDS = 0.25  # no run tells the ledger more often how far it is
LOG_LIMIT = 5_000  # lines kept per attempt
AHEAD_SECONDS = 0.02  # what a claimed run may wait for a thread
AHEAD_FACTOR = 6  # claims ahead, at most this many per thread
GIVE_BACK_SECONDS = 0.2  # a claimed run that waited so long goes back to the queue


class Slots:
    """Places for runs: taken before a claim, given back when a run's body has ended.

    There are as many as threads, and a second helping while runs are so short that it waits ``AHEAD_SECONDS`` at
    most: claims and endings of short runs then share commits. What has to wait longer is given back (``Desk``).
    """

    def __init__(self, count: int):
        self.count = count
        self._taken = 0
        self._seconds = 1.0  # moving average of a body's time; begins without a second helping
        self._changed = threading.Condition()

    def wait(self, timeout: float) -> bool:
        """Waits up to ``timeout`` seconds until enough places are free for a claim, without taking any."""
        with self._changed:
            return self._changed.wait_for(self._enough_are_free, timeout)

    def reserve(self, wanted: int, timeout: float) -> int:
        """Takes up to ``wanted`` free places, after waiting up to ``timeout`` seconds for enough; how many."""
        with self._changed:
            self._changed.wait_for(self._enough_are_free, timeout)
            taken = max(0, min(wanted, self._free()))
            self._taken += taken
            return taken

    def release(self, count: int = 1) -> None:
        if count:
            with self._changed:
                self._taken -= count
                if self._enough_are_free():
                    self._changed.notify_all()

    def note_duration(self, seconds: float) -> None:
        self._seconds += 0.2 * (seconds - self._seconds)

    @property
    def most(self) -> int:
        return self.count + self._ahead()

    def _ahead(self) -> int:
        return min(int(self.count * AHEAD_SECONDS / max(self._seconds, 1e-6)), AHEAD_FACTOR * self.count)

    def _free(self) -> int:
        return self.most - self._taken

    def _enough_are_free(self) -> bool:
        """One; or half of the second helping, while the threads still work on the other half."""
        return self._free() >= max(1, self._ahead() // 2)


class RunAtWork:
    """What ``workers.context`` talks to while a body runs."""

    def __init__(self, claim: Claim, desk: "Desk", time_limit: float | None):
        self.claim, self.run_id, self.attempt = claim, claim.id, claim.attempt
        self.guard = Guard()
        self.started_at = time.monotonic()
        self.deadline = self.started_at + time_limit if time_limit is not None else None
        self.cancel_requested_at: float | None = None
        self._desk = desk
        self._reported_at = 0.0
        self._unreported: Progress | None = None
        self._log_lines = 0

    def canceled(self) -> bool:
        return self.cancel_requested_at is not None

    def progress(self, done: int, total: int | None, note: str) -> None:
        self._unreported = Progress(self.claim, bounded(done), None if total is None else bounded(total), str(note))
        if time.monotonic() - self._reported_at >= PROGRESS_SECONDS:
            self.report()

    def report(self) -> None:
        if self._unreported is not None:
            self._reported_at = time.monotonic()
            self._desk.writer.submit(progress.report, self._unreported, durable=False)
            self._unreported = None

    def log(self, level: str, logger: str, message: str) -> None:
        self._log_lines += 1
        if self._log_lines > LOG_LIMIT:
            return
        if self._log_lines == LOG_LIMIT:
            message = f"Further lines are left out; {LOG_LIMIT:,} are kept."
        line = notes.LogLine(self.run_id, self.attempt, level, logger, message)
        self._desk.writer.submit(notes.add_logs, line, durable=False)

    def artifact(self, name: str, data: bytes | Path, media_type: str | None, title: str) -> None:
        if not name or name != Path(name).name or name.startswith(".") or len(name) > 200:
            raise ValueError(f"{name!r} is not a plain file name of at most 200 characters")
        path = Path(self.run_id, str(self.attempt), name)
        size = store(data, self._desk.settings.artifacts / path)
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
        self._desk.writer.call(notes.add_artifacts, new)


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


class Desk:
    """Joins the writer, the watch, the publisher and the claims of this process."""

    def __init__(self, settings: Settings, writer: Writer, watch: Watch, publisher, claims_: Claims, slots: int):
        self.settings, self.writer, self.watch, self.publisher = settings, writer, watch, publisher
        self.claims = claims_
        self.slots = Slots(slots)
        self.at_work: dict[str, RunAtWork] = {}
        self._claimed: dict[str, tuple[Claim, float]] = {}  # dict.pop decides who has a run: begin or give_back
        self.draining = threading.Event()
        self.stopping = threading.Event()  # interrupted runs go back to the queue

    def claim(self, queue: str, most: int) -> list[Claim]:
        """Claims of up to ``most`` ready runs, committed. Raises LedgerAway."""
        if self.draining.is_set():
            return []
        wanted = Wanted(queue, most)
        try:
            taken = self.writer.call(self.claims.take, wanted, durable=False)
        except LedgerAway:  # perhaps it was committed, and only the answer was lost
            self.writer.submit(self.claims.disown, wanted.token, patient=True)
            raise
        now = time.monotonic()
        self._claimed.update({claim.id: (claim, now) for claim in taken})
        return taken

    def begin(self, claim: Claim, time_limit: float | None) -> RunAtWork | None:
        """The claimed run, about to start; None when it waited too long for a thread and was given back."""
        if self._claimed.pop(claim.id, None) is None:
            return None
        run = self.at_work[claim.id] = RunAtWork(claim, self, time_limit)
        return run

    def give_back(self, longer_than: float) -> None:
        """Lets others have claimed runs that no thread took up for so many seconds: none has started."""
        now = time.monotonic()
        for claim_id, (claim, since) in list(self._claimed.items()):
            if now - since >= longer_than and self._claimed.pop(claim_id, None) is not None:
                self.writer.submit(claims.give_back, claim, patient=True)
                self.publisher.hint(claim.id, claim.job, claim.queue)

    def finish(self, ending: Ending) -> None:
        """Hands the ending to the writer, which keeps it until the ledger has it."""
        run = self.at_work.pop(ending.claim.id, None)
        if run is not None:
            self.slots.note_duration(time.monotonic() - run.started_at)
            run.report()
        written = self.writer.submit(claims.finish, ending, patient=True)
        written.add_done_callback(lambda future: self._after_finish(ending, future))

    def _after_finish(self, ending: Ending, written: Future) -> None:
        if (error := written.exception()) is not None:
            self._finish_as_unwritable(ending, error)
        elif written.result():
            log.info("%s", Sentence(ending))
            self._hint(ending)
        else:
            log.warning("A late result was dropped: the run was given to another attempt. %s", Sentence(ending))

    def _finish_as_unwritable(self, ending: Ending, error: BaseException) -> None:
        log.error("The ledger refused an ending: %s. %s", error, Sentence(ending), exc_info=error)
        if ending.error_type != "EndingRefused":
            refused = Ending(
                claim=ending.claim, state=State.FAILED, outcome=Outcome.FAILED, error_type="EndingRefused",
                error=f"the ledger refused the result: {error}",
            )  # fmt: skip
            self.finish(refused)

    def _hint(self, ending: Ending) -> None:
        for new in [*ending.next_runs, *ending.barrier_runs]:
            self.publisher.hint(new.id, new.job, new.queue)


class Sentence:
    """One log line per transition: a sentence plus run_id, job, attempt, state. Formatted only when wanted."""

    def __init__(self, ending: Ending):
        self.ending = ending

    def __str__(self) -> str:
        claim, ending = self.ending.claim, self.ending
        return (
            f"Run {ending.outcome}: run_id={claim.id} job={claim.job} attempt={claim.attempt} state={ending.state}"
            + (f" error={ending.error_type}" if ending.error_type else "")
        )
