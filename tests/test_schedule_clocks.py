"""Every policy of a schedule while the scheduler's clock jumps and the scheduler is down, against an oracle that knows
only what the form says about the policies."""

from collections.abc import Iterator
from itertools import product

import pytest
from sqlalchemy import Engine, select

from ledger import clock, recurrence, runs, schedules
from ledger.engine import open_engine, reading, writing
from ledger.schedules import NewSchedule
from ledger.states import State
from ledger.tables import runs as runs_table
from ledger.tables import schedules as schedules_table
from ledger.tables import ticks as ticks_table
from tests.faults.clocks import FakeClock
from tests.processes import Processes, wait_until
from tests.test_scheduler_process import start, with_a_job

HOUR = 3600
POLICIES = tuple(product(("skip", "queue", "allow", "cancel"), ("none", "latest", "all")))
#: What is due when the scheduler looks: an hour later; three hours later at once; after all runs have ended and it was
#: down for three hours; after its clock went back by five hours and then on.
LOOKS = ((1,), (2, 3, 4), "all runs end", (5, 6, 7), (8,))


class Oracle:
    """Ticks by number, and what becomes of each."""

    def __init__(self, overlap: str, catchup: str):
        self.overlap, self.catchup = overlap, catchup
        self.ticks: dict[int, str] = {}
        self.active = 0
        self.runs = 0

    def look(self, due: tuple[int, ...]) -> None:
        """Nothing is punctual here: the clock lands half an hour after a tick."""
        made_up_for = {"none": (), "latest": due[-1:], "all": due}[self.catchup]
        self.ticks |= {tick: "missed" for tick in due}
        for tick in made_up_for:
            self.ticks[tick] = getattr(self, self.overlap)(tick, tick == made_up_for[-1])

    def start(self) -> str:
        self.active, self.runs = self.active + 1, self.runs + 1
        return "late"

    def skip(self, tick: int, is_last: bool) -> str:
        return "skipped" if self.active else self.start()

    def queue(self, tick: int, is_last: bool) -> str:
        return "waiting" if self.active else self.start()

    def allow(self, tick: int, is_last: bool) -> str:
        return self.start()

    def cancel(self, tick: int, is_last: bool) -> str:
        if not is_last:
            return "skipped"
        self.active = 0
        return self.start()

    def all_runs_end(self) -> None:
        self.active = 0
        for tick in [tick for tick, outcome in self.ticks.items() if outcome == "waiting"]:
            self.ticks[tick], self.runs = "late", self.runs + 1


@pytest.fixture
def engine(processes: Processes) -> Iterator[Engine]:
    engine = open_engine(f"sqlite:///{processes.folder}/var/ledger.db")
    with_a_job(engine)
    yield engine
    engine.dispose()


def schedule_of(engine: Engine, overlap: str, catchup: str) -> str:
    anchor = clock.now() - HOUR // 2 * clock.SECOND
    rule = recurrence.parse("interval", str(HOUR), anchor=anchor)
    said = {"name": f"{overlap}, {catchup}", "job": "report", "rule": rule, "overlap": overlap, "catchup": catchup}
    with writing(engine) as connection:
        return schedules.create(connection, NewSchedule(**said), "ana")


def ticks_of(engine: Engine, schedule_id: str) -> dict[int, str]:
    with reading(engine) as connection:
        anchor = connection.scalar(select(schedules_table.c.anchor_at).where(schedules_table.c.id == schedule_id))
        columns = ticks_table.c
        told = select(columns.tick_at, columns.outcome).where(columns.schedule_id == schedule_id)
        return {(row.tick_at - anchor) // (HOUR * clock.SECOND): row.outcome for row in connection.execute(told)}


def runs_of(engine: Engine, schedule_id: str, *states: State) -> list[str]:
    with reading(engine) as connection:
        mine = select(runs_table.c.id).where(runs_table.c.schedule_id == schedule_id)
        return list(connection.scalars(mine.where(runs_table.c.state.in_(states)) if states else mine))


def end_all_runs(engine: Engine, ids: list[str]) -> None:
    """Until no tick waits: with each that ends, the next one of a schedule that queues is made."""

    def none_is_left() -> bool:
        waiting = any("waiting" in ticks_of(engine, each).values() for each in ids)  # before its run is looked for
        queued = [run_id for each in ids for run_id in runs_of(engine, each, State.QUEUED)]
        for run_id in queued:
            runs.cancel(engine, run_id, "ana")
        return not queued and not waiting

    wait_until(none_is_left, 60, "all runs to end")


def followed(scheduler):
    scheduler.wait_for_log("schedules are followed")
    return scheduler


def test_what_becomes_of_each_tick_is_what_its_policy_says_however_clocks_jump(processes: Processes, engine: Engine):
    fake = FakeClock(processes.folder)
    scheduler = start(processes, **fake.environment)
    made = {policy: schedule_of(engine, *policy) for policy in POLICIES}
    oracles = {policy: Oracle(*policy) for policy in POLICIES}

    def differing() -> dict:
        found = {policy: (ticks_of(engine, id), oracles[policy].ticks) for policy, id in made.items()}
        return {policy: pair for policy, pair in found.items() if pair[0] != pair[1]}

    for look in LOOKS:
        if look == "all runs end":
            end_all_runs(engine, list(made.values()))
            for oracle in oracles.values():
                oracle.all_runs_end()
            continue
        if look[-1] > 4:  # it is down for a while
            scheduler.stop()
            if look[-1] == 8:
                fake.set(2 * HOUR)
                scheduler = followed(start(processes, **fake.environment))
                assert differing() == {}, "five hours earlier there is nothing to do"
        fake.set(look[-1] * HOUR)
        if look[-1] == 7:
            scheduler = start(processes, **fake.environment)
        for oracle in oracles.values():
            oracle.look(look)
        try:
            wait_until(lambda: not differing(), 30, f"what becomes of {look}")
        except TimeoutError:
            assert differing() == {}
    for policy, id in made.items():
        assert len(runs_of(engine, id)) == oracles[policy].runs, policy
        if policy[0] == "cancel":
            assert len(runs_of(engine, id, State.QUEUED)) <= 1, policy
