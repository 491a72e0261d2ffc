"""A cron rule in Chinese words, from what it means: the minutes, hours and days that cronsim read. Pure.

Chinese says the day before the time. Spaces between Chinese and digits are put in at the end.
"""

import re
from collections.abc import Callable
from itertools import pairwise

from cronsim import CronSim

MOST_TIMES = 4
SEVERAL = 3  # so many in a row are told as a range, or as a step
WEEK = "一二三四五六日"
LAST = {CronSim.LAST: "最后一天", CronSim.LAST_WEEKDAY: "最后一个工作日"}
_BORDER = re.compile(r"(?<=[\u4e00-\u9fff])(?=\d)|(?<=\d)(?=[\u4e00-\u9fff])")


def in_words(rule: CronSim) -> str:
    day, time = _days(rule), _time(rule)
    if not day and len(rule.hours) < 24:
        day = "每天"
    comma = "，" if day and not time[0].isdigit() else ""
    return _BORDER.sub(" ", day + comma + time)


def _days(rule: CronSim) -> str:
    """Empty for every day."""
    of_month, of_week = _days_of_month(rule), _days_of_week(rule)
    if of_month and of_week:
        return f"{of_month}（须为{_weekdays(rule)}）" if rule.day_and else f"{of_month}或{of_week}"
    if not rule.day_and:  # one of the two is every day, and either is enough
        of_month = of_week = ""
    return of_month or of_week or (f"{_months(rule)}的每天" if _months(rule) else "")


def _months(rule: CronSim) -> str:
    return "" if len(rule.months) == 12 else "每年" + _listed(sorted(rule.months), "{}月".format)


def _days_of_month(rule: CronSim) -> str:
    """``每月 1 日、15 日``; empty when it may be any."""
    numbers = sorted(rule.days - LAST.keys())
    if len(numbers) == 31:
        return ""
    days = [_stepped(numbers, 31, "日", "天")] if numbers else []
    days += [words for day, words in LAST.items() if day in rule.days]
    month = _months(rule) or "每月"
    return f"{month}{'的' if len(rule.months) not in (1, 12) else ''}{'、'.join(days)}"


def _days_of_week(rule: CronSim) -> str:
    """``每周一到周五``; empty when it may be any."""
    days = _weekdays(rule)
    if not days:
        return ""
    if months := _months(rule):
        return f"{months}的{days}"
    return f"每{days}" if days.startswith("周") else f"每月{days}"


def _weekdays(rule: CronSim) -> str:
    plain = sorted({(day - 1) % 7 for day in rule.weekdays if isinstance(day, int)})
    if len(plain) == 7:
        return ""
    days = [_listed(plain, lambda day: f"周{WEEK[day]}")] if plain else []
    nth = sorted((n, (day - 1) % 7) for day, n in (each for each in rule.weekdays if isinstance(each, tuple)))
    days += [f"{'最后一个' if n == CronSim.LAST else f'第{n}个'}周{WEEK[day]}" for n, day in nth]
    return "、".join(days)


def _time(rule: CronSim) -> str:
    minutes, hours = sorted(rule.minutes), sorted(rule.hours)
    if len(minutes) * len(hours) <= MOST_TIMES:
        return "、".join(f"{hour:02}:{minute:02}" for hour in hours for minute in minutes)
    if len(hours) == 24:
        return _in_every_hour(minutes)
    if _goes_on(minutes):
        return f"{_span(hours)}，{_minutes(minutes)}"
    return f"{_stepped(hours, 23, '点', '小时')}的{_minutes(minutes)}"


def _in_every_hour(minutes: list[int]) -> str:
    if _goes_on(minutes) and minutes[0] == 0 and minutes[-1] + _step(minutes) == 60:
        return _minutes(minutes)
    return f"每小时{'' if _goes_on(minutes) else '的'}{_minutes(minutes)}"


def _goes_on(minutes: list[int]) -> bool:
    """Whether they are told as something that goes on, rather than one by one."""
    return len(minutes) >= SEVERAL and _step(minutes) > 0


def _minutes(minutes: list[int]) -> str:
    if minutes == [0]:
        return "整点"
    if _goes_on(minutes) and _step(minutes) == 1:
        return "每分钟" if len(minutes) == 60 else f"{_listed(minutes, '{}分'.format)}的每分钟"
    told = _stepped(minutes, 59, "分", "分钟")
    return told.removeprefix("从0分起") if minutes[-1] + _step(minutes) == 60 else told


def _span(hours: list[int]) -> str:
    """The hours in which something goes on."""
    if len(hours) == 1 or _step(hours) == 1:
        return f"{hours[0]:02}:00到{hours[-1]:02}:59"
    return f"{_listed(hours, '{}点'.format)}起的一小时内"


def _stepped(numbers: list[int], highest: int, name: str, unit: str) -> str:
    """``从 0 点起每 2 小时``, when they are what a step like ``*/2`` makes of a field."""
    step = _step(numbers)
    if len(numbers) >= SEVERAL and step > 1 and numbers[-1] + step > highest:
        return f"从{numbers[0]}{name}起每{step}{unit}"
    return _listed(numbers, lambda number: f"{number}{name}")


def _listed(numbers: list[int], say: Callable[[int], str]) -> str:
    if len(numbers) >= SEVERAL and _step(numbers) == 1:
        return f"{say(numbers[0])}到{say(numbers[-1])}"
    return "、".join(map(say, numbers))


def _step(numbers: list[int]) -> int:
    """By how much each is more than the one before; 0 when that differs."""
    steps = {later - earlier for earlier, later in pairwise(numbers)}
    return steps.pop() if len(steps) == 1 else 0
