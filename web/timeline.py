"""What happened to a run as one bar: held, waited, worked, waited ... Text beside it says the same."""

from dataclasses import dataclass

from ledger import clock
from ledger.queries.run import Attempt, RunPage
from ledger.queries.status import Status
from ledger.states import Outcome
from web.numbers import duration
from web.words import OUTCOME

WIDTH = 1000
#: A step is never drawn narrower than this, so that a millisecond after an hour can be seen.
NARROWEST = 8
#: Beyond so many attempts the words sum up instead of listing each.
MOST_TOLD = 4
WAIT, HELD = "waited", "held"
#: Where the word of the outcome makes no sentence.
ENDED = {Outcome.INTERRUPTED: "was interrupted"}


@dataclass(frozen=True, slots=True)
class Step:
    """``hue`` is that of a state, or ``line`` for waiting. ``is_open`` while it goes on."""

    words: str
    hue: str
    started_at: int
    ended_at: int
    is_open: bool
    is_work: bool

    @property
    def lasted(self) -> int:
        return max(0, self.ended_at - self.started_at)


@dataclass(frozen=True, slots=True)
class Piece:
    x: float
    width: float
    hue: str
    title: str


@dataclass(frozen=True, slots=True)
class Timeline:
    """``pieces`` in units of a drawing ``WIDTH`` wide; ``sentence`` for everybody."""

    pieces: tuple[Piece, ...]
    sentence: str
    started_at: int
    ended_at: int | None
    ended_word: str


def timeline(run: RunPage, now: int) -> Timeline:
    steps = steps_of(run, now)
    return Timeline(
        _pieces(steps), _sentence(steps), run.line.created_at, run.line.finished_at, _end_word(run)
    )


def steps_of(run: RunPage, now: int) -> list[Step]:
    """Attempts in the order they happened, with the waits between them."""
    steps: list[Step] = []
    at = run.line.created_at
    for attempt in reversed(run.attempts):
        steps += _waits(run, at, attempt.started_at, is_open=False)
        steps.append(_work(attempt, now))
        at = steps[-1].ended_at
    if run.line.status not in (Status.RUNNING, Status.CANCELING):
        is_open = run.line.finished_at is None
        end = now if is_open else run.line.finished_at
        if is_open or not steps or end - at > clock.MILLISECOND:
            steps += _waits(run, at, end, is_open)
    return steps


def _waits(run: RunPage, since: int, until: int, is_open: bool) -> list[Step]:
    """A wait, with the part before its due time told apart when that was on purpose."""
    due = run.line.due_at
    held = not run.line.failures and not run.line.crashes and since < due - clock.SECOND
    if not held:
        return [Step(WAIT, "line", since, until, is_open, False)]
    first = Step(HELD, "idle", since, min(due, until), is_open and due > until, False)
    return [first] if due >= until else [first, Step(WAIT, "line", due, until, is_open, False)]


def _work(attempt: Attempt, now: int) -> Step:
    end = attempt.finished_at or now
    words = f"attempt {attempt.number} {ENDED.get(attempt.outcome) or OUTCOME[attempt.outcome].word.lower()}"
    return Step(
        words, OUTCOME[attempt.outcome].hue, attempt.started_at, end, attempt.finished_at is None, True
    )


def _pieces(steps: list[Step]) -> tuple[Piece, ...]:
    whole = sum(step.lasted for step in steps) or 1
    widths = [max(NARROWEST, WIDTH * step.lasted / whole) for step in steps]
    shrink = WIDTH / sum(widths) if widths else 1
    pieces, x = [], 0.0
    for step, width in zip(steps, widths, strict=True):
        pieces.append(Piece(round(x, 1), round(max(2.0, width * shrink - 2), 1), step.hue, _title(step)))
        x += width * shrink
    return tuple(pieces)


def _title(step: Step) -> str:
    return f"{step.words} {duration(step.lasted)}"


def _sentence(steps: list[Step]) -> str:
    worked = [step for step in steps if step.is_work]
    if len(worked) > MOST_TOLD:
        return _sum_of(steps, worked)
    told = " · ".join(_told(step) for step in steps)
    return told[:1].upper() + told[1:]


def _sum_of(steps: list[Step], worked: list[Step]) -> str:
    at_work = sum(step.lasted for step in worked)
    waited = sum(step.lasted for step in steps) - at_work
    return f"Worked {duration(at_work)} in {len(worked)} attempts, waited {duration(waited)} between them"


def _told(step: Step) -> str:
    if step.is_open:
        return {WAIT: "waiting", HELD: "held until it is due"}.get(step.words, step.words)
    return (
        f"{step.words} after {duration(step.lasted)}"
        if step.is_work
        else f"{step.words} {duration(step.lasted)}"
    )


def _end_word(run: RunPage) -> str:
    return {
        Status.SUCCEEDED: "done",
        Status.FAILED: "gave up",
        Status.DEAD: "gave up",
        Status.CANCELED: "canceled",
        Status.EXPIRED: "expired",
    }.get(run.line.status, "now")
