"""Counting what finished, every run once, so that charts and metrics need not read runs, and pruning takes nothing
from them. Schedulers do it, any number of them; whoever ends a run does nothing for it.

Time is counted from mark to mark. A turn *closes* the time up to a little ago: whoever ends a run behind that from
now on leaves a straggler's note (a trigger does it). A later turn counts what was closed, and the notes. So a run
whose worker's clock is slow, or whose ending waited for the ledger, is counted too, and none is counted twice.
"""

from collections import Counter

from sqlalchemy import Connection, Engine, and_, delete, select, update

from ledger import clock, failpoints, measures
from ledger.engine import accumulate, reading, writing
from ledger.measures import MINUTE
from ledger.prepared import Prepared
from ledger.tables import runs, stragglers, tallies, tally_marks, totals

DAY = 24 * 60 * MINUTE
QUARTER, HOURS = 15 * MINUTE, 120 * MINUTE
#: How much time a tally covers, and for how long it is kept.
STEPS = {MINUTE: DAY + HOURS, QUARTER: 8 * DAY, HOURS: 92 * DAY}
PAUSE_SECONDS = 5.0
SETTLE = 10 * clock.SECOND  # what has ended may take so long to be committed
RUNS_AT_ONCE, NOTES_AT_ONCE = 20_000, 500
#: So many jobs have totals of their own, the rest are one. Decided for ever when a job is first counted, for a
#: counter that moved from one name to another would go back.
MOST_JOBS = 100
OTHER = "(other)"


def turn(engine: Engine) -> float:
    """Counts what was closed, and closes what may be; the seconds until the next turn. Raises LedgerAway."""
    with reading(engine) as connection:
        if _was_just_closed(marks_of(connection)):
            return PAUSE_SECONDS
    return PAUSE_SECONDS if advance(engine) else 0.0


def catch_up(engine: Engine) -> None:
    """Counts all that has finished until now, on a ledger that nobody else works on: a demo, a test."""
    now = clock.now()
    while marks_now(engine).counted_to < now:
        if advance(engine, settle=0) and not _has_news(engine):
            return


def advance(engine: Engine, settle: int = SETTLE) -> bool:
    """One step; whether all that was closed is counted now."""
    with reading(engine) as connection:
        marks = marks_of(connection)
        if not _is_anything_new(connection, marks):
            return True
        until = _end_of_batch(connection, marks)
        groups = measures.groups(connection, and_(_between(marks.counted_to, until), ~_has_note))
    with writing(engine) as connection:
        failpoints.mark(connection, "tally")
        if _move(connection, marks, until, clock.now() - settle):
            _count(connection, groups + _stragglers(connection))
    return until == marks.closed_to


def marks_now(engine: Engine):
    with reading(engine) as connection:
        return marks_of(connection)


def _has_news(engine: Engine) -> bool:
    with reading(engine) as connection:
        return _is_anything_new(connection, marks_of(connection))


_marks = Prepared(select(tally_marks))


def marks_of(connection: Connection):
    """The row with ``counted_to``, ``closed_to`` and ``closed_at``."""
    return _marks.run(connection, {}).one()


def _was_just_closed(marks) -> bool:
    """By another scheduler: what was closed so lately may still be about to be committed."""
    return 0 <= clock.now() - marks.closed_at < (PAUSE_SECONDS - 1) * clock.SECOND


def _is_anything_new(connection: Connection, marks) -> bool:
    news = (select(runs.c.id).where(runs.c.finished_at > marks.counted_to), select(stragglers.c.run_id))
    return any(connection.scalar(each.limit(1)) for each in news)


def _between(after: int, until: int):
    return and_(runs.c.finished_at > after, runs.c.finished_at <= until)


#: Whoever ends between the two marks leaves a note too, and is counted by that.
_has_note = select(stragglers.c.run_id).where(stragglers.c.run_id == runs.c.id).exists()


def _end_of_batch(connection: Connection, marks) -> int:
    closed = select(runs.c.finished_at).where(_between(marks.counted_to, marks.closed_to))
    last = connection.scalar(closed.order_by(runs.c.finished_at).offset(RUNS_AT_ONCE - 1).limit(1))
    return marks.closed_to if last is None else last


def _move(connection: Connection, seen, counted_to: int, closed_to: int) -> bool:
    """Moves the marks on, unless another scheduler did; closes more only when all that was closed is counted."""
    change = {"counted_to": counted_to}
    if counted_to == seen.closed_to:
        change |= {"closed_to": max(closed_to, seen.closed_to), "closed_at": max(clock.now(), seen.closed_at + 1)}
    as_seen = and_(tally_marks.c.counted_to == seen.counted_to, tally_marks.c.closed_at == seen.closed_at)
    return bool(connection.execute(update(tally_marks).where(as_seen).values(**change)).rowcount)


def _stragglers(connection: Connection) -> list:
    """Those that left a note, as groups; the notes go."""
    noted = select(stragglers.c.run_id).order_by(stragglers.c.run_id).limit(NOTES_AT_ONCE)
    ids = list(connection.scalars(noted))
    if not ids:
        return []
    connection.execute(delete(stragglers).where(stragglers.c.run_id.in_(ids)))
    return measures.groups(connection, runs.c.id.in_(ids))


def _count(connection: Connection, groups: list) -> None:
    known = set(connection.scalars(select(totals.c.job).distinct()))
    rows = {tallies: Counter(), totals: Counter()}
    for group in groups:
        _add_tallies(rows[tallies], group)
        _add_totals(rows[totals], group, known)
    for table, numbers in rows.items():
        accumulate(connection, table, numbers)


def _add_tallies(numbers: Counter, group) -> None:
    at, now = group.minute * MINUTE, clock.now()
    for step, kept in STEPS.items():
        if at > now - kept:
            numbers[step, at - at % step, group.job, group.queue, group.state] += group.runs


def _add_totals(numbers: Counter, group, known: set[str]) -> None:
    if group.job not in known and len(known) < MOST_JOBS:
        known.add(group.job)
    job = group.job if group.job in known else OTHER
    for name, number in measures.counts(group):
        if number:
            numbers[job, group.state, name] += number


def prune(connection: Connection) -> None:
    """Deletes the tallies that are kept no longer. Totals are for ever."""
    for step, kept in STEPS.items():
        connection.execute(delete(tallies).where(tallies.c.step == step, tallies.c.at < clock.now() - kept))
