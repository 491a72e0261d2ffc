"""How finished runs went: done at once, after a retry, after a crash; failed, crashed, canceled, expired."""

from collections.abc import Callable
from typing import Any

from bench.demo.kinds import Kind
from bench.demo.mishaps import Mishap
from bench.demo.paint import PEOPLE, Painting, as_json, end
from bench.demo.times import HOUR, MINUTE, SECOND
from ledger.clock import MILLISECOND

#: Of every run, whatever its job.
CANCELED_WAITING, CANCELED_RUNNING, INTERRUPTED, EXPIRED = 0.0008, 0.0006, 0.0006, 0.0006
RECOVERS = 0.7  # of the runs that meet a passing mishap
TROUBLE, TROUBLED = 28 * MINUTE, 4  # since when the bank says no so often, and how many times as often


def happened(painting: Painting, kind: Kind, at: int, given: dict | None = None, **columns: Any) -> dict:
    """A run that was made at ``at`` and is finished by now, if there was time enough."""
    given = kind.arguments(painting.rng) if given is None else given
    row = painting.run(kind, at, given, **columns)
    mishap, course = _course(painting, kind, at)
    course(painting, row, kind, given, mishap)
    return row


def _course(painting: Painting, kind: Kind, at: int) -> tuple[Mishap | None, Callable]:
    draw = painting.rng.random()
    for share, course in (
        (CANCELED_WAITING, canceled_waiting), (CANCELED_RUNNING, canceled_running), (INTERRUPTED, interrupted),
        (EXPIRED, expired), (kind.crashes, crashed), (kind.crashes, rescued),
    ):  # fmt: skip
        if draw < share:
            return None, course
        draw -= share
    often = TROUBLED if kind.name == "billing.charge" and painting.now - at < TROUBLE else 1
    for share, mishap in kind.fails:
        if draw < share * often:
            recovers = not mishap.is_final and kind.most > 1 and painting.rng.random() < RECOVERS
            return mishap, retried if recovers else failed
        draw -= share * often
    return None, done


def wait(painting: Painting) -> int:
    """How long a run lay in its queue: milliseconds, now and then some seconds."""
    return int(painting.rng.expovariate(1 / 40) * MILLISECOND) + (painting.rng.random() < 0.02) * 6 * SECOND


def duration(painting: Painting, kind: Kind) -> int:
    return int(kind.took * SECOND * painting.rng.lognormvariate(0, 0.4))


def done(painting: Painting, row: dict, kind: Kind, given: dict, _mishap: Any, not_before: int = 0) -> None:
    started = max(not_before, row["created_at"] + wait(painting))
    finished = started + duration(painting, kind)
    painting.attempt(row, painting.worker_of(kind), started, finished, "succeeded")
    row["result"] = as_json(kind.result(painting.rng, given))
    for step, line in enumerate(kind.says, start=1):
        painting.say(row, started + (finished - started) * step // (len(kind.says) + 1), "INFO", line)
    end(row, "succeeded", finished)


def retried(painting: Painting, row: dict, kind: Kind, given: dict, mishap: Mishap) -> None:
    at = _failing(painting, row, kind, given, mishap, 1 + (kind.most > 2 and painting.rng.random() < 0.3))
    done(painting, row, kind, given, None, at)
    row |= {"error_type": None, "error": None}


def failed(painting: Painting, row: dict, kind: Kind, given: dict, mishap: Mishap) -> None:
    at = _failing(painting, row, kind, given, mishap, 1 if mishap.is_final else kind.most, ends=True)
    end(row, "failed", at)
    painting.group(row, mishap.place)


def _failing(painting: Painting, row: dict, kind: Kind, given: dict, mishap: Mishap, times: int, ends=False) -> int:
    """So many attempts fail; when the next one starts, or when the last one ended."""
    row["max_attempts"] = kind.most
    at = row["created_at"] + wait(painting)
    for number in range(1, times + 1):
        finished = at + duration(painting, kind)
        made = painting.attempt(row, painting.worker_of(kind), at, finished, "failed")
        at = finished + 4 * SECOND * number
        painting.fail(row, made, mishap, given, None if ends and number == times else at)
    row["due_at"] = at
    return finished if ends else at


def interrupted(painting: Painting, row: dict, kind: Kind, given: dict, _mishap: Any) -> None:
    started = row["created_at"] + wait(painting)
    stopped = started + duration(painting, kind) // 2
    painting.attempt(row, painting.worker_of(kind), started, stopped, "interrupted")["retry_at"] = stopped
    done(painting, row, kind, given, None, stopped + SECOND)


def rescued(painting: Painting, row: dict, kind: Kind, given: dict, _mishap: Any) -> None:
    done(painting, row, kind, given, None, _losing(painting, row, kind, 1))


def crashed(painting: Painting, row: dict, kind: Kind, given: dict, _mishap: Any) -> None:
    at = _losing(painting, row, kind, 3)
    row |= {"error_type": "WorkerDied", "error": "its worker died 3 times while running it"}
    end(row, "dead", at)
    painting.group(row)


def _losing(painting: Painting, row: dict, kind: Kind, times: int) -> int:
    at = row["created_at"] + wait(painting)
    for _ in range(times):
        lost = at + duration(painting, kind)
        painting.attempt(row, painting.worker_of(kind), at, lost, "lost")["error"] = "its worker died"
        at = lost + SECOND
    return at


def canceled_waiting(painting: Painting, row: dict, _kind: Kind, _given: dict, _mishap: Any) -> None:
    row["canceled_by"] = painting.rng.choice(PEOPLE)
    end(row, "canceled", row["created_at"] + 20 * SECOND)


def canceled_running(painting: Painting, row: dict, kind: Kind, _given: dict, _mishap: Any) -> None:
    started = row["created_at"] + wait(painting)
    stopped = started + duration(painting, kind)
    painting.attempt(row, painting.worker_of(kind), started, stopped, "canceled")
    row |= {"canceled_by": painting.rng.choice(PEOPLE), "cancel_requested_at": stopped - SECOND // 2}
    end(row, "canceled", stopped)


def expired(_painting: Painting, row: dict, _kind: Kind, _given: dict, _mishap: Any) -> None:
    row["expires_at"] = row["created_at"] + HOUR // 2
    end(row, "expired", row["expires_at"] + SECOND)
