"""Radioactive decay: between two moments, and within a frame while it is measured. All times in seconds."""

from math import exp, expm1, log


def left(seconds: float, half_life: float) -> float:
    """The share that is left after ``seconds``; more than 1 before time 0."""
    return 2.0 ** (-seconds / half_life)


def over_frame(duration: float, half_life: float) -> float:
    """Activity at the beginning of a frame over its mean during the frame."""
    decayed = log(2) / half_life * duration
    return decayed / -expm1(-decayed) if decayed else 1.0


def mean_moment(duration: float, half_life: float) -> float:
    """When, after the beginning of a frame, the activity is its mean during the frame."""
    return log(over_frame(duration, half_life)) / (log(2) / half_life)


def before(seconds: float, half_life: float) -> float:
    """How many times as much there was ``seconds`` ago."""
    return exp(log(2) / half_life * seconds)
