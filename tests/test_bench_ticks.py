"""The bench of ticks measures what it says: every schedule that falls due, against its own nominal time."""

import time

import pytest

from bench.ticks.celery_beat import CeleryBeat
from bench.ticks.load import MOST_DUE, SECOND, SHAPES, Load, beginning
from bench.ticks.timekeeper import Timekeeper
from bench.ticks.waybill import EDIT_LIMIT, OnSqlite, rule_of
from ledger import recurrence

STARTS = 1_795_000_020 * SECOND


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("count", [10, 1_000, 10_000])
def test_so_many_fall_due_and_the_rule_says_when(shape, count):
    load = Load(shape, count, STARTS, 60)
    due = load.due()
    assert len(due) == min(count, MOST_DUE)
    for number in (0, 7, count - 1):
        assert recurrence.next_after(rule_of(load, number), STARTS - 60 * SECOND) == load.first(number)
    assert len(set(due.values())) == (1 if shape == "minute" else len(due))


def test_a_load_that_is_to_hit_the_full_minute_begins_there():
    assert beginning("minute", 59.5) == 60 * SECOND and beginning("spread", 59.5) == 60 * SECOND
    assert beginning("minute", 60.5) == 120 * SECOND


def loaded(count: int):
    return lambda: Load("spread", count, beginning("spread", time.time() + 8), 2)


def assert_measured(keeper: Timekeeper, count: int) -> None:
    found = keeper.measure()
    assert (found.due, found.made) == (count, count)
    assert 0 < found.p50 <= found.p99 <= found.most
    assert 0 < found.cpu and found.memory > 10


def test_waybill_is_measured_with_a_hundred_schedules():
    with OnSqlite(loaded(100)) as keeper:
        assert_measured(keeper, 100)
        assert 0 < keeper.edits() < EDIT_LIMIT


def test_celery_beat_is_measured_with_ten_schedules(broker_url):
    class Beat(CeleryBeat):
        def start_broker(self, stack) -> str:
            return broker_url

    with Beat(loaded(10)) as keeper:
        assert_measured(keeper, 10)
