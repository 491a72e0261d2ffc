"""Clocks that jump, and schedulers that are several, frozen, down, or killed between two commits."""

import glob
import signal
from collections.abc import Iterator
from pathlib import Path

from ledger import clock, recurrence, schedules
from ledger.engine import writing
from ledger.schedules import NewSchedule
from tests.faults.field import Field
from tests.faults.history import History
from tests.faults.scenario import Fault
from tests.processes import ROOT

HOUR = 3600
JUMPS = (-HOUR, +HOUR, 0, 10 * 365 * 24 * HOUR)  # forward at last: what fell due at any of these times is due then
FAKED = ROOT / "tests" / "faults" / "faked"
MOST_MEMORY = 400 * 1024  # kilobytes of a scheduler or a site


def library() -> str:
    return next(iter(glob.glob("/usr/lib/*/faketime/libfaketimeMT.so.1")), "")


class FakeClock:
    """A wall clock that Waybill's processes share and a test sets. The monotonic clock stays as it is."""

    def __init__(self, folder: Path):
        self._file = folder / "clock"
        self.set(0)
        self.environment = {
            "LD_PRELOAD": library(), "FAKETIME_TIMESTAMP_FILE": str(self._file), "FAKETIME_NO_CACHE": "1",
            "DONT_FAKE_MONOTONIC": "1", "FAKETIME_DONT_FAKE_MONOTONIC": "1", "PYTHONPATH": f"{FAKED}:{ROOT}",
        }  # fmt: skip

    def set(self, offset: int) -> None:
        """``offset`` seconds from the machine's clock; at once, for every process."""
        fresh = self._file.with_suffix(".new")
        fresh.write_text(f"{offset:+d}s\n")
        fresh.replace(self._file)


def schedule(field: Field, name: str, seconds: int, overlap: str = "allow", catchup: str = "all") -> str:
    rule = recurrence.parse("interval", str(seconds), anchor=1_700_000_000 * clock.SECOND)
    new = NewSchedule(name=name, job="mark", rule=rule, args={"key": name}, overlap=overlap, catchup=catchup)
    with writing(field.stack.engine) as connection:
        return schedules.create(connection, new, "ana")


def one_of_each(field: Field, seconds: int) -> dict[str, str]:
    """A schedule for each policy, and one that skips overlaps; their ids."""
    made = {policy: schedule(field, policy, seconds, catchup=policy) for policy in ("all", "latest", "none")}
    return made | {"skip": schedule(field, "skip", seconds, overlap="skip", catchup="latest")}


def pause_all(field: Field, ids: dict[str, str]) -> None:
    """No further tick, so that all runs can end."""
    with writing(field.stack.engine) as connection:
        for schedule_id in ids.values():
            schedules.pause(connection, schedule_id, "ana")


def ticks_of(field: Field, schedule_id: str) -> int:
    return field.stack.ask("SELECT count(*) FROM ticks WHERE schedule_id = :id", id=schedule_id)


class ScheduleFault(Fault):
    every = 1
    recovers = False

    def prepare(self, field: Field) -> None:
        super().prepare(field)
        self.ids = one_of_each(field, self.every)
        field.wait(lambda: ticks_of(field, self.ids["all"]) >= 2, 30, "the first ticks")

    def wait_for_ticks(self, field: Field, more: int) -> None:
        """Of each schedule: one that catches up has several at once, while the next was not looked at yet."""
        before = {each: ticks_of(field, each) for each in self.ids.values()}
        for each, count in before.items():
            field.wait(lambda each=each, count=count: ticks_of(field, each) >= count + more, 60, f"{more} more ticks")

    def after(self, field: Field) -> None:
        self.wait_for_ticks(field, 3)
        pause_all(field, self.ids)

    def check(self, field: Field, history: History) -> Iterator[str]:
        at = [row.tick_at for row in history.ticks if row.schedule_id == self.ids["all"]]
        runs = [row for row in history.runs if row.schedule_id == self.ids["all"]]
        if len(runs) != len(at):
            yield f"the schedule that catches up with all has {len(at)} ticks and {len(runs)} runs"


class Jumps(ScheduleFault):
    number = 30
    title = "clock -1 h, +1 h, back, +10 y under load"

    def cannot(self, on: str) -> str:
        return "" if library() else "libfaketime is not installed"

    def prepare(self, field: Field) -> None:
        self.clock = FakeClock(field.processes.folder)
        field.environment |= self.clock.environment
        super().prepare(field)
        self.pids = field.living()

    def inject(self, field: Field) -> None:
        for jump, offset in enumerate(JUMPS):
            self.clock.set(offset)
            field.client.open()  # a session may be too old now
            for number in range(10):
                field.post("mark", f"jump-{jump}-{number}", seconds=field.chance.uniform(0, 0.3))
            field.pause(max(field.seconds(20), 8))

    def check(self, field: Field, history: History) -> Iterator[str]:
        for row in history.given_up:
            yield f"attempt {row.number} of run {row.run_id} was {row.outcome}: a healthy worker was given up"
        if died := set(self.pids) - set(field.living()):
            yield f"processes ended: {died}"
        for pid in field.living():
            if (used := memory(pid)) > MOST_MEMORY:
                yield f"process {pid} used {used // 1024} MB"


def memory(pid: int) -> int:
    """Kilobytes that the process held at most."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return int(next(line for line in lines if line.startswith("VmHWM")).split()[1])


class Several(ScheduleFault):
    number = 31
    title = "three schedulers, one frozen for 60 s"

    def prepare(self, field: Field) -> None:
        for _ in range(2):
            field.start_scheduler()
        super().prepare(field)

    def inject(self, field: Field) -> None:
        frozen = field.chance.choice(field.schedulers)
        frozen.send(signal.SIGSTOP)
        field.pause(field.seconds(60))
        frozen.send(signal.SIGCONT)


class Down(ScheduleFault):
    number = 32
    title = "scheduler down over 5 ticks, each policy"
    every = 2

    def inject(self, field: Field) -> None:
        field.schedulers.pop().kill()
        self.down_at = clock.now()
        field.pause(5 * self.every + 5.5)
        field.start_scheduler()
        self.up_at = clock.now()

    def check(self, field: Field, history: History) -> Iterator[str]:
        yield from super().check(field, history)
        for policy, wanted in (("all", {"late"}), ("latest", {"missed"}), ("none", {"missed"})):
            rows = [row for row in history.ticks if row.schedule_id == self.ids[policy]]
            slept = [row for row in rows if self.down_at < row.tick_at < self.up_at - 6 * clock.SECOND]
            if len(slept) < 2 or {row.outcome for row in slept} != wanted:
                yield f"ticks of the absence under {policy!r}: {[row.outcome for row in slept]}"


class KilledWhileFiring(ScheduleFault):
    number = 33
    title = "scheduler killed before, then after a tick commits"

    def inject(self, field: Field) -> None:
        for step in ("tick.before_commit", "tick.after_commit"):
            field.schedulers.pop().kill()
            dying = field.start_scheduler(**field.once(step, field.chance.randint(1, 4)))
            field.wait_for_failure()
            dying.wait(10)
            field.start_scheduler()
            self.wait_for_ticks(field, 2)
