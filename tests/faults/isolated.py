"""Jobs that ask for a process of their own; imported only where that can be had."""

import ctypes
import os

import dramatiq

from tests.faults import witness
from workers import context

MOST_MEMORY = 200 * 1024 * 1024


@dramatiq.actor(max_retries=0, time_limit=3_000, isolation="process")
def hang_in_c(key: str):
    """Sleeps in C, deaf to everything, the interpreter in its hand."""
    witness.note("start", key, context.run_id(), context.attempt(), "unasked")
    ctypes.PyDLL(None).sleep(600)


@dramatiq.actor(max_retries=0, isolation="process", memory_limit=MOST_MEMORY)
def poison_isolated(key: str, kind: str):
    """Kills its process, every time; or asks for more memory than it may have."""
    witness.note("start", key, context.run_id(), context.attempt(), "unasked")
    if kind == "abort":
        os.abort()
    if kind == "segfault":
        ctypes.string_at(0)
    return len(bytearray(4 * MOST_MEMORY))
