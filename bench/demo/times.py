"""When things happened in the made-up week: busy by day, quiet by night, always busy just now. Pure."""

import random
from collections.abc import Iterator

from ledger import clock

SECOND, MINUTE, HOUR = clock.SECOND, 60 * clock.SECOND, 3_600 * clock.SECOND
DAY = 24 * HOUR
HOURS = 7 * 24
#: How busy each hour of a day is, from midnight (UTC) on.
BUSY = (2, 2, 1, 1, 1, 2, 4, 7, 10, 12, 12, 11, 9, 10, 12, 12, 11, 10, 9, 8, 6, 5, 4, 3)


def moments(rng: random.Random, now: int, number: int) -> Iterator[int]:
    """``number`` instants of the week before ``now``, ascending."""
    weights = [_weight(now, hour) for hour in range(HOURS)]
    done, share, total = 0, 0, sum(weights)
    for hour, weight in enumerate(weights):
        share += weight
        upto = number * share // total
        start = now - (HOURS - hour) * HOUR
        yield from sorted(start + int(rng.random() * HOUR) for _ in range(upto - done))
        done = upto


def _weight(now: int, hour: int) -> int:
    just_now = hour >= HOURS - 2
    return 12 if just_now else BUSY[(now // HOUR - HOURS + hour) % 24]


def id_at(rng: random.Random, at: int) -> str:
    """A UUIDv7 as one that was made at ``at``."""
    low = rng.getrandbits(74)
    number = (at // clock.MILLISECOND) << 80 | 0x7 << 76 | (low >> 62) << 64 | 0b10 << 62 | low & (1 << 62) - 1
    text = f"{number:032x}"
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"
