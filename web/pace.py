"""How a run at work gets on: how long it still takes, or that it takes longer than its job usually does. Pure."""

from dataclasses import dataclass

from ledger import clock
from ledger.queries.lines import RunLine

#: A run is late when it takes a quarter longer than usual, and not only by seconds.
LATE, SECONDS = 1.25, 5 * clock.SECOND
#: A run in progress is another page every so often, even if nothing was reported: its bar grows.
STEP = 2 * clock.SECOND
#: So near to its end, the guess would say "a few seconds" for as long as a run stands there.
NEARLY = 90


@dataclass(frozen=True, slots=True)
class Pace:
    """``left`` is a guess in microseconds; ``usual`` how long runs of its job take; ``is_late``: it takes longer."""

    left: int | None
    usual: int | None
    is_late: bool


def now_in_steps() -> int:
    return clock.now() // STEP * STEP


def pace(line: RunLine, usual: int | None, now: int) -> Pace:
    elapsed = max(0, now - line.started_at) if line.started_at else 0
    is_late = usual is not None and elapsed > max(LATE * usual, usual + SECONDS)
    stands = is_late or usual is None
    return Pace(_left(line, elapsed, NEARLY if stands else 100), usual, is_late)


def _left(line: RunLine, elapsed: int, nearly: int) -> int | None:
    """If the rest goes as fast as what was done; None before anything was, and when it is nearly done."""
    progress = line.progress
    if progress is None or not progress.total or not 0 < progress.done < progress.total:
        return None
    if progress.percent >= nearly:
        return None
    return round(elapsed / progress.done * (progress.total - progress.done) / clock.SECOND) * clock.SECOND
