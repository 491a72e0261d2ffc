"""Rules and their times: what cron means, what happens when clocks change, and what a typing error is told."""

import re
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ledger import clock
from ledger.recurrence import (
    Rule,
    RuleError,
    between,
    in_words,
    latest,
    next_after,
    parse,
    spell,
    upcoming,
    zones,
)
from tests.cron_oracle import expected_times

MINUTE = 60 * clock.SECOND
DAY = 24 * 60 * MINUTE


def at(text: str, zone: str = "UTC") -> int:
    return clock.from_datetime(datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone)))


def local(instant: int, zone: str) -> str:
    return clock.to_datetime(instant).astimezone(ZoneInfo(zone)).isoformat(timespec="minutes")


def next_local(text: str, zone: str, after: str, n: int) -> list[str]:
    return [local(each, zone) for each in upcoming(parse("cron", text, zone), at(after, zone), n)]


@pytest.mark.parametrize(
    "text, after, expected",
    [
        ("30 9 * * *", "2026-01-01T09:30", ["2026-01-02T09:30", "2026-01-03T09:30"]),
        ("30 9 * * *", "2026-01-01T09:29:59", ["2026-01-01T09:30", "2026-01-02T09:30"]),
        ("*/20 * * * *", "2026-01-01T23:30", ["2026-01-01T23:40", "2026-01-02T00:00"]),
        ("5-8/2 * * * *", "2026-01-01T00:00", ["2026-01-01T00:05", "2026-01-01T00:07"]),
        ("0 0 1 jan,JUL *", "2026-01-01T00:00", ["2026-07-01T00:00", "2027-01-01T00:00"]),
        ("0 0 13 * 5", "2026-02-01T00:00", ["2026-02-06T00:00", "2026-02-13T00:00"]),  # the 13th OR a Friday
        ("0 0 * * 0", "2026-02-01T00:00", ["2026-02-08T00:00", "2026-02-15T00:00"]),
        ("0 0 * * 7", "2026-02-01T00:00", ["2026-02-08T00:00", "2026-02-15T00:00"]),
        ("0 0 * * MON-FRI", "2026-02-06T00:00", ["2026-02-09T00:00", "2026-02-10T00:00"]),
        ("0 0 L * *", "2028-01-31T00:00", ["2028-02-29T00:00", "2028-03-31T00:00"]),
        ("0 0 LW * *", "2026-01-31T00:00", ["2026-02-27T00:00", "2026-03-31T00:00"]),
        ("0 0 * * 5L", "2026-02-01T00:00", ["2026-02-27T00:00", "2026-03-27T00:00"]),
        ("0 0 * * MON#2", "2026-02-01T00:00", ["2026-02-09T00:00", "2026-03-09T00:00"]),
        ("0 0 29 2 *", "2026-01-01T00:00", ["2028-02-29T00:00", "2032-02-29T00:00"]),
        ("@hourly", "2026-01-01T00:30", ["2026-01-01T01:00", "2026-01-01T02:00"]),
        ("@daily", "2026-01-01T00:30", ["2026-01-02T00:00", "2026-01-03T00:00"]),
        ("@weekly", "2026-01-01T00:30", ["2026-01-04T00:00", "2026-01-11T00:00"]),
        ("@Monthly", "2026-01-01T00:30", ["2026-02-01T00:00", "2026-03-01T00:00"]),
        ("@yearly", "2026-01-01T00:30", ["2027-01-01T00:00", "2028-01-01T00:00"]),
    ],
)
def test_cron_rules_mean_what_cron_means(text, after, expected):
    assert next_local(text, "UTC", after, 2) == [f"{each}+00:00" for each in expected]


@pytest.mark.parametrize(
    "text, zone, after, expected",
    [
        # Clocks skip midnight.
        ("0 0 * * *", "Africa/Cairo", "2024-04-25T12:00", ["2024-04-26T01:00+03:00", "2024-04-27T00:00+03:00"]),
        ("0 0 * * *", "America/Santiago", "2024-09-07T12:00", ["2024-09-08T01:00-03:00", "2024-09-09T00:00-03:00"]),
        ("30 0 * * *", "Asia/Beirut", "2024-03-30T12:00", ["2024-03-31T01:00+03:00", "2024-04-01T00:30+03:00"]),
        ("0 */12 * * *", "Africa/Cairo", "2024-04-25T12:00", ["2024-04-26T01:00+03:00", "2024-04-26T12:00+03:00"]),
        # Several skipped times, and the first after the gap, are one.
        ("0,30 2 * * *", "Europe/Madrid", "2024-03-30T12:00", ["2024-03-31T03:00+02:00", "2024-04-01T02:00+02:00"]),
        ("0 2,3 * * *", "Europe/Madrid", "2024-03-30T12:00", ["2024-03-31T03:00+02:00", "2024-04-01T02:00+02:00"]),
        # Half an hour is skipped, and repeated.
        ("15 2 * * *", "Australia/Lord_Howe", "2024-10-05T12:00", ["2024-10-06T02:30+11:00", "2024-10-07T02:15+11:00"]),
        ("45 1 * * *", "Australia/Lord_Howe", "2024-04-06T12:00", ["2024-04-07T01:45+11:00", "2024-04-08T01:45+10:30"]),
        ("45 * * * *", "Australia/Lord_Howe", "2024-04-07T01:40", ["2024-04-07T01:45+11:00", "2024-04-07T01:45+10:30"]),
        # A fixed time that comes twice fires once, a wildcard hour each time.
        ("30 2 * * *", "Europe/Madrid", "2024-10-26T12:00", ["2024-10-27T02:30+02:00", "2024-10-28T02:30+01:00"]),
        ("*/30 2 * * *", "Europe/Madrid", "2024-10-27T02:10", ["2024-10-27T02:30+02:00", "2024-10-28T02:00+01:00"]),
        ("30 */2 * * *", "Europe/Madrid", "2024-10-27T01:00", ["2024-10-27T02:30+02:00", "2024-10-27T02:30+01:00"]),
        ("30 23 * * *", "Africa/Cairo", "2024-10-31T12:00", ["2024-10-31T23:30+03:00", "2024-11-01T23:30+02:00"]),
        # A whole day that never was.
        ("0 12 * * *", "Pacific/Apia", "2011-12-29T11:00", ["2011-12-29T12:00-10:00", "2011-12-31T00:00+14:00"]),
    ],
)
def test_a_change_of_clocks_neither_loses_nor_doubles_a_tick(text, zone, after, expected):
    assert next_local(text, zone, after, 2) == expected


def test_the_second_pass_through_an_hour_goes_on_where_it_is():
    zone = ZoneInfo("Europe/Madrid")
    second_pass = clock.from_datetime(datetime(2024, 10, 27, 2, 10, tzinfo=zone, fold=1))
    rule = parse("cron", "*/30 * * * *", zone.key)
    assert local(next_after(rule, second_pass), zone.key) == "2024-10-27T02:30+01:00"


CHANGING_ZONES = (
    "Africa/Cairo", "America/Santiago", "Asia/Beirut", "Australia/Lord_Howe", "America/New_York", "Africa/Casablanca",
    "Pacific/Chatham", "Antarctica/Troll", "America/Havana", "America/St_Johns", "Asia/Jerusalem", "Europe/London",
)  # fmt: skip
ORACLE_RULES = (
    "0 0 * * *", "30 0 * * *", "15 2 * * *", "*/20 2 * * *", "45 1,23 * * *", "30 * * * *", "0 */2 * * *",
    "10-50/20 */3 * * *", "0 3 * * SUN", "0 2 L * *", "5 0 1,15 * 0", "@daily", "@hourly", "59 23 31 * *",
)  # fmt: skip


def offset(instant: int, zone: str) -> timedelta:
    return clock.to_datetime(instant).astimezone(ZoneInfo(zone)).utcoffset()


def days_of_change(zone: str, start: int, days: int) -> list[int]:
    """Instants at most a day before the clocks of ``zone`` change."""
    found = range(start, start + days * DAY, DAY)
    return [one for one, two in pairwise(found) if offset(one, zone) != offset(two, zone)]


@pytest.mark.parametrize("zone", CHANGING_ZONES)
def test_the_days_around_each_change_of_clocks_equal_the_oracle(zone):
    changes = days_of_change(zone, at("2024-01-01T00:00"), 731)
    assert len(changes) >= 4
    for day in changes:
        assert_equals_oracle(zone, day - DAY, day + 2 * DAY)


def test_a_spring_equals_the_oracle():
    assert_equals_oracle("Europe/Madrid", at("2024-02-20T00:00"), at("2024-05-10T00:00"))


def assert_equals_oracle(zone: str, start: int, end: int) -> None:
    for text in ORACLE_RULES:
        found = between(parse("cron", text, zone), start, end, 20_000)
        assert found == expected_times(text, zone, start, end), text


fields = st.tuples(
    st.sampled_from(["*", "*/7", "0", "30", "15,45", "59", "10-20/5"]),
    st.sampled_from(["*", "*/2", "*/5", "0", "1", "2", "23", "1-3", "0,2"]),
    st.sampled_from(["*", "L", "1", "26-31", "*/9"]),
    st.sampled_from(["*", "4", "MAR,OCT", "*/3"]),
    st.sampled_from(["*", "0", "7", "MON-FRI", "5L", "SUN#1"]),
).map(" ".join)
instants = st.integers(at("2010-01-01"), at("2035-01-01"))


@st.composite
def zones_and_instants_near_a_change_of_clocks(draw):
    zone, start = draw(st.sampled_from(zones())), draw(instants)
    changes = days_of_change(zone, start, 366) or [start]
    return zone, draw(st.sampled_from(changes)) - draw(st.integers(0, DAY))


@settings(deadline=None, max_examples=60)
@given(fields, zones_and_instants_near_a_change_of_clocks())
def test_any_rule_equals_the_oracle_in_any_zone(text, zone_and_start):
    zone, start = zone_and_start
    end = start + 3 * DAY
    assert between(parse("cron", text, zone), start, end, 100_000) == expected_times(text, zone, start, end)


@settings(deadline=None)
@given(fields, st.sampled_from(zones()), instants, st.integers(1, 30))
def test_times_go_forward_wherever_one_begins(text, zone, start, n):
    rule = parse("cron", text, zone)
    found = upcoming(rule, start, n)
    assert found[0] > start
    assert all(one < two for one, two in pairwise(found))
    assert [next_after(rule, each - 1) for each in found] == found


def test_an_interval_counts_from_its_anchor():
    rule = parse("interval", "90", anchor=at("2026-01-01T00:00:10"))
    assert upcoming(rule, at("2026-01-01T00:03"), 2) == [at("2026-01-01T00:03:10"), at("2026-01-01T00:04:40")]
    assert next_after(rule, at("2020-01-01")) == at("2026-01-01T00:00:10")


def test_an_interval_takes_no_notice_of_clock_changes():
    rule = parse("interval", "1 d", "Europe/Madrid", anchor=at("2024-03-30T12:00", "Europe/Madrid"))
    assert local(next_after(rule, rule.anchor), "Europe/Madrid") == "2024-03-31T13:00+02:00"


@settings(deadline=None)
@given(st.integers(1, 10_000), st.integers(0, 400 * DAY), st.integers(1, 50))
def test_the_latest_are_the_last_of_all_between(seconds, span, n):
    rule = Rule("interval", str(seconds), anchor=at("2026-01-01T00:00:03"))
    start = rule.anchor
    expected = range(start, start + span + 1, seconds * clock.SECOND)[1:]
    assert latest(rule, start, start + span, n) == list(expected[-n:])


def test_the_latest_of_a_rare_rule_are_found_after_years():
    rule = parse("cron", "0 0 29 2 *")
    assert latest(rule, at("2001-01-01"), at("2026-01-01"), 2) == [at("2020-02-29"), at("2024-02-29")]


@pytest.mark.parametrize(
    "text, says",
    [
        ("61 * * * *", ["minute “61”", "0 to 59"]),
        ("0 24 * * *", ["hour “24”", "0 to 23"]),
        ("0 0 0 * *", ["day of month “0”", "1 to 31"]),
        ("0 0 * 13 *", ["month “13”", "1 to 12"]),
        ("0 0 * * 8", ["day of week “8”", "0 to 7"]),
        ("0 0 * * MOON", ["day of week “MOON”", "SUN to SAT"]),
        ("0,77 0 * * *", ["minute “77”", "0 to 59"]),
        ("*/0 * * * *", ["minute “*/0”"]),
        ("0 5-1 * * *", ["hour “5-1”"]),
        ("0 0 * *", ["five fields", "has 4"]),
        ("0 0 0 * * *", ["five fields", "has 6"]),
        ("", ["five fields", "has 0"]),
        ("@reboot", ["@reboot", "@daily"]),
        ("0 0 31 2 *", ["never comes"]),
        ("9" * 150 + " * * * *", ["minute", "0 to 59"]),
        ("* " * 300, ["200 characters"]),
    ],
)
def test_a_wrong_cron_rule_is_told_what_would_be_right(text, says):
    with pytest.raises(RuleError) as caught:
        parse("cron", text)
    assert caught.value.field == "rule"
    assert all(part in str(caught.value) for part in says), str(caught.value)


@pytest.mark.parametrize("text", ["0", "-5", "0.5", "soon", "", "5 weeks", "367 d", "9999999999", "١٢"])
def test_a_wrong_interval_is_told_what_would_be_right(text):
    with pytest.raises(RuleError, match="interval") as caught:
        parse("interval", text)
    assert caught.value.field == "rule"


def test_an_unknown_zone_is_told_the_nearest():
    with pytest.raises(RuleError, match="did you mean Europe/Madrid") as caught:
        parse("cron", "@daily", "europe/madird")
    assert caught.value.field == "timezone"


@pytest.mark.parametrize("name", ["", "Mars/Olympus", "../../etc/passwd", "/etc/localtime", "Europe", "a" * 1000])
def test_what_is_no_zone_is_refused(name):
    with pytest.raises(RuleError, match="is not a time zone"):
        parse("cron", "@daily", name)


def test_an_unknown_kind_is_refused():
    with pytest.raises(RuleError, match="cron, interval or once"):
        parse("solar", "@daily")


@settings(deadline=None)
@given(st.text(alphabet="0123456789*/-,L#@W MONSUNJA²١", max_size=30))
def test_whatever_is_typed_is_a_rule_that_fires_or_an_error_with_words(text):
    try:
        rule = parse("cron", text)
    except RuleError as error:
        assert str(error)
    else:
        assert next_after(rule, at("2026-01-01")) > at("2026-01-01")
        assert in_words(rule)


def test_rules_are_read_aloud():
    assert in_words(parse("cron", "30 9 * * MON-FRI")) == "At 09:30 on Monday through Friday"
    assert in_words(parse("cron", "@daily")) == "At 00:00 every day"
    assert in_words(parse("interval", "90")) == "Every 1 min 30 s"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("*/2 * * * *", "Every 2 minutes"),
        ("*/7 * * * *", "Every 7 minutes of every hour"),
        ("*/10 9-17 * * MON-FRI", "Every 10 minutes from 09:00 through 17:59 on Monday through Friday"),
        ("1-59/2 * * * *", "Every 2 minutes from minute 1 through 59 of every hour"),
        ("*/2 */2 * * *", "Every 2 minutes of every second hour"),
        ("@hourly", "Every hour"),
        ("0 */6 * * *", "Every 6 hours"),
        ("0 */5 * * *", "Every 5 hours from 00:00"),
        ("30 */4 * JAN *", "Every 4 hours from 00:30 in January"),
        ("30 8-18/2 * * *", "Every 2 hours from 08:30 through 18:30"),
        ("0 3 */2 * *", "At 03:00 on every second day of the month"),
    ],
)
def test_steps_are_read_as_people_say_them(text, words):
    assert in_words(parse("cron", text)) == words


@pytest.mark.parametrize(
    "text, words",
    [
        ("@daily", "每天 00:00"),
        ("30 9 * * MON-FRI", "每周一到周五 09:30"),
        ("0 9,17 1,15 * *", "每月 1 日、15 日 09:00、17:00"),
        ("0 3 1 1 *", "每年 1 月 1 日 03:00"),
        ("0 3 1 */3 *", "每年 1 月、4 月、7 月、10 月的 1 日 03:00"),
        ("0 3 * 6-8 *", "每年 6 月到 8 月的每天 03:00"),
        ("0 3 L * *", "每月最后一天 03:00"),
        ("0 3 LW * *", "每月最后一个工作日 03:00"),
        ("0 3 * * 5L", "每月最后一个周五 03:00"),
        ("0 3 * 1 1#2", "每年 1 月的第 2 个周一 03:00"),
        ("0 3 * * 6,7", "每周六、周日 03:00"),
        ("0 3 1 * MON", "每月 1 日或每周一 03:00"),
        ("0 3 */2 * MON", "每月从 1 日起每 2 天（须为周一）03:00"),
        ("0 3 1-31 * MON", "每天 03:00"),
        ("* * * * *", "每分钟"),
        ("*/5 * * * *", "每 5 分钟"),
        ("*/7 * * * *", "每小时从 0 分起每 7 分钟"),
        ("10-20 * * * *", "每小时 10 分到 20 分的每分钟"),
        ("@hourly", "每小时的整点"),
        ("5,20 * * * *", "每小时的 5 分、20 分"),
        ("0 9-17 * * *", "每天 9 点到 17 点的整点"),
        ("30 */2 * * *", "每天，从 0 点起每 2 小时的 30 分"),
        ("*/15 9-17 * * 1-5", "每周一到周五 09:00 到 17:59，每 15 分钟"),
        ("*/5 8,12 * * *", "每天 8 点、12 点起的一小时内，每 5 分钟"),
    ],
)
def test_rules_are_read_aloud_in_chinese_words(text, words):
    assert in_words(parse("cron", text), "zh_Hans") == words


def test_intervals_are_read_aloud_in_chinese_words():
    assert in_words(parse("interval", "90"), "zh_Hans") == "每 1 分钟 30 秒"
    assert in_words(parse("interval", "1 d"), "zh_Hans") == "每 1 天"


@settings(deadline=None)
@given(fields)
def test_any_rule_has_chinese_words(text):
    words = in_words(parse("cron", text), "zh_Hans")
    assert words and not re.search("[A-Za-z*,]", words)


@pytest.mark.parametrize(
    "seconds, words", [(0, "0 s"), (45, "45 s"), (31_200, "8 h 40 min"), (86_401, "1 d 1 s"), (90_061, "1 d 1 h")]
)
def test_durations_are_spelt_in_two_units(seconds, words):
    assert spell(seconds) == words


def test_every_zone_of_this_machine_has_a_next_midnight():
    now = at("2026-03-01")
    for zone in zones():
        assert now < next_after(parse("cron", "@daily", zone), now) <= now + timedelta(days=1) // timedelta(
            microseconds=1
        ), zone


def test_times_are_whole_instants_in_utc():
    assert clock.to_datetime(next_after(parse("cron", "@daily"), at("2026-01-01"))) == datetime(2026, 1, 2, tzinfo=UTC)
