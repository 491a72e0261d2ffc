"""The nominal times of a schedule and what becomes of each: planned purely, then recorded once and for all."""

from dataclasses import dataclass, replace
from enum import StrEnum

from sqlalchemy import Connection, delete, select, update

from ledger import clock, recurrence
from ledger.engine import insert_new
from ledger.errors import N_
from ledger.ids import new_id
from ledger.recurrence import Rule
from ledger.tables import schedules, ticks

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


RUNS = (TickOutcome.FIRED, TickOutcome.LATE)

#: Why a tick made no run, or not in time. Rows keep the English sentences; pages find them here to translate them.
BEHIND = N_("%(time)s behind")
NOT_MADE_UP_FOR = {
    Catchup.NONE: N_("noticed %(time)s behind; missed ticks are not made up for"),
    Catchup.LATEST: N_("noticed %(time)s behind; only the latest missed tick is made up for"),
}
NOT_FINISHED = N_("the run before was not finished")
EQUAL = N_("an equal run was accepted before")
EARLIER = N_("%(number)s earlier ticks, from %(start)s UTC on, were missed")
EARLIER_OR_MORE = N_("%(number)s or more earlier ticks, from %(start)s UTC on, were missed")
REASONS = (BEHIND, *NOT_MADE_UP_FOR.values(), NOT_FINISHED, EQUAL, EARLIER_OR_MORE, EARLIER)


@dataclass(frozen=True, slots=True)
class Tick:
    at: int
    outcome: TickOutcome
    reason: str | None = None
    run_id: str | None = None


def plan(rule: Rule, watermark: int, now: int, catchup: str, skip_overlap: bool, busy: bool) -> list[Tick]:
    """What becomes of the ticks after ``watermark`` and not after ``now``, in order; at most ``TICKS_AT_ONCE``.

    The newest tick is fired when it is punctual; whatever is older is caught up with by policy, and what lies
    before the last ``TICKS_AT_ONCE`` is summed up in the first one's reason. With ``skip_overlap`` only one run
    is made, and none while the schedule is ``busy``.
    """
    times = recurrence.latest(rule, watermark, now, TICKS_AT_ONCE)
    planned = [_judged(at, now, at == times[-1], catchup) for at in times]
    if skip_overlap:
        planned = _without_overlap(planned, busy)
    planned = [replace(tick, run_id=new_id()) if tick.outcome in RUNS else tick for tick in planned]
    return _with_earlier(planned, rule, watermark)


def _judged(at: int, now: int, newest: bool, catchup: str) -> Tick:
    behind = {"time": recurrence.spell((now - at) // clock.SECOND)}
    if newest and now - at <= PUNCTUAL:
        return Tick(at, TickOutcome.FIRED)
    if catchup == Catchup.ALL or (newest and catchup == Catchup.LATEST):
        return Tick(at, TickOutcome.LATE, BEHIND % behind)
    return Tick(at, TickOutcome.MISSED, NOT_MADE_UP_FOR[catchup] % behind)


def _without_overlap(planned: list[Tick], busy: bool) -> list[Tick]:
    kept = []
    for tick in planned:
        if tick.outcome in RUNS and busy:
            tick = Tick(tick.at, TickOutcome.SKIPPED, NOT_FINISHED)
        busy = busy or tick.outcome in RUNS
        kept.append(tick)
    return kept


def _with_earlier(planned: list[Tick], rule: Rule, watermark: int) -> list[Tick]:
    if len(planned) < TICKS_AT_ONCE:
        return planned
    earlier = recurrence.between(rule, watermark, planned[0].at - 1, COUNT_LIMIT)
    if not earlier:
        return planned
    template = EARLIER_OR_MORE if len(earlier) == COUNT_LIMIT else EARLIER
    summary = template % {"number": f"{len(earlier):,}", "start": f"{clock.to_datetime(earlier[0]):%Y-%m-%d %H:%M:%S}"}
    reason = "; ".join(filter(None, (planned[0].reason, summary)))
    return [replace(planned[0], reason=reason), *planned[1:]]


def record(connection: Connection, schedule_id: str, planned: list[Tick], now: int) -> list[Tick]:
    """Writes the ticks and answers those that were not on record yet: nobody made a run for them."""
    rows = [
        {
            "schedule_id": schedule_id, "tick_at": tick.at, "outcome": tick.outcome, "reason": tick.reason,
            "run_id": tick.run_id, "recorded_at": now,
        }
        for tick in planned
    ]  # fmt: skip
    statement = insert_new(connection, ticks).values(rows).returning(ticks.c.tick_at)
    fresh = set(connection.scalars(statement))
    return [tick for tick in planned if tick.at in fresh]


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
