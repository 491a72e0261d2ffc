"""What stands beside a drawing of bars."""

import pytest

from ledger import clock
from ledger.settings import load
from web import create_app
from web.axes import axes, top_of
from web.console import NAME

MINUTE, HOUR = 60 * clock.SECOND, 3_600 * clock.SECOND
#: 2026-10-25 21:50 UTC; in Madrid the clocks have gone back on that day.
EVENING = 1_792_965_000 * clock.SECOND


@pytest.mark.parametrize(
    "peak, top", [(0, 1), (1, 1), (2, 2), (3, 4), (5, 6), (7, 8), (9, 10), (10, 10), (11, 20), (61, 80), (1_204, 2_000)]
)
def test_the_top_is_round_and_nothing_is_higher(peak: int, top: int):
    assert top_of(peak) == top


@pytest.fixture(name="in_madrid")
def context(tmp_path):
    app = create_app(load(waybill_var=tmp_path, display_timezone="Europe/Madrid", database_url="", _env_file=None))
    with app.app_context():
        yield
    app.extensions[NAME].close()


@pytest.mark.usefixtures("in_madrid")
def test_marks_are_round_times_where_they_belong():
    hour = axes(3, EVENING, EVENING + HOUR)
    assert hour.numbers == ("4", "2", "0")
    assert [(each.word, each.percent) for each in hour.marks] == [
        ("23:00", 16.7), ("23:15", 41.7), ("23:30", 66.7), ("23:45", 91.7),
    ]  # fmt: skip
    day = axes(1, EVENING - 24 * HOUR, EVENING)
    assert [(each.word, each.percent) for each in day.marks] == [("06:00", 29.9), ("12:00", 54.9), ("18:00", 79.9)]
    assert [each.word for each in axes(1_000, EVENING - 168 * HOUR, EVENING).marks][:2] == ["10-20", "10-21"]
