"""The nominal times of a schedule and what becomes of each: planned purely, then recorded once and for all."""

from dataclasses import dataclass, replace
from enum import StrEnum

from sqlalchemy import Connection, bindparam, delete, select, text, update

from ledger import clock, recurrence
from ledger.engine import insert_new
from ledger.errors import N_
from ledger.ids import new_id
from ledger.prepared import Prepared
from ledger.recurrence import Rule
from ledger.tables import schedules, ticks

# Written out: see tables.
is_waiting = text("ticks.outcome = 'waiting'")

TICKS_AT_ONCE = 100  # ticks that one firing accounts for one by one, and the most runs it makes
COUNT_LIMIT = 10_000  # ticks before these that are still counted
PUNCTUAL = 5 * clock.SECOND  # a tick noticed so late is as good as on time


class Catchup(StrEnum):
    """What becomes of ticks that nobody noticed in time."""

    NONE = "none"
    LATEST = "latest"
    ALL = "all"


class TickOutcome(StrEnum):
    FIRED = "fired"
    LATE = "late"  # a run was made, but some time after the nominal time
    SKIPPED = "skipped"  # the run before was not finished
    MISSED = "missed"  # nobody noticed in time, and the schedule does not catch up
    WAITING = "waiting"  # for the run before to finish


class Overlap(StrEnum):
    """What a tick does while the run before has not finished."""

    SKIP = "skip"
    QUEUE = "queue"
    ALLOW = "allow"
    CANCEL = "cancel"


RUNS = (TickOutcome.FIRED, TickOutcome.LATE)

#: Why a tick made no run, or not in time. Rows keep the English sentences; pages find them here to translate them.
BEHIND = N_("%(time)s behind")
NOT_MADE_UP_FOR = {
    Catchup.NONE: N_("noticed %(time)s behind; missed ticks are not made up for"),
    Catchup.LATEST: N_("noticed %(time)s behind; only the latest missed tick is made up for"),
}
NOT_FINISHED = N_("the run before was not finished")
EXPIRED = N_("noticed %(time)s behind, when its run would have expired")
WAITED = N_("waited %(time)s for the run before")
TOO_MANY = N_("%(number)s ticks were waiting already")
REPLACED = N_("a newer tick took its place")
EQUAL = N_("an equal run was accepted before")
EARLIER = N_("%(number)s earlier ticks, from %(start)s UTC on, were missed")
EARLIER_OR_MORE = N_("%(number)s or more earlier ticks, from %(start)s UTC on, were missed")
PAUSED = N_("it was paused")
EARLIER_PAUSED = N_("%(number)s earlier ticks, from %(start)s UTC on, passed in the pause")
EARLIER_OR_MORE_PAUSED = N_("%(number)s or more earlier ticks, from %(start)s UTC on, passed in the pause")
BY_HAND = N_("run by %(person)s, %(time)s behind")
REASONS = (
    BEHIND, *NOT_MADE_UP_FOR.values(), NOT_FINISHED, EXPIRED, WAITED, TOO_MANY, REPLACED, EQUAL, EARLIER_OR_MORE,
    EARLIER, PAUSED, EARLIER_OR_MORE_PAUSED, EARLIER_PAUSED, BY_HAND,
)  # fmt: skip
MOST_WAITING = 100


@dataclass(frozen=True, slots=True)
class Tick:
    at: int
    outcome: TickOutcome
    reason: str | None = None
    run_id: str | None = None


@dataclass(frozen=True, slots=True)
class Policy:
    """``expires_after`` in microseconds, None for never."""

    catchup: str = Catchup.LATEST
    overlap: str = Overlap.SKIP
    expires_after: int | None = None


def plan(rule: Rule, watermark: int, now: int, policy: Policy, busy: bool, waiting: int = 0) -> list[Tick]:
    """What becomes of the ticks after ``watermark`` and not after ``now``, in order; at most ``TICKS_AT_ONCE``.

    The newest tick is fired when it is punctual; whatever is older is caught up with by policy, and what lies
    before the last ``TICKS_AT_ONCE`` is summed up in the first one's reason. Then the policy of overlaps is asked,
    while the schedule is ``busy`` and ``waiting`` of its ticks wait.
    """
    times = recurrence.latest(rule, watermark, now, TICKS_AT_ONCE)
    planned = [_judged(at, now, at == times[-1], policy) for at in times]
    if policy.overlap == Overlap.CANCEL:
        planned = _only_the_newest(planned)
    elif policy.overlap != Overlap.ALLOW:
        room = MOST_WAITING - waiting if policy.overlap == Overlap.QUEUE else None
        planned = _one_by_one(planned, busy or waiting > 0, room)
    planned = [replace(tick, run_id=new_id()) if tick.outcome in RUNS else tick for tick in planned]
    return _with_earlier(planned, rule, watermark, EARLIER, EARLIER_OR_MORE)


def passed_over(rule: Rule, watermark: int, until: int) -> list[Tick]:
    """What becomes of the ticks of a pause: the last ``TICKS_AT_ONCE`` are skipped, what lies before is summed up."""
    times = recurrence.latest(rule, watermark, until, TICKS_AT_ONCE)
    skipped = [Tick(at, TickOutcome.SKIPPED, PAUSED) for at in times]
    return _with_earlier(skipped, rule, watermark, EARLIER_PAUSED, EARLIER_OR_MORE_PAUSED)


def _judged(at: int, now: int, newest: bool, policy: Policy) -> Tick:
    if newest and now - at <= PUNCTUAL:
        return Tick(at, TickOutcome.FIRED)
    behind = {"time": recurrence.spell((now - at) // clock.SECOND)}
    if policy.expires_after is not None and now - at >= policy.expires_after:
        return Tick(at, TickOutcome.MISSED, EXPIRED % behind)
    if policy.catchup == Catchup.ALL or (newest and policy.catchup == Catchup.LATEST):
        return Tick(at, TickOutcome.LATE, BEHIND % behind)
    return Tick(at, TickOutcome.MISSED, NOT_MADE_UP_FOR[policy.catchup] % behind)


def _one_by_one(planned: list[Tick], busy: bool, room: int | None) -> list[Tick]:
    """What comes while the schedule is busy is skipped, or waits as long as there is ``room`` for it."""
    kept = []
    for tick in planned:
        if tick.outcome in RUNS and busy:
            tick = _held(tick.at, room)
            room = room and room - 1
        busy = busy or tick.outcome in RUNS
        kept.append(tick)
    return kept


def _held(at: int, room: int | None) -> Tick:
    if room is None:
        return Tick(at, TickOutcome.SKIPPED, NOT_FINISHED)
    if room <= 0:
        return Tick(at, TickOutcome.SKIPPED, TOO_MANY % {"number": MOST_WAITING})
    return Tick(at, TickOutcome.WAITING)


def _only_the_newest(planned: list[Tick]) -> list[Tick]:
    """Each would cancel the one before it at once."""
    newest = max((tick.at for tick in planned if tick.outcome in RUNS), default=None)
    replaced = {"outcome": TickOutcome.SKIPPED, "reason": REPLACED}
    return [replace(tick, **replaced) if tick.outcome in RUNS and tick.at != newest else tick for tick in planned]


def _with_earlier(planned: list[Tick], rule: Rule, watermark: int, some: str, or_more: str) -> list[Tick]:
    if len(planned) < TICKS_AT_ONCE:
        return planned
    earlier = recurrence.between(rule, watermark, planned[0].at - 1, COUNT_LIMIT)
    if not earlier:
        return planned
    template = or_more if len(earlier) == COUNT_LIMIT else some
    summary = template % {"number": f"{len(earlier):,}", "start": f"{clock.to_datetime(earlier[0]):%Y-%m-%d %H:%M:%S}"}
    reason = "; ".join(filter(None, (planned[0].reason, summary)))
    return [replace(planned[0], reason=reason), *planned[1:]]


_record = Prepared(
    lambda connection: insert_new(connection, ticks).values({column.name: bindparam(column.name) for column in ticks.c})
)


def record(connection: Connection, planned: list[tuple[str, Tick]], now: int) -> list[tuple[str, Tick]]:
    """Writes ticks of schedules, by their ids; those that are to make a run, and were not on record yet."""
    rows = [
        {
            "schedule_id": schedule_id, "tick_at": tick.at, "outcome": tick.outcome.value, "reason": tick.reason,
            "run_id": tick.run_id, "recorded_at": now,
        }
        for schedule_id, tick in planned
    ]  # fmt: skip
    if not rows:
        return []
    made = [(schedule_id, tick) for schedule_id, tick in planned if tick.run_id]
    if _record.run_many(connection, rows) == len(rows):
        return made
    return [each for each in made if _is_ours(connection, *each)]


def _is_ours(connection: Connection, schedule_id: str, tick: Tick) -> bool:
    own = select(ticks.c.run_id).where(ticks.c.schedule_id == schedule_id, ticks.c.tick_at == tick.at)
    return connection.scalar(own) == tick.run_id


def waiting(connection: Connection, schedule_ids: list[str]) -> dict[str, list[int]]:
    """The times of the ticks that wait, in order, of those schedules that have such; they are at most ``MOST_WAITING``
    of each."""
    found: dict[str, list[int]] = {}
    of_these = select(ticks.c.schedule_id, ticks.c.tick_at).where(ticks.c.schedule_id.in_(schedule_ids), is_waiting)
    for schedule_id, at in connection.execute(of_these.order_by(ticks.c.tick_at)):
        found.setdefault(schedule_id, []).append(at)
    return found


def missed(connection: Connection, schedule_id: str) -> list[int]:
    """The times of its last ticks that were missed, in order; as many as one firing records at most."""
    own = select(ticks.c.tick_at).where(ticks.c.schedule_id == schedule_id, ticks.c.outcome == TickOutcome.MISSED)
    return list(connection.scalars(own.order_by(ticks.c.tick_at.desc()).limit(TICKS_AT_ONCE)))[::-1]


def settle(connection: Connection, schedule_id: str, tick: Tick) -> None:
    """A tick that waited, or was missed, has another outcome now."""
    own = update(ticks).where(ticks.c.schedule_id == schedule_id, ticks.c.tick_at == tick.at)
    connection.execute(own.values(outcome=tick.outcome, reason=tick.reason, run_id=tick.run_id))


def note_equal(connection: Connection, schedule_id: str, tick_at: int, run_id: str) -> None:
    """The tick made no run: its job takes no equal one, and ``run_id`` is that."""
    own = update(ticks).where(ticks.c.schedule_id == schedule_id, ticks.c.tick_at == tick_at)
    connection.execute(own.values(outcome=TickOutcome.SKIPPED, reason=EQUAL, run_id=run_id))


def prune(connection: Connection, before: int) -> int:
    """Forgets the ticks that lie before ``before``, of every schedule; how many."""
    # One statement per schedule: that is the order of the primary key, and needs no index of its own.
    ids = connection.scalars(select(schedules.c.id).order_by(schedules.c.id)).all()
    statements = (delete(ticks).where(ticks.c.schedule_id == each, ticks.c.tick_at < before) for each in ids)
    return sum(connection.execute(statement).rowcount for statement in statements)
