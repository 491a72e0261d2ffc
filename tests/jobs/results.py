"""Jobs whose results cannot be kept as they are."""

import math

import dramatiq


class Unspeakable:
    def __repr__(self):
        raise RuntimeError("no words")


def cycle() -> list:
    made: list = []
    made.append(made)
    return made


def deep() -> list:
    made: list = []
    for _ in range(100_000):
        made = [made]
    return made


RESULTS = {
    "nan": lambda: {"loss": math.nan, "best": -math.inf},
    "nul": lambda: "a\x00b",
    "surrogate": lambda: "a\ud800b",
    "cycle": cycle,
    "deep": deep,
    "set": lambda: {1},
    "unspeakable": Unspeakable,
    "digits": lambda: 10**5_000,
    "large": lambda: "x" * 50_000_000,
    "good": lambda: "good",
}


@dramatiq.actor(max_retries=3, min_backoff=10)
def give(kind: str):
    return RESULTS[kind]()


@dramatiq.actor(max_retries=3, min_backoff=10)
def take(given):
    return given


@dramatiq.actor(max_retries=3, min_backoff=10, on_success="take_news")
def give_and_tell(kind: str):
    return RESULTS[kind]()


@dramatiq.actor
def take_news(message_data, result):
    return result
