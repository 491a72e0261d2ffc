"""What waits and what runs at this moment, for every reason there is."""

import json
from typing import Any

from bench.demo import crew, past
from bench.demo.crew import Member
from bench.demo.kinds import KINDS
from bench.demo.mishaps import BAD_ADDRESS, GATEWAY, NO_CONTOUR, STOCK_AWAY, Mishap
from bench.demo.paint import Painting, as_json, end
from bench.demo.past import done, duration
from bench.demo.times import DAY, HOUR, MINUTE, SECOND, id_at
from ledger.clock import MILLISECOND

#: Job, age, progress, of how much, and what it says. The crew counts them on: they last for hours.
SCANNER_RUNS = (
    ("reports.build", 22 * MINUTE, 1_080, 1_800, "reading orders"),
    ("reports.build", 9 * MINUTE, 405, 1_800, "reading orders"),
    ("imaging.segment", 6 * MINUTE, 192, 1_600, "smoothing"),
    ("imaging.segment", 4 * MINUTE, 480, 1_600, "contours"),
)


def paint(painting: Painting, number: int) -> None:
    """``number`` is the size of the whole demo."""
    mail_waits(painting, max(6, number // 330))
    reports_wait(painting, max(5, number // 6_000))
    scheduled(painting, max(3, number // 4_000))
    retrying(painting, max(3, number // 8_000))
    at_work(painting)
    letters(painting, KINDS["letters.send"], 40 if number > 2_000 else 5)
    pipelines(painting, max(2, number // 2_000))
    rare(painting)
    reruns(painting, max(1, number // 5_000))


def mail_waits(painting: Painting, number: int) -> None:
    """Nobody serves their queue since its only worker fell silent."""
    for at in sorted(_lately(painting, crew.MAIL_GONE) for _ in range(number)):
        painting.run(KINDS["mail.receipt"], at, expires_at=at + DAY)


def reports_wait(painting: Painting, number: int) -> None:
    """All slots that serve theirs are taken."""
    for at in sorted(_lately(painting, 20 * MINUTE) for _ in range(number)):
        painting.run(KINDS["reports.build"], at)
        painting.run(KINDS["imaging.segment"], at + SECOND, priority=painting.rng.choice((0, 0, 0, -1, 5)))


def scheduled(painting: Painting, number: int) -> None:
    for _ in range(number):
        due = painting.now + int((0.2 + painting.rng.random() * 40) * HOUR)
        kind = painting.rng.choice((KINDS["night.cleanup"], KINDS["billing.charge"], KINDS["imaging.segment"]))
        painting.run(kind, _lately(painting, 10 * HOUR), due_at=due, dispatch_at=due, origin="form")


def retrying(painting: Painting, number: int) -> None:
    for _ in range(number):
        kind, mishap = painting.rng.choice(((KINDS["billing.charge"], GATEWAY), (KINDS["stock.sync"], STOCK_AWAY)))
        _failed_once(painting, kind, mishap, painting.now + int((1 + painting.rng.random() * 300) * MINUTE))


def _failed_once(painting: Painting, kind: Any, mishap: Mishap, again: int) -> None:
    given = kind.arguments(painting.rng)
    row = painting.run(kind, _lately(painting, 5 * MINUTE), given)
    started = row["created_at"] + 30 * MILLISECOND
    made = painting.attempt(row, painting.worker_of(kind), started, started + duration(painting, kind), "failed")
    painting.fail(row, made, mishap, given, again)
    row |= {"max_attempts": kind.most, "due_at": again, "dispatch_at": again}


def at_work(painting: Painting) -> None:
    """Every slot of the scanner, and two of the shop's."""
    for name, age, step, steps, note in SCANNER_RUNS:
        _running(painting, name, crew.SCANNER, age, progress_done=step, progress_total=steps, progress_note=note)
    asked = painting.now - 3 * SECOND
    painting.runs[-1] |= {"cancel_requested_at": asked, "canceled_by": "ana"}
    for member in (crew.WEB_1, crew.LEAVING):
        _running(painting, "stock.sync", member, 2 * MINUTE)


def _running(painting: Painting, name: str, member: Member, age: int, **progress: Any) -> None:
    row = painting.run(KINDS[name], painting.now - age)
    made = painting.attempt(row, member, row["created_at"] + 80 * MILLISECOND, None, "running")
    row |= {"state": "running", "claim_token": made["claim_token"], **progress}
    for line in KINDS[name].says[:1]:
        painting.say(row, row["started_at"] + SECOND, "INFO", line)


def letters(painting: Painting, kind: Any, members: int) -> None:
    """Two groups: one complete, of the other one member failed, so it never will be."""
    for chapter, age, breaks in ((11, 26 * HOUR, False), (12, 3 * HOUR, True)):
        _group(painting, kind, members, chapter, painting.now - age, breaks)


def _group(painting: Painting, kind: Any, members: int, chapter: int, at: int, breaks: bool) -> None:
    uuid, counting = id_at(painting.rng, at), _message(painting, "letters.count", at, {"chapter": chapter})
    options = {"group_completion_uuid": uuid, "group_completion_callbacks": [counting]}
    last = at
    for number in range(members):
        given = kind.arguments(painting.rng) | {"chapter": chapter}
        row = painting.run(kind, at + number * MILLISECOND, given, message_id=id_at(painting.rng, at),
                           options=as_json(options))  # fmt: skip
        if breaks and number == members // 2:
            made = painting.attempt(row, crew.WEB_1, at + SECOND, at + 2 * SECOND, "failed")
            painting.fail(row, made, BAD_ADDRESS, given, None)
            end(row, "failed", at + 2 * SECOND)
            painting.group(row, BAD_ADDRESS.place)
        else:
            done(painting, row, kind, given, None)
        last = row
    if not breaks:
        after = painting.run(KINDS["letters.count"], last["finished_at"], {"chapter": chapter},
                             message_id=counting["message_id"], caller_id=last["id"])  # fmt: skip
        done(painting, after, KINDS["letters.count"], {"chapter": chapter}, None)


def pipelines(painting: Painting, number: int) -> None:
    """extract | transform | load; now and then a step fails, and what follows it never starts."""
    for _ in range(number):
        _pipeline(painting, painting.now - int(painting.rng.random() * 6 * DAY) - HOUR)


def _pipeline(painting: Painting, at: int) -> None:
    steps = [_message(painting, name, at, {}) for name in ("stock.extract", "stock.transform", "stock.load")]
    caller = None
    breaks = painting.rng.choice((None, None, None, 0, 2))
    for number, step in enumerate(steps):
        kind, given = KINDS[step["actor_name"]], KINDS[step["actor_name"]].arguments(painting.rng)
        options = {"pipe_target": _nested(steps[number + 1 :])} if number < 2 else {}
        row = painting.run(kind, at, given, message_id=step["message_id"], options=as_json(options),
                           caller_id=caller and caller["id"])  # fmt: skip
        if number == breaks:
            past.failed(painting, row, kind, given, STOCK_AWAY)
            return
        done(painting, row, kind, given, None)
        caller, at = row, row["finished_at"]


def _nested(steps: list[dict]) -> dict:
    """Each step carries the next in its own options."""
    return steps[0] | {"options": {"pipe_target": _nested(steps[1:])} if steps[1:] else {}}


def _message(painting: Painting, name: str, at: int, kwargs: dict) -> dict:
    return {"queue_name": KINDS[name].queue, "actor_name": name, "args": [], "kwargs": kwargs, "options": {},
            "message_id": id_at(painting.rng, at), "message_timestamp": at // MILLISECOND}  # fmt: skip


def rare(painting: Painting) -> None:
    """What happens to few runs happens here to one at least; and subject 42 is one that cannot be segmented."""
    kind = KINDS["imaging.segment"]
    courses = (past.crashed, past.rescued, past.interrupted, past.canceled_waiting, past.canceled_running, past.expired)
    for number, course in enumerate(courses, start=1):
        given = kind.arguments(painting.rng)
        course(painting, painting.run(kind, painting.now - number * 5 * HOUR, given), kind, given, None)
    for days in range(1, 4):
        given = {"subject": 42, "scan": "PET", "threshold": 0.5}
        past.failed(painting, painting.run(kind, painting.now - days * DAY, given), kind, given, NO_CONTOUR)


def reruns(painting: Painting, number: int) -> None:
    """People ran some failed ones again."""
    for row in [row for row in painting.runs if row["state"] in ("failed", "dead")][-number:]:
        again = painting.run(KINDS[row["job"]], min(painting.now, row["finished_at"] + 5 * MINUTE), origin="rerun",
                             args=row["args"], parent_id=row["id"], created_by="ben")  # fmt: skip
        done(painting, again, KINDS[row["job"]], _given(row), None)


def _given(row: dict) -> dict:
    return json.loads(row["args"])["kwargs"]


def _lately(painting: Painting, span: int) -> int:
    return painting.now - SECOND - int(painting.rng.random() * span)
