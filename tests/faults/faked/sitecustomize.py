"""Imported by every Python that runs under libfaketime 0.9.10, which breaks ``time.sleep``.

It takes the absolute monotonic time that CPython 3.11 hands to ``clock_nanosleep`` for a faked one, and answers
EINVAL. A sleep in ``select`` asks for no clock at all.
"""

import select
import time


def sleep(seconds: float) -> None:
    if seconds < 0:
        raise ValueError("sleep length must be non-negative")
    select.select([], [], [], seconds)


time.sleep = sleep
