"""Counting what finished: every run once, whoever ends it and whenever, and not less when runs are pruned."""

from sqlalchemy import Engine, func, select

from ledger import clock, retention, tally
from ledger.engine import reading, writing
from ledger.tables import stragglers, tallies, totals
from tests.ledger_circumstances import at_once
from tests.ledger_steps import (
    HOUR,
    cancel,
    dispatch,
    failed,
    finish,
    migrated,  # noqa: F401
    number_of,
    rescue,
    running,
    succeeded,
    worker,
)


def total(engine: Engine, name: str = "runs", **of: str) -> int:
    where = [totals.c[column] == value for column, value in of.items()]
    with reading(engine) as connection:
        statement = select(func.coalesce(func.sum(totals.c.number), 0)).where(totals.c.name == name, *where)
        return int(connection.scalar(statement))


def tallied(engine: Engine, step: int) -> int:
    with reading(engine) as connection:
        statement = select(func.coalesce(func.sum(tallies.c.number), 0)).where(tallies.c.step == step)
        return int(connection.scalar(statement))


def done(engine: Engine, **fields) -> str:
    claimed = running(engine, **fields)
    finish(engine, succeeded(claimed))
    return claimed.id


def test_every_end_is_counted_once_whoever_makes_it(engine: Engine):
    done(engine)
    finish(engine, failed(running(engine)))
    cancel(engine, dispatch(engine))
    by = worker(engine)
    running(engine, by)
    rescue(engine, by, crash_limit=1)
    dispatch(engine)
    for _ in range(3):
        tally.catch_up(engine)
    of_states = {each: total(engine, state=each) for each in ("succeeded", "failed", "canceled", "dead")}
    assert of_states == dict.fromkeys(of_states, 1)
    assert total(engine) == 4 and total(engine, "crashes") == 1
    assert [tallied(engine, step) for step in tally.STEPS] == [4, 4, 4]


def test_nothing_is_counted_before_it_had_time_to_be_committed(engine: Engine):
    done(engine)
    for _ in range(3):
        tally.advance(engine)
    assert total(engine) == 0


def test_what_another_scheduler_has_just_closed_is_not_counted_yet(engine: Engine):
    done(engine)
    tally.advance(engine, settle=0)
    assert tally.turn(engine) == tally.PAUSE_SECONDS
    assert total(engine) == 0


def test_a_run_that_ends_behind_the_mark_is_counted_too(engine: Engine):
    slow, held = running(engine), running(engine)
    done(engine)
    tally.catch_up(engine)
    long_ago = clock.now() - HOUR
    finish(engine, succeeded(slow, at=long_ago), succeeded(held, at=long_ago))
    assert number_of(engine, stragglers) == 2
    tally.catch_up(engine)
    assert (total(engine), number_of(engine, stragglers)) == (3, 0)


def test_a_run_that_ends_between_the_marks_is_counted_once(engine: Engine):
    done(engine)
    tally.advance(engine, settle=-HOUR)
    done(engine)
    assert number_of(engine, stragglers) == 1
    for _ in range(2):
        tally.advance(engine, settle=-HOUR)
    assert (total(engine), number_of(engine, stragglers)) == (2, 0)


def test_schedulers_that_count_at_once_count_once(engine: Engine):
    for _ in range(5):
        done(engine)
    for _ in range(3):
        at_once(3, lambda _: tally.advance(engine, settle=0))
    assert total(engine) == 5


def test_a_long_history_is_counted_in_parts(engine: Engine, monkeypatch):
    monkeypatch.setattr(tally, "RUNS_AT_ONCE", 2)
    for _ in range(5):
        done(engine)
    tally.advance(engine, settle=0)
    assert [tally.advance(engine, settle=0) for _ in range(3)] == [False, False, True]
    assert total(engine) == 5


def test_the_histograms_have_each_measured_run_in_one_place(engine: Engine):
    run = running(engine)
    finish(engine, succeeded(run, at=clock.now() + 3 * clock.SECOND))
    cancel(engine, dispatch(engine))
    for _ in range(2):
        tally.advance(engine, settle=-HOUR)
    assert total(engine, "took:4") == 1
    assert sum(total(engine, f"took:{place}") for place in range(11)) == 1
    assert sum(total(engine, f"wait:{place}") for place in range(10)) == 1
    assert 2 * clock.SECOND < total(engine, "took") < 4 * clock.SECOND


def test_jobs_beyond_the_most_are_counted_together_and_stay_so(engine: Engine, monkeypatch):
    monkeypatch.setattr(tally, "MOST_JOBS", 1)
    done(engine)
    tally.catch_up(engine)
    cancel(engine, dispatch(engine, job="second"))
    tally.catch_up(engine)
    cancel(engine, dispatch(engine, job="add"))
    tally.catch_up(engine)
    assert total(engine, job="add") == 2 and total(engine, job=tally.OTHER) == 1


def test_pruning_takes_nothing_from_the_counts_and_nothing_uncounted(engine: Engine):
    ids = [done(engine) for _ in range(3)]
    assert forgettable(engine) == set()
    tally.catch_up(engine)
    finish(engine, succeeded(running(engine), at=clock.now() - HOUR))
    assert forgettable(engine) == set(ids)
    retention.forget(engine, ids)
    tally.catch_up(engine)
    assert total(engine) == 4


def forgettable(engine: Engine) -> set[str]:
    with reading(engine) as connection:
        return set(retention.expired(connection, days=-1))


def test_tallies_are_forgotten_in_time_and_totals_never(engine: Engine, monkeypatch):
    done(engine)
    tally.catch_up(engine)
    later = clock.now() + 9 * tally.DAY
    monkeypatch.setattr(tally.clock, "now", lambda: later)
    with writing(engine) as connection:
        tally.prune(connection)
    assert [tallied(engine, step) for step in tally.STEPS] == [0, 0, 1]
    assert total(engine) == 1
