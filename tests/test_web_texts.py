"""How numbers, times, arguments, results and tracebacks are written."""

import json
from datetime import UTC, datetime

import pytest

from ledger import clock
from ledger.queries.counting import Count
from ledger.queries.run import Text
from tests.web_steps import (
    Site,
    visited,  # noqa: F401
)
from web import arguments, moments, numbers, tracebacks
from web.charts import sparkline
from web.results import Form, result_of
from web.words import OUTCOME, STATUS, TAB

SECOND = clock.SECOND


@pytest.mark.parametrize(
    ("microseconds", "written"),
    [
        (None, ""), (0, "< 1 ms"), (499, "< 1 ms"), (600, "1 ms"), (8_000, "8 ms"), (999_400, "999 ms"),
        (1_400_000, "1.4 s"), (16_500_000, "16.5 s"), (4_000_000, "4 s"), (59_990_000, "1 min"),
        (60 * SECOND, "1 min"), (132 * SECOND, "2 min 12 s"), (3_600 * SECOND, "1 h"),
        (4_200 * SECOND, "1 h 10 min"),
        (86_400 * SECOND, "1 d"), (90_000 * SECOND * 3, "3 d 3 h"),
    ],
)  # fmt: skip
def test_durations(microseconds: int | None, written: str):
    assert numbers.duration(microseconds) == written


@pytest.mark.parametrize(
    ("seconds", "written"),
    [
        (0, "0 s"),
        (59, "59 s"),
        (61, "1 min"),
        (3_599, "59 min"),
        (4_259, "1 h 10 min"),
        (7_200, "2 h"),
        (200_000, "2 d"),
    ],
)
def test_ages_have_no_seconds_after_the_first_minute(seconds: int, written: str):
    assert numbers.coarse(seconds) == written


@pytest.mark.parametrize(
    ("value", "written"), [(7, "7"), (2944, "2\u202f944"), (1234567, "1\u202f234\u202f567")]
)
def test_numbers_are_grouped_by_thin_spaces(value: int, written: str):
    assert numbers.number(value) == written


def test_a_capped_count_says_so():
    assert (numbers.count(Count(12)), numbers.count(Count(10_000, True))) == ("12", "10\u202f000+")


@pytest.mark.parametrize(
    ("part", "whole", "written"),
    [
        (0, 0, "0 %"),
        (0, 9, "0 %"),
        (1, 5000, "< 0.1 %"),
        (19, 1000, "1.9 %"),
        (1, 4, "25 %"),
        (7, 7, "100 %"),
    ],
)
def test_percentages_never_show_a_little_as_nothing(part: int, whole: int, written: str):
    assert numbers.percent(part, whole) == written


@pytest.mark.parametrize(
    ("value", "written"),
    [
        (0, "0 B"),
        (999, "999 B"),
        (1400, "1.4 kB"),
        (1_000_000, "1 MB"),
        (999_999, "1 MB"),
        (2_048_000_000, "2 GB"),
    ],
)
def test_sizes(value: int, written: str):
    assert numbers.size(value) == written


@pytest.mark.parametrize(
    ("args", "written"),
    [
        ({"args": [10472, "a b"], "kwargs": {"width": 320}}, "10472, a b, width=320"),
        (
            {"args": [], "kwargs": {"deep": True, "none": None, "list": [1, "x"]}},
            'deep=true, none=null, list=[1, "x"]',
        ),
        ({"args": ["two\nlines"], "kwargs": {"empty": ""}}, 'two lines, empty=""'),
        ({"args": ["é"], "kwargs": {}}, "é"),
        ({}, ""),
    ],
)
def test_arguments_on_one_line(args: dict, written: str):
    assert arguments.line(json.dumps(args)) == written


def test_long_arguments_are_cut():
    line = arguments.line(json.dumps({"args": ["x" * 500]}))
    assert len(line) == arguments.LINE_SHOWN and line.endswith("…")


def test_arguments_that_were_cut_off_in_the_ledger_are_shown_as_they_are():
    assert arguments.line('{"args":["xxx') == '{"args":["xxx'
    assert arguments.table('{"args":["xxx') is None


def test_times_are_relative_in_the_text_and_exact_in_the_title(site: Site):
    at = clock.from_datetime(datetime(2026, 11, 22, 18, 19, 0, 760_000, tzinfo=UTC))
    with site.app.app_context():
        written = moments.at_millisecond(at)
        assert 'datetime="2026-11-22T18:19:00.760Z"' in written
        assert 'title="2026-11-22 18:19:00 UTC"' in written and ">18:19:00.760<" in written
        assert ">3 min ago<" in moments.ago(clock.now() - 185 * SECOND)
        assert ">in 14 s<" in moments.until(clock.now() + 14 * SECOND + 900_000)
        assert ">now<" in moments.until(clock.now() - SECOND)


def test_times_are_shown_in_the_zone_of_the_settings(tmp_path):
    site = Site(tmp_path, display_timezone="Europe/Madrid")
    with site.app.app_context():
        assert moments.exact(0) == "1970-01-01 01:00:00 CET"
    site.close()


def text_of(value) -> Text:
    written = json.dumps(value)
    return Text(written, len(written))


@pytest.mark.parametrize(
    ("value", "form"),
    [
        ({"a": 1}, Form.PAIRS), ([{"a": 1}, {"a": 2}], Form.TABLE), ("x", Form.TEXT), (7, Form.JSON),
        ([], Form.JSON), ({}, Form.JSON), ([1], Form.JSON), ([{"a": 1}, {"b": 2}], Form.JSON),
        (None, Form.JSON),
    ],
)  # fmt: skip
def test_a_result_is_a_table_where_it_is_one(value, form: Form):
    assert result_of(text_of(value)).form == form


def test_a_cut_result_is_shown_as_it_begins():
    result = result_of(Text('{"a":"xx', 1000))
    assert (result.form, result.is_cut, result.text) == (Form.JSON, True, '{"a":"xx')


def test_long_values_get_lines_of_their_own():
    short, nested = result_of(text_of({"short": 1, "nested": list(range(99))})).pairs
    assert (short.text, short.block) == ("1", "")
    assert nested.text == "" and nested.block.startswith("[\n  0,")


TRACEBACK = """Traceback (most recent call last):
  File "/venv/lib/python3.11/site-packages/dramatiq/worker.py", line 483, in process_message
    res = actor()
          ^^^^^^^
  File "/usr/lib/python3.11/json/decoder.py", line 1, in decode
  File "/app/jobs.py", line 3, in load
    read()
ValueError: first

During handling of the above exception, another exception occurred:

Traceback (most recent call last):
  File "/app/jobs.py", line 7, in load
    raise KeyError("x")
KeyError: 'x'
"""


def test_frames_of_libraries_are_told_from_our_own():
    blocks = tracebacks.blocks(TRACEBACK)
    assert [block.kind for block in blocks] == ["text", "library", "own", "text", "own", "text"]
    assert (blocks[1].frames, blocks[1].libraries) == (2, "dramatiq, json")
    assert blocks[2].text == '  File "/app/jobs.py", line 3, in load\n    read()'


def test_a_traceback_loses_nothing():
    assert "\n".join(block.text for block in tracebacks.blocks(TRACEBACK)) == TRACEBACK.rstrip("\n")


def test_the_place_of_an_error_is_our_last_frame():
    place = tracebacks.place(TRACEBACK)
    assert (place.path, place.line, place.name) == ("/app/jobs.py", 7, "load")
    assert tracebacks.place("") is None


def test_a_place_without_own_frames_is_the_last_of_all():
    only_library = "\n".join(TRACEBACK.splitlines()[:5])
    assert tracebacks.place(only_library).name == "decode"


def test_a_sparkline_without_values_is_flat():
    assert 'points="0,19.0 48,19.0 96,19.0"' in sparkline((0, 0, 0))


def test_every_state_has_a_word_a_shape_and_a_hue():
    from ledger.queries.status import Status
    from ledger.queries.wanted import Tab
    from ledger.states import Outcome

    assert set(STATUS) == set(Status) and set(OUTCOME) == set(Outcome) and set(TAB) == set(Tab)
    shapes = [(shown.word, shown.glyph) for shown in STATUS.values()]
    assert len({glyph for _, glyph in shapes}) == len(shapes)
