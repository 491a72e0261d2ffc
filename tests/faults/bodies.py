"""Job bodies that misbehave: they hold the GIL, hang in C, kill their process, return what no ledger can hold."""

import time
from collections.abc import Iterator
from importlib.util import find_spec

from tests.faults.field import Field
from tests.faults.history import History
from tests.faults.scenario import Fault

NOT_ISOLATED = "jobs cannot ask for a process of their own (actor option isolation) in this version"


def can_isolate() -> bool:
    return find_spec("workers.isolation") is not None


def know_isolated_jobs(field: Field) -> None:
    if can_isolate():
        field.environment["JOBS"] = "tests.faults.jobs,tests.faults.isolated"


class HoldsTheGil(Fault):
    number = 17
    title = "a job that holds the GIL for 3 min"

    def inject(self, field: Field) -> None:
        field.post("hold_gil", "greedy", seconds=field.seconds(180))
        field.wait_for_event("start", "greedy")
        self.pids = field.children()
        field.wait_for_event("end", "greedy", timeout=field.seconds(180) + 60)

    def check(self, field: Field, history: History) -> Iterator[str]:
        if (count := field.starts("greedy")) != 1:
            yield f"it started {count} times"
        if set(self.pids) - set(field.children()):
            yield "a worker was given up"
        for row in history.given_up:
            yield f"an attempt was {row.outcome}"


class HangsInC(Fault):
    number = 18
    title = "C code that hangs past its time limit (process isolation)"
    limit = 3.0

    def cannot(self, on: str) -> str:
        return "" if can_isolate() else NOT_ISOLATED

    def prepare(self, field: Field) -> None:
        know_isolated_jobs(field)
        super().prepare(field)

    def inject(self, field: Field) -> None:
        self.pids = field.children()
        field.post("hang_in_c", "deaf")
        (start,) = field.wait_for_event("start", "deaf")
        field.wait(lambda: field.run_of("deaf").state == "failed", self.limit + 30, "it is failed")
        # From the body's start: the limit is for the body, and a process of its own may have to start before it.
        self.took = (time.monotonic_ns() - start.at) / 1e9

    def check(self, field: Field, history: History) -> Iterator[str]:
        row = field.run_of("deaf")
        if self.took > self.limit + 5:
            yield f"it was killed after {self.took:.1f} s"
        if "TimeLimit" not in (row.error_type or ""):
            yield f"its error is {row.error_type}: {row.error}"
        if set(self.pids) - set(field.children()):
            yield "the worker process that led it has ended"


class Poison(Fault):
    """Without isolation a crash takes the whole child along, and with it each time whatever ran beside."""

    number = 19
    title = "poison: abort, segmentation fault, memory over its limit"

    @property
    def kinds(self) -> tuple[str, ...]:
        return ("abort", "segfault", "memory") if can_isolate() else ("abort", "segfault")

    def prepare(self, field: Field) -> None:
        know_isolated_jobs(field)
        super().prepare(field)

    def inject(self, field: Field) -> None:
        for kind in self.kinds:
            job = "poison_isolated" if can_isolate() else "poison"
            field.post(job, kind, kind=kind)
            field.wait(lambda kind=kind: field.run_of(kind).state not in ("queued", "running"), 60, f"{kind} has ended")

    def check(self, field: Field, history: History) -> Iterator[str]:
        for kind in self.kinds:
            row = field.run_of(kind)
            told = row.error_type == "MemoryLimitExceeded"  # the kernel said no, and Python could still say so
            if not told and (row.state != "dead" or field.starts(kind) != history.crash_limit):
                yield f"{kind} is {row.state} after {field.starts(kind)} starts"
        for row in history.runs:
            if row.job in ("mark", "flaky") and row.state != "succeeded":
                yield f"a neighbour is {row.state} after {row.crashes} crashes"


class AtTheLimit(Fault):
    number = 20
    title = "time limit = duration ± 20 ms, 500 jobs"
    limit = 0.3
    loaded = False

    def inject(self, field: Field) -> None:
        count = 50 if field.short else 500
        for number in range(count):
            # A deadline is looked at ten times a second: the whole span from the limit to then is critical.
            field.post("limited", f"limited-{number}", seconds=self.limit + field.chance.uniform(-0.02, 0.12))
        field.settle()

    def check(self, field: Field, history: History) -> Iterator[str]:
        states = {row.state for row in history.runs if row.job == "limited"}
        if states != {"succeeded", "failed"}:
            yield f"runs at their limit are {states}: the span that is critical was not met"
        for row in history.runs:
            if row.state == "failed" and row.error_type != "TimeLimitExceeded":
                yield f"a run failed with {row.error_type}"
        for supervisor in field.supervisors:
            if "Traceback" in supervisor.log_text() and "TimeLimitExceeded" not in supervisor.log_text():
                yield "a traceback is in the workers' log"


ODD = {
    "nul": "succeeded", "nan": "succeeded", "surrogate": "succeeded", "cycle": "succeeded", "object": "succeeded",
    "deep": "succeeded", "huge": "succeeded", "nul_error": "failed", "surrogate_error": "failed",
    "huge_error": "failed", "exit": "failed", "unprintable": "failed",
}  # fmt: skip


class OddResults(Fault):
    number = 29
    title = "results with NUL, NaN, surrogates, 50 MB, cycles, no JSON"

    def inject(self, field: Field) -> None:
        for kind in ODD:
            field.post("odd", kind, kind=kind)
        for kind in ODD:
            field.wait(lambda kind=kind: field.run_of(kind).state not in ("queued", "running"), 60, f"{kind} has ended")

    def check(self, field: Field, history: History) -> Iterator[str]:
        for kind, state in ODD.items():
            row = field.run_of(kind)
            if row.state != state:
                yield f"{kind} is {row.state} ({row.error_type}: {row.error})"
            if row.state == "failed" and not (row.error_type and row.error):
                yield f"{kind} failed without a clear error: {row.error_type!r}, {row.error!r}"
        for row in history.runs:
            if row.job in ("mark", "flaky") and row.state != "succeeded":
                yield f"another run is {row.state}: {row.error}"
