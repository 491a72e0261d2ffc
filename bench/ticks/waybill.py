"""Waybill: a tick counts when its run can be seen in the ledger, which is when a worker could claim it."""

import time
from collections.abc import Iterable
from contextlib import ExitStack

from bench.ticks.load import SECOND, Load
from bench.ticks.timekeeper import Timekeeper
from ledger import clock, fleet, schedules
from ledger.engine import open_engine, reading, writing
from ledger.migrate import migrate
from ledger.recurrence import Rule
from ledger.schedules import NewSchedule
from ledger.tables import runs
from ledger.watch import open_watch
from tests.servers import PostgreSQL, Process

JOB = fleet.Job("noop", "noop", 0, {"type": "object"}, "", "", {}, "")
PAUSE = 0.005  # between two looks: looking takes a core as well
OVERLAP = 1_000  # milliseconds: runs may be seen in another order than their ids were made
EDITS = 10
START_LIMIT = 120
EDIT_LIMIT = 30
AHEAD = SECOND // 10  # an edited schedule is due so soon


class Waybill(Timekeeper):
    def prepare(self, stack: ExitStack) -> None:
        self.url = self.database(stack)
        self.engine = open_engine(self.url)
        stack.callback(self.engine.dispose)
        migrate(self.engine)
        fleet.register(self.engine, fleet.NewProcess(kind="announcer"), [JOB])
        self._seen: set[str] = set()
        self._newest = clock.now() // 1_000
        self._watch, self._version = open_watch(self.engine), 0
        stack.callback(self._watch.close)

    def database(self, stack: ExitStack) -> str:
        raise NotImplementedError

    def start(self) -> Process:
        self.numbers = self._make()
        process = self.processes.python("scheduler.py", DATABASE_URL=self.url)
        process.wait_for_log(f"All {self.load.schedules} schedules are followed", START_LIMIT)
        return process

    def _make(self) -> dict[str, int]:
        with writing(self.engine) as connection:
            return {
                schedules.create(connection, new_schedule(number, rule_of(self.load, number))): number
                for number in range(self.load.schedules)
            }

    def seen(self) -> Iterable[int]:
        time.sleep(PAUSE)
        self._version = self._watch.wait(self._version, 0.1)
        fresh = [row for row in self._recent() if row.id not in self._seen]
        self._seen.update(row.id for row in fresh)
        return [self.numbers[row.schedule_id] for row in fresh]

    def _recent(self) -> list:
        recent = runs.c.job == "noop", runs.c.id > floor(self._newest - OVERLAP)
        with reading(self.engine) as connection:
            rows = connection.execute(runs.select().where(*recent)).all()
        self._newest = max([self._newest, *(int(row.id[:13].replace("-", ""), 16) for row in rows)])
        return rows

    def edits(self) -> float:
        """Seconds from the commit of an edit to a run by it, the worst of some."""
        return max(self._edit(schedule_id) for schedule_id in list(self.numbers)[:EDITS])

    def _edit(self, schedule_id: str, ahead: int = AHEAD) -> float:
        number, due = self.numbers[schedule_id], clock.now() + ahead
        with writing(self.engine) as connection:
            rule = Rule("interval", "3600", anchor=due)
            schedules.change(connection, schedule_id, new_schedule(number, rule, overlap="allow"))
        committed = time.monotonic()
        if clock.now() > due:  # what lies before an edit is none of its ticks
            return self._edit(schedule_id, 2 * ahead)
        while number not in self.seen() and time.monotonic() - committed < EDIT_LIMIT:
            pass
        return time.monotonic() - committed


def new_schedule(number: int, rule: Rule, **more) -> NewSchedule:
    return NewSchedule(name=f"tick {number:05}", job="noop", rule=rule, **more)


def rule_of(load: Load, number: int) -> Rule:
    first = load.first(number)
    if load.shape == "spread":
        return Rule("interval", str(load.interval), anchor=first)
    return Rule("cron", f"{load.minutes(number)} * * * *", starts=load.starts)


def floor(milliseconds: int) -> str:
    """Less than the ids that were made after then."""
    digits = f"{milliseconds:012x}"
    return f"{digits[:8]}-{digits[8:]}"


class OnSqlite(Waybill):
    name, label = "waybill-sqlite", "Waybill, SQLite"

    def database(self, stack: ExitStack) -> str:
        return f"sqlite:///{self.processes.folder / 'var' / 'ledger.db'}"


class OnPostgresql(Waybill):
    name, label = "waybill-postgresql", "Waybill, PostgreSQL"

    def database(self, stack: ExitStack) -> str:
        return stack.enter_context(PostgreSQL()).url
