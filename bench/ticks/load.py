"""What is measured: so many schedules, and which of them fall due in the measured time. Pure.

The same for all systems, as each can say it. ``spread``: intervals, of which evenly many fall due in every second.
``minute``: cron rules, of which all fall due at the same second, at the full minute. No schedule falls due twice.
"""

import json
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Self

SECOND = 1_000_000
MOST_DUE = 2_000
SHAPES = ("spread", "minute")


@dataclass(frozen=True, slots=True)
class Load:
    """``starts`` is the first nominal time, in microseconds: nothing falls due before it."""

    shape: str
    schedules: int
    starts: int
    seconds: int

    @property
    def turns(self) -> int:
        """A schedule falls due every so many measured times."""
        return max(1, self.schedules // MOST_DUE)

    @property
    def interval(self) -> int:
        return self.seconds * self.turns

    @property
    def ends(self) -> int:
        return self.starts + self.seconds * SECOND

    def minutes(self, number: int) -> str:
        """The first field of its cron rule."""
        return f"{number % self.turns}-59/{self.turns}" if self.turns > 1 else "*"

    def first(self, number: int) -> int:
        """When a schedule falls due, for the first time."""
        if self.shape == "spread":
            return self.starts + number * self.interval * SECOND // self.schedules
        minute = self.starts // (60 * SECOND)
        return self.starts + (number - minute) % self.turns * 60 * SECOND

    def due(self) -> dict[int, int]:
        """By number, the schedules that fall due in the measured time, and when."""
        times = {number: self.first(number) for number in range(self.schedules)}
        return {number: at for number, at in times.items() if at < self.ends}

    def to_text(self) -> str:
        return json.dumps(asdict(self))

    @classmethod
    def from_text(cls, text: str) -> Self:
        return cls(**json.loads(text))


def beginning(shape: str, after: float) -> int:
    """A good first nominal time, at least ``after`` seconds since 1970."""
    size = 60 if shape == "minute" else 1
    return -int(-after // size) * size * SECOND


def moment(at: int) -> datetime:
    return datetime.fromtimestamp(at / SECOND, UTC)
