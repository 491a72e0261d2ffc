"""One worker process at work: its slots, the runs it holds, and what it tells the ledger about them."""

import logging
import threading
import time
from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import contextmanager

from ledger import claims, finishing, notes
from ledger.claims import Claim, Claims, Wanted
from ledger.failures import fingerprint
from ledger.finishing import Ending
from ledger.runs import NewRun
from ledger.settings import Settings
from ledger.states import Outcome, State
from ledger.watch import Watch
from ledger.writer import Writer
from workers.beginnings import Beginnings
from workers.cells import CellGuard, Cells
from workers.interrupts import Guard
from workers.runatwork import RunAtWork

log = logging.getLogger(__name__)

AHEAD_SECONDS = 0.02  # what a claimed run may wait for a thread
AHEAD_FACTOR = 6  # claims ahead, at most this many per thread
LAST_CLAIM_SECONDS = 1.0  # what a claim may take of a leaving worker's time
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
        self._turns: deque[object] = deque()
        self._changed = threading.Condition()

    def wait(self, timeout: float) -> bool:
        """Waits up to ``timeout`` seconds until enough places are free for a claim, without taking any."""
        with self._changed:
            return self._changed.wait_for(self._enough_are_free, timeout)

    def reserve(self, wanted: int, timeout: float) -> int:
        """Takes up to ``wanted`` free places, after waiting up to ``timeout`` seconds for enough; how many. Who asks
        first is served first: the consumer of a long queue would leave nothing to the others."""
        turn = object()
        with self._changed:
            self._turns.append(turn)
            self._changed.wait_for(lambda: self._turns[0] is turn and self._enough_are_free(), timeout)
            taken = max(0, min(wanted, self._free())) if self._turns[0] is turn else 0
            self._taken += taken
            self._turns.remove(turn)
            self._changed.notify_all()
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


class Desk:
    """Joins the writer, the watch, the publisher and the claims of this process."""

    def __init__(
        self,
        settings: Settings,
        writer: Writer,
        watch: Watch,
        publisher,
        claims_: Claims,
        slots: int,
        beginnings: Beginnings,
    ):
        self.settings, self.writer, self.watch, self.publisher = settings, writer, watch, publisher
        self.claims = claims_
        self.slots, self.beginnings = Slots(slots), beginnings
        self.cells = Cells(writer, publisher, settings.crash_limit)
        self.at_work: dict[tuple[str, str], RunAtWork] = {}  # by the key of its claim
        self._claimed: dict[tuple[str, str], tuple[Claim, float]] = {}  # pop decides who has it: begin or give_back
        self.draining = threading.Event()
        self._claiming = 0  # claims that are on their way to the ledger and back
        self._on_the_way = threading.Condition()

    def claim(self, queue: str, most: int) -> list[Claim]:
        """Claims of up to ``most`` ready runs, committed. Raises LedgerAway."""
        with self._one_claim() as allowed:
            return self._claim(Wanted(queue, most)) if allowed else []

    @contextmanager
    def _one_claim(self) -> Iterator[bool]:
        """Whether claims are still made; one that is, ``stop_claiming`` waits for."""
        with self._on_the_way:
            allowed = not self.draining.is_set()
            self._claiming += allowed
        try:
            yield allowed
        finally:
            with self._on_the_way:
                self._claiming -= allowed
                self._on_the_way.notify_all()

    def _claim(self, wanted: Wanted) -> list[Claim]:
        try:
            taken = self.writer.call(self.claims.take, wanted, durable=False)
        except Exception:  # perhaps it was committed, and only the answer was lost
            self.writer.submit(self.claims.disown, wanted.token, patient=True)
            raise
        now = time.monotonic()
        self._claimed.update({claim.key: (claim, now) for claim in taken})
        return taken

    def stop_claiming(self) -> None:
        """From now on every claimed run is at work, or given back."""
        with self._on_the_way:
            self.draining.set()
            self._on_the_way.wait_for(lambda: not self._claiming, LAST_CLAIM_SECONDS)
        self.give_back(longer_than=0)

    def begin(self, claim: Claim, guard: Guard | CellGuard) -> RunAtWork | None:
        """The claimed run, about to start; None when it waited too long for a thread and was given back."""
        run = RunAtWork(claim, self.writer, self.settings.artifacts, guard)
        self.at_work[claim.key] = run  # first, so that it is never in neither place
        if self._claimed.pop(claim.key, None) is None:
            del self.at_work[claim.key]
            return None
        self.beginnings.note(claim.key)
        return run

    def give_back(self, longer_than: float) -> None:
        """Lets others have claimed runs that no thread took up for so many seconds: none has started."""
        now = time.monotonic()
        for key, (claim, since) in list(self._claimed.items()):
            if now - since >= longer_than and self._claimed.pop(key, None) is not None:
                given = self.writer.submit(claims.give_back, claim, patient=True)
                given.add_done_callback(lambda _, claim=claim: self.publisher.hint(claim.id, claim.job, claim.queue))

    def finish(self, ending: Ending) -> None:
        """Hands the ending to the writer, which keeps it until the ledger has it."""
        run = self.at_work.get(ending.claim.key)
        if run is not None:
            self.slots.note_duration(time.monotonic() - run.began_at)
            run.report()
        written = self.writer.submit(finishing.finish, ending, patient=True)
        self.at_work.pop(ending.claim.key, None)  # last: whoever finds nothing at work flushes the writer and leaves
        written.add_done_callback(lambda future: self._after_finish(ending, future))

    def _after_finish(self, ending: Ending, written: Future) -> None:
        if (error := written.exception()) is not None:
            self._finish_as_unwritable(ending, error)
            return
        self.beginnings.forget(ending.claim.key)
        if written.result():
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
                fingerprint=fingerprint(ending.claim.job, "EndingRefused", ""),
            )  # fmt: skip
            self.finish(refused)

    def _hint(self, ending: Ending) -> None:
        """Of what follows, and of a place that it leaves to the next run of its job. Its own id will do where the next
        run may equal an earlier one, and so not be there: a hint at nothing would be kept as rejected."""
        for new in ending.next_runs:
            self.publisher.hint(ending.claim.id, new.job, new.queue)
        if ending.claim.lane:
            self.publisher.hint(ending.claim.id, ending.claim.job, ending.claim.queue)
        for new in ending.barrier_runs:  # made by the last member only
            made = self.writer.submit(notes.are_known, new.id, durable=False)
            made.add_done_callback(lambda known, new=new: self._hint_if(known, new))

    def _hint_if(self, known: Future, new: NewRun) -> None:
        """Without an answer nobody is hinted at: the dispatcher does it a little later."""
        if known.exception() is None and known.result():
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
