"""Events of Celery tasks: ``fill FILE COUNT`` writes them as Flower keeps them, ``arrive RATE SECONDS`` sends them."""

import os
import shelve
import sys
import time
from collections.abc import Iterator
from typing import Any

import celery

from bench.pages.arrivals import paced

app = celery.Celery("shop", broker=os.environ.get("BENCH_BROKER", "memory://"))
WORKER = "celery@shop-1"
ADDED = {"type", "hostname", "timestamp", "local_received", "clock", "utcoffset", "pid"}  # by the dispatcher itself
WEEK = 7 * 24 * 3_600


def fill(path: str, count: int) -> None:
    from flower import options  # noqa: F401 - declares what the next one reads
    from flower.events import EventsState

    state = EventsState(max_tasks_in_memory=count + 100_000)
    began = time.time() - WEEK
    state.event(_event("worker-online", began, {"freq": 2, "sw_ident": "py-celery"}))
    for number in range(count):
        for event in events_of(number, began + WEEK * number / count):
            state.event(event)
    with shelve.open(path, flag="n") as file:
        file["events"] = state
        file["counter"] = dict(state.counter)


def events_of(number: int, at: float) -> Iterator[dict[str, Any]]:
    """Received, started, done - or failed, one in a hundred."""
    task = {"uuid": f"task-{number:08}"}
    told = {"name": "imaging.segment", "args": "()", "kwargs": f"{{'subject': {number % 120}, 'scan': 'PET'}}"}
    yield _event("task-received", at, task | told | {"retries": 0, "eta": None, "expires": None})
    yield _event("task-started", at + 0.01, task)
    if number % 100:
        yield _event("task-succeeded", at + 0.2, task | {"result": "{'contours': 3}", "runtime": 0.19})
    else:
        failed = {"exception": "ValueError('no contour')", "traceback": "Traceback (most recent call last): …"}
        yield _event("task-failed", at + 0.2, task | failed)


def _event(kind: str, at: float, fields: dict[str, Any]) -> dict[str, Any]:
    return {"type": kind, "hostname": WORKER, "timestamp": at, "local_received": at, "clock": 1, "utcoffset": 0,
            "pid": 1} | fields  # fmt: skip


def arrive(rate: int, seconds: int) -> None:
    """Three events a task, as one worker sends them."""
    with app.events.default_dispatcher(hostname=WORKER) as dispatcher:

        def send(number: int) -> None:
            for event in events_of(10**7 + number, time.time()):
                dispatcher.send(event["type"], **{name: event[name] for name in event.keys() - ADDED})

        paced(rate, seconds, send)


if __name__ == "__main__":
    command, first, second = sys.argv[1:]
    fill(first, int(second)) if command == "fill" else arrive(int(first), int(second))
