"""Clocks of all the world that change twice a year. Pure: no process, no server, only rules against the oracle."""

import random
from collections.abc import Iterator
from functools import cache
from zoneinfo import ZoneInfo

from ledger import clock
from ledger.recurrence import between, parse, zones
from tests.cron_oracle import expected_times
from tests.faults.scenario import NOWHERE, Fault
from tests.test_recurrence import DAY, ORACLE_RULES, at, days_of_change

RULES = (
    *ORACLE_RULES, "*/15 * * * *", "0 1 * * *", "0 2 * * *", "30 2 * * *", "0 3 * * *", "59 1 * * *", "0 0 * * 1-5",
    "*/7 1-3 * * *", "0 */3 * * *", "0 0 1 * *", "0 12 * * 7", "30 1 * * 0", "1 0 * * *", "0 23 * * *",
    "0,30 0-4 * * *", "45 */2 * * MON",
)  # fmt: skip
DAYS = 731


class DaylightSaving(Fault):
    number = 34
    title = f"DST: all IANA zones, two years, {len(RULES)} specs (no process)"
    on = (NOWHERE,)

    def alone(self, chance: random.Random, short: bool) -> Iterator[str]:
        """Zones whose clocks agree all the time are one; each is looked at around every change of its clocks."""
        start = at("2024-01-01T00:00")
        alike = {_offsets(zone, start): zone for zone in zones()}
        chosen = sorted(alike.values())
        for zone in chance.sample(chosen, 12) if short else chosen:
            for day in days_of_change(zone, start, DAYS) or [start]:
                yield from _differences(zone, day - DAY, day + 2 * DAY)


@cache
def _offsets(zone: str, start: int) -> tuple:
    hours = range(start, start + DAYS * DAY, DAY // 4)
    return tuple(clock.to_datetime(each).astimezone(ZoneInfo(zone)).utcoffset() for each in hours)


def _differences(zone: str, start: int, end: int) -> Iterator[str]:
    for text in RULES:
        if between(parse("cron", text, zone), start, end, 20_000) != expected_times(text, zone, start, end):
            yield f"{text} in {zone} from {clock.to_datetime(start)} on differs from the oracle"
