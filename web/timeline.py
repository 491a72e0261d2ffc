"""What happened to a run as one bar, to scale: held, waited, worked, waited ... Text beside it says the same."""

from dataclasses import dataclass

from flask_babel import ngettext

from ledger import clock
from ledger.queries.run import Attempt, RunPage
from ledger.queries.status import Status
from ledger.states import Outcome
from web.language import Later as _l
from web.numbers import duration
from web.words import OUTCOME

#: The bar is to scale, but what is too short to be seen is drawn this wide, and set apart by the gap.
WIDTH, LEAST, GAP = 1_000, 5, 2
#: Beyond so many attempts the words sum up instead of listing each.
MOST_TOLD = 4

WAITED, HELD = "waited", "held"
#: How a wait reads in the middle of a sentence, over and still going on.
WAITS = {
    WAITED: (_l("waited %(time)s"), _l("waiting")),
    HELD: (_l("held %(time)s"), _l("held until it is due")),
}
ENDED = {
    Outcome.RUNNING: _l("attempt %(number)s running"),
    Outcome.SUCCEEDED: _l("attempt %(number)s done after %(time)s"),
    Outcome.FAILED: _l("attempt %(number)s failed after %(time)s"),
    Outcome.CANCELED: _l("attempt %(number)s canceled after %(time)s"),
    Outcome.INTERRUPTED: _l("attempt %(number)s was interrupted after %(time)s"),
    Outcome.LOST: _l("attempt %(number)s crashed after %(time)s"),
}
END = {
    Status.SUCCEEDED: _l("done"),
    Status.FAILED: _l("gave up"),
    Status.DEAD: _l("gave up"),
    Status.CANCELED: _l("canceled"),
    Status.EXPIRED: _l("expired"),
}


@dataclass(frozen=True, slots=True)
class Step:
    """A wait (``kind``), or the attempt of that ``number`` with its outcome. ``hue`` is that of a state, or ``line``
    for waiting. ``is_open`` while it goes on."""

    kind: str
    hue: str
    started_at: int
    ended_at: int
    is_open: bool
    number: int = 0

    @property
    def is_work(self) -> bool:
        return self.number > 0

    @property
    def lasted(self) -> int:
        return max(0, self.ended_at - self.started_at)


@dataclass(frozen=True, slots=True)
class Piece:
    """``x`` and ``width`` on a ground that is ``WIDTH`` wide."""

    x: float
    width: float
    hue: str
    title: str


@dataclass(frozen=True, slots=True)
class Timeline:
    """``sentence`` is for everybody."""

    pieces: tuple[Piece, ...]
    sentence: str
    started_at: int
    ended_at: int | None
    ended_word: str


def timeline(run: RunPage, now: int) -> Timeline:
    steps = steps_of(run, now)
    line = run.line
    ended_word = str(END.get(line.status, _l("now")))
    return Timeline(_pieces(steps), _sentence(steps), line.created_at, line.finished_at, ended_word)


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
        return [Step(WAITED, "line", since, until, is_open)]
    first = Step(HELD, "idle", since, min(due, until), is_open and due > until)
    return [first] if due >= until else [first, Step(WAITED, "line", due, until, is_open)]


def _work(attempt: Attempt, now: int) -> Step:
    end, hue = attempt.finished_at or now, OUTCOME[attempt.outcome].hue
    return Step(attempt.outcome, hue, attempt.started_at, end, attempt.finished_at is None, attempt.number)


def _pieces(steps: list[Step]) -> tuple[Piece, ...]:
    whole = sum(step.lasted for step in steps) or 1
    wanted = [max(LEAST, WIDTH * step.lasted / whole) for step in steps]
    scale, x, pieces = WIDTH / (sum(wanted) or 1), 0.0, []
    for step, width in zip(steps, wanted, strict=True):
        drawn = max(1.0, width * scale - GAP)
        pieces.append(Piece(round(x, 1), round(drawn, 1), step.hue, _started(_told(step))))
        x += width * scale
    return tuple(pieces)


def _sentence(steps: list[Step]) -> str:
    worked = [step for step in steps if step.is_work]
    if len(worked) > MOST_TOLD:
        return _sum_of(steps, worked)
    return _started(" · ".join(_told(step) for step in steps))


def _started(told: str) -> str:
    return told[:1].upper() + told[1:]


def _sum_of(steps: list[Step], worked: list[Step]) -> str:
    at_work = sum(step.lasted for step in worked)
    waited = sum(step.lasted for step in steps) - at_work
    return ngettext(
        "Worked %(work)s in %(num)s attempt, waited %(wait)s",
        "Worked %(work)s in %(num)s attempts, waited %(wait)s between them",
        len(worked), work=duration(at_work), wait=duration(waited),
    )  # fmt: skip


def _told(step: Step) -> str:
    time = duration(step.lasted)
    if step.is_work:
        return str(ENDED[step.kind]) % {"number": step.number, "time": time}
    return str(WAITS[step.kind][step.is_open]) % {"time": time}
