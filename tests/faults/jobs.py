"""The jobs that faults are done to: plain Dramatiq actors that leave a trace in the witness."""

import ctypes
import os
import time

import dramatiq

from tests.faults import witness
from tests.faults.work import work
from workers import context


@dramatiq.actor(max_retries=0)
def mark(key: str, seconds: float = 0.0):
    """Has one attempt: it may start again only after a crash."""
    return work(key, context.run_id(), context.attempt(), seconds)


@dramatiq.actor(max_retries=3, min_backoff=100, max_backoff=400)
def flaky(key: str, failures: int = 1, seconds: float = 0.0):
    """Fails so often before it succeeds."""
    done = work(key, context.run_id(), context.attempt(), seconds)
    if failed_before(key) <= failures:
        raise ValueError("not yet")
    return done


def failed_before(key: str) -> int:
    """How many bodies of this key got to their end, this one included."""
    with open(witness.os.environ[witness.VARIABLE]) as lines:
        return sum(line.startswith(f"end {key} ") for line in lines)


@dramatiq.actor(max_retries=1, min_backoff=4_000, max_backoff=4_000)
def later(key: str):
    """Fails once, and is tried again after some seconds."""
    done = work(key, context.run_id(), context.attempt())
    if failed_before(key) <= 1:
        raise ValueError("later")
    return done


@dramatiq.actor(max_retries=0)
def wait_for(key: str, file: str):
    """Is at work until somebody makes the file."""
    witness.note("start", key, context.run_id(), context.attempt(), "unasked")
    while not os.path.exists(file):
        time.sleep(0.02)
    witness.note("end", key, context.run_id(), context.attempt())


@dramatiq.actor(max_retries=0, time_limit=600_000)
def hold_gil(key: str, seconds: float):
    """Sleeps in C without letting go of the interpreter: no other thread of the process gets a turn."""
    witness.note("start", key, context.run_id(), context.attempt(), "unasked")
    ctypes.PyDLL(None).usleep(int(seconds * 1e6))
    witness.note("end", key, context.run_id(), context.attempt())


@dramatiq.actor(max_retries=0, time_limit=300)
def limited(key: str, seconds: float):
    return work(key, context.run_id(), context.attempt(), seconds)


@dramatiq.actor(max_retries=0)
def poison(key: str, kind: str):
    """Kills its process, every time."""
    witness.note("start", key, context.run_id(), context.attempt(), "unasked")
    if kind == "abort":
        os.abort()
    ctypes.string_at(0)


@dramatiq.actor(max_retries=0)
def odd(key: str, kind: str):
    """Returns, or raises, what is hard to keep."""
    witness.note("start", key, context.run_id(), context.attempt(), "unasked")
    return ODD[kind]()


def fail(error: BaseException):
    raise error


def cycle() -> list:
    ring: list = []
    ring.append(ring)
    return ring


def deep() -> list:
    nested: list = []
    for _ in range(100_000):
        nested = [nested]
    return nested


class Unprintable(Exception):
    def __str__(self) -> str:
        raise RuntimeError("has no words")


ODD = {
    "nul": lambda: "a\x00b", "nan": lambda: [float("nan"), float("inf")], "surrogate": lambda: {"\ud800": "\udfff"},
    "cycle": cycle, "object": object, "deep": deep, "huge": lambda: "x" * 50_000_000,
    "nul_error": lambda: fail(ValueError("a\x00b")), "surrogate_error": lambda: fail(ValueError("\ud800")),
    "huge_error": lambda: fail(ValueError("x" * 50_000_000)), "exit": lambda: fail(SystemExit(3)),
    "unprintable": lambda: fail(Unprintable()),
}  # fmt: skip
