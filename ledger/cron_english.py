"""What cronsim says of a cron rule, as people say it: "every 2 minutes" and not "every second minute". Pure."""

import re
from collections.abc import Callable

from cronsim import CronSim

ORDINALS = ("second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth")
_NTH = rf"({'|'.join(ORDINALS)}|\d+th)"


def in_words(rule: CronSim) -> str:
    said = rule.explain()
    for pattern, say in SAID:
        said = pattern.sub(say, said)
    return said


def _minutes(found: re.Match) -> str:
    """``Every 7 minutes of every hour`` where the last step of an hour is a shorter one."""
    step, hours = _number(found[1]), found[2] or ""
    return f"Every {step} minutes{'' if hours == ' of every hour' and 60 % step == 0 else hours}"


def _hours(found: re.Match) -> str:
    minute, step, first, last = int(found[1]), _number(found[2]), found[3], found[4]
    if first:
        return f"Every {step} hours from {int(first):02}:{minute:02} through {int(last):02}:{minute:02}"
    begins = minute or 24 % step
    return f"Every {step} hours" + (f" from 00:{minute:02}" if begins else "")


def _number(ordinal: str) -> int:
    return ORDINALS.index(ordinal) + 2 if ordinal in ORDINALS else int(ordinal.removesuffix("th"))


SAID: tuple[tuple[re.Pattern, str | Callable[[re.Match], str]], ...] = (
    (re.compile(rf"^Every {_NTH} minute( of every hour)?"), _minutes),
    (re.compile(r"(?<=minutes) past every"), " of every"),
    (re.compile(r"(?<=minutes) from (?=\d+ through \d+ of every hour)"), " from minute "),
    (re.compile(rf"^At minute (\d+) past every {_NTH} hour(?: from (\d+) through (\d+))?(?= on | in |$)"), _hours),
    (re.compile(r"^At the start of every hour"), "Every hour"),
    (re.compile(r"\bday of (month|week)\b"), r"day of the \1"),
)
