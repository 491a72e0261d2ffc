"""A fault as a scenario: what is prepared, broken and healed, what is checked beyond I1 - I9, and what came of it."""

import random
import time
import traceback
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar

from tests.faults import checker
from tests.faults.checker import Violation
from tests.faults.client import Load
from tests.faults.field import Field
from tests.faults.ground import Ground
from tests.faults.history import History

SQLITE, POSTGRESQL, NOWHERE = "sqlite", "postgresql", "nowhere"
ON = {SQLITE: "SQLite, embedded", POSTGRESQL: "PostgreSQL, RabbitMQ", NOWHERE: "-"}
LOAD_SECONDS = 120  # a client that is still posting so long after the healing is stopped


class Fault:
    """Subclasses say what fails. Everything that a fault may break runs in ``field``, and nothing else does."""

    number: ClassVar[int]
    title: ClassVar[str]
    on: ClassVar[tuple[str, ...]] = (SQLITE, POSTGRESQL)
    proxied: ClassVar[tuple[str, ...]] = ()
    disk: ClassVar[str] = ""  # size of the disk on which a SQLite ledger lies; empty: the machine's own
    workers: ClassVar[int] = 2
    per_second: ClassVar[float] = 50
    longest: ClassVar[float] = 0.05  # seconds that a job of the load may take
    loaded: ClassVar[bool] = True
    recovers: ClassVar[bool] = True  # latency is measured after the healing

    def cannot(self, on: str) -> str:
        """Why this fault cannot be made on this machine; empty if it can."""
        return ""

    def alone(self, chance: random.Random, short: bool) -> Iterator[str]:
        """For a fault that needs no process and is ``on`` NOWHERE: sentences about what is wrong."""
        yield from ()

    def prepare(self, field: Field) -> None:
        """Starts the processes; the fault may give one of them a weakness."""
        field.start_workers(self.workers)
        field.start_scheduler()
        field.start_web()
        field.wait_until_up(self.workers)

    def inject(self, field: Field) -> None:
        """Breaks something, while the load runs."""

    def heal(self, field: Field) -> None:
        """Mends it, as far as somebody has to."""

    def after(self, field: Field) -> None:
        """What is done when all is well again."""

    def check(self, field: Field, history: History) -> Iterator[str]:
        """Sentences about what is wrong beyond I1 - I9."""
        yield from ()


@dataclass
class Outcome:
    number: int
    title: str
    on: str
    seed: int
    runs: int = 0
    lost: int = 0
    doubled: int = 0
    heal_seconds: float | None = None
    seconds: float = 0.0
    violations: list[str] = field(default_factory=list)
    left_out: str = ""

    @property
    def verdict(self) -> str:
        return "left out" if self.left_out else "BROKEN" if self.violations else "kept"


def run(fault: Fault, ground: Ground, on: str, seed: int, runs: int, short: bool, logs: Path | None = None) -> Outcome:
    """Does the fault once. What the harness itself stumbles over counts as a violation too."""
    outcome = Outcome(fault.number, fault.title, on, seed)
    if because := fault.cannot(on):
        outcome.left_out = because
        return outcome
    began = time.monotonic()
    dice = f"{fault.number} {on} {seed}"
    if on == NOWHERE:
        outcome.violations += fault.alone(random.Random(dice), short)
        outcome.seconds = time.monotonic() - began
        return outcome
    try:
        with Field(ground, on, dice, runs, short, fault.proxied, fault.disk) as made:
            try:
                _do(fault, made, outcome)
            except Exception as error:
                outcome.violations.append(f"harness: {type(error).__name__}: {str(error)[:400]}")
                _keep(logs, outcome, traceback.format_exc() + made.processes.logs())
            else:
                if outcome.violations:
                    _keep(logs, outcome, "\n".join(outcome.violations) + "\n" + made.processes.logs())
    except Exception as error:
        outcome.violations.append(f"harness: {type(error).__name__}: {str(error)[:400]}")
        _keep(logs, outcome, traceback.format_exc())
    outcome.seconds = time.monotonic() - began
    return outcome


def _do(fault: Fault, made: Field, outcome: Outcome) -> None:
    fault.prepare(made)
    load = made.load(per_second=fault.per_second, seconds=fault.longest) if fault.loaded else None
    fault.inject(made)
    fault.heal(made)
    made.note_healed()
    _finish(load)
    if fault.recovers:
        made.measure_recovery()
    fault.after(made)
    made.settle()
    _judge(fault, made, outcome)


def _finish(load: Load | None) -> None:
    if load is not None:
        load.join(LOAD_SECONDS)
        load.stopping.set()


def _judge(fault: Fault, made: Field, outcome: Outcome) -> None:
    history = made.history()
    found = checker.check(history) + [Violation(f"fault {fault.number}", each) for each in fault.check(made, history)]
    outcome.violations += map(str, found)
    outcome.runs = len(history.runs)
    outcome.lost, outcome.doubled = checker.lost(history), checker.doubled(history)
    outcome.heal_seconds = history.heal_seconds


def _keep(logs: Path | None, outcome: Outcome, text: str) -> None:
    if logs is not None:
        logs.mkdir(parents=True, exist_ok=True)
        (logs / f"{outcome.number:02}-{outcome.on}-{outcome.seed}.log").write_text(text)
