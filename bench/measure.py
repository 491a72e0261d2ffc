"""Measures one system: ``python -m bench.measure NAME`` prints the numbers as one line of JSON.

A process of its own for each system, so that no global broker, cached setting or open connection of one is
there when the next is measured.
"""

import json
import sys
import time
from statistics import quantiles

from bench import witness
from bench.peers import celery_equal, dramatiq_plain, waybill
from bench.system import System
from tests.servers import Process

#: By name, in the order of the table.
SYSTEMS: dict[str, type[System]] = {
    system.name: system
    for system in (
        dramatiq_plain.PlainDramatiq,
        celery_equal.CelerySqlite,
        celery_equal.CeleryPostgresql,
        waybill.EmbeddedSqlite,
        waybill.RabbitmqSqlite,
        waybill.RabbitmqPostgresql,
    )
}

BULK = 10_000
PER_SECOND = 100
PACED_SECONDS = 10
WARM_UP = 100  # paced sends that are not counted: connections open, pools fill
DRAIN_LIMIT = 120
START_LIMIT = 60


def main(name: str) -> None:
    with SYSTEMS[name]() as system:
        print(json.dumps(measure(system)))


def measure(system: System) -> dict:
    sent_per_second = rate_of_sending(system)
    system.fill(range(system.sends, system.jobs))
    workers = system.start_workers()
    drained_per_second = rate_of_draining(system, workers)
    latencies = paced_latencies(system, workers)
    workers.close()
    percentiles = quantiles(latencies, n=100)
    return {
        "jobs": system.jobs,
        "send": sent_per_second,
        "bulk": rate_of_bulk(system),
        "drain": drained_per_second,
        "p50": percentiles[49],
        "p99": percentiles[98],
    }


def rate_of_sending(system: System) -> float:
    """Sends per second, one after the other, by one thread, into a queue that nobody serves."""
    system.send(0)  # the first one opens the connection
    began = time.perf_counter()
    for number in range(1, system.sends):
        system.send(number)
    return (system.sends - 1) / (time.perf_counter() - began)


def rate_of_draining(system: System, workers: Process) -> float:
    """Starts per second from the first start of a body to the last: booting workers is not counted."""
    await_starts(system, workers, 1, START_LIMIT)
    await_starts(system, workers, system.jobs, DRAIN_LIMIT)
    starts = witness.starts(system.witness)
    times = sorted(starts[number] for number in range(system.jobs))
    return (len(times) - 1) / (times[-1] - times[0]) * 1e9


def paced_latencies(system: System, workers: Process) -> list[float]:
    """Milliseconds from just before a send to the start of its body, at a steady pace to idle workers."""
    numbers = range(system.jobs, system.jobs + WARM_UP + PER_SECOND * PACED_SECONDS)
    sent = {}
    began = time.monotonic()
    for step, number in enumerate(numbers):
        time.sleep(max(0.0, began + step / PER_SECOND - time.monotonic()))
        sent[number] = time.monotonic_ns()
        system.send(number)
    await_starts(system, workers, numbers.stop, DRAIN_LIMIT)
    starts = witness.starts(system.witness)
    return [(starts[number] - sent[number]) / 1e6 for number in numbers[WARM_UP:]]


def await_starts(system: System, workers: Process, count: int, limit: float) -> None:
    workers.wait_until(lambda: witness.count(system.witness) >= count, limit, f"{count} starts")


def rate_of_bulk(system: System) -> float | None:
    """Jobs per second that one call accepts, where there is such a call. Last, for nobody serves them."""
    if not system.can_send_many:
        return None
    began = time.perf_counter()
    system.send_many(range(BULK))
    return BULK / (time.perf_counter() - began)


if __name__ == "__main__":
    main(sys.argv[1])
