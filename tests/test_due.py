"""Schedules whose tick has come are fired in groups, and no one of them holds up another."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from sqlalchemy import select, update

from ledger import clock, schedules
from ledger.due import GROUP_LIMIT, Due
from ledger.engine import open_engine, reading, writing
from ledger.errors import LedgerAway
from ledger.tables import schedules as schedules_table
from tests.schedule_steps import (
    finish,
    fire,
    make,
    prepared,
    recorded,
    run_rows,
    tick_rows,
    with_jobs,  # noqa: F401
)

MINUTE = 60 * clock.SECOND


def since_a_minute(engine, count: int, **changes) -> list[str]:
    return [make(engine, since=clock.now() - MINUTE, name=f"schedule {each}", **changes) for each in range(count)]


def of(engine, hints: list | None = None) -> Due:
    return Due(engine, lambda *hint: None if hints is None else hints.append(hint))


def fire_all(due: Due) -> None:
    while due.fire() == 0:
        pass


def with_ticks(engine) -> set[str]:
    return {run.schedule_id for run in run_rows(engine)}


def set_rule(engine, schedule_id: str, rule: str) -> None:
    with writing(engine) as connection:
        connection.execute(update(schedules_table).where(schedules_table.c.id == schedule_id).values(rule=rule))


def test_all_that_is_due_is_fired_in_groups_each_once_and_hinted(engine):
    ids, hints = since_a_minute(engine, GROUP_LIMIT + 2), []
    due = of(engine, hints)
    due.add(ids)
    due.add(ids[:1])
    assert due.fire() == 0 and len(run_rows(engine)) == GROUP_LIMIT
    fire_all(due)
    assert with_ticks(engine) == set(ids)
    assert sorted(hint[0] for hint in hints) == sorted(run.id for run in run_rows(engine))


def test_one_that_is_broken_stops_no_other_and_is_tried_again(engine, caplog, monkeypatch):
    ids, due = since_a_minute(engine, 3), of(engine)
    set_rule(engine, ids[1], "nonsense")
    due.add(ids)
    fire_all(due)
    assert with_ticks(engine) == {ids[0], ids[2]}
    assert f"Schedule {ids[1]} could not fire" in caplog.text
    set_rule(engine, ids[1], "60")
    due.try_again()
    fire_all(due)
    assert ids[1] not in with_ticks(engine)
    monkeypatch.setattr("ledger.due.AGAIN_SECONDS", 0)
    due.try_again()
    fire_all(due)
    assert with_ticks(engine) == set(ids)


def test_one_that_somebody_holds_is_left_for_later(postgresql_url):
    engine = prepared(postgresql_url)
    ids, due = since_a_minute(engine, 3), of(engine)
    with held(engine, ids[0]):
        due.add(ids)
        fire_all(due)
        assert with_ticks(engine) == set(ids[1:])
        due.try_again()
        fire_all(due)
    due.try_again()
    fire_all(due)
    assert with_ticks(engine) == set(ids)
    engine.dispose()


@contextmanager
def held(engine, schedule_id: str) -> Iterator[None]:
    with writing(engine) as holder:
        holder.execute(select(schedules_table).where(schedules_table.c.id == schedule_id).with_for_update())
        yield


def test_nothing_is_forgotten_while_the_ledger_is_away():
    due = of(open_engine("postgresql+psycopg://nobody@127.0.0.1:1/none"))
    assert due.fire() > 0
    due.add(["one", "two"])
    for _ in range(3):
        with pytest.raises(LedgerAway):
            due.fire()


def test_what_is_added_wakes_who_waits(engine):
    due = of(engine)
    seen = due.wait(0, 0)
    assert due.wait(seen, 0) == seen
    due.add(["one"])
    assert due.wait(seen, 60) != seen


def test_a_tick_that_waits_goes_on_when_its_schedule_is_at_rest_and_not_paused(engine):
    schedule_id = make(engine, overlap="queue", since=clock.now() - 2 * MINUTE, catchup="all")
    (first,) = fire(engine, schedule_id, clock.now())
    assert [outcome for _, outcome in recorded(engine, schedule_id)] == ["late", "waiting"]
    assert able(engine) == []
    finish(engine, first.run_id)
    assert able(engine) == [schedule_id]
    with writing(engine) as connection:
        schedules.pause(connection, schedule_id, "ana")
    assert able(engine) == []


def test_a_tick_that_waits_is_settled_when_its_schedule_queues_no_more(engine):
    schedule_id = make(engine, overlap="queue", since=clock.now() - 2 * MINUTE, catchup="all")
    fire(engine, schedule_id, clock.now())
    with writing(engine) as connection:
        connection.execute(update(schedules_table).values(overlap="skip"))
    assert able(engine) == [schedule_id]
    fire(engine, schedule_id, clock.now())
    assert able(engine) == [] and tick_rows(engine, schedule_id)[-1].outcome == "skipped"


def able(engine) -> list[str]:
    with reading(engine) as connection:
        return schedules.that_can_go_on(connection)
