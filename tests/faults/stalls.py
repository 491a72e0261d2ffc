"""Hosts that freeze and come back, and a crowd that waits."""

import signal
import time
from collections.abc import Iterator

from tests.faults import ground
from tests.faults.field import LEASE_SECONDS, Field, kill
from tests.faults.history import History
from tests.faults.scenario import POSTGRESQL, Fault
from tests.processes import Process

CROWD = 100_000


class FrozenPastItsLease(Fault):
    """A whole host stands still, its run is given to another, then it wakes up and wants to tell its result."""

    number = 36
    title = "worker frozen past its lease, then thawed"
    victims = 4
    seconds = (9, 3)  # a late result finds the next attempt still at work, or finds that it has ended

    def prepare(self, field: Field) -> None:
        field.start_workers(1)
        super().prepare(field)
        field.wait(lambda: field.stack.alive("worker") == self.workers + 1, 60, "all workers")

    def inject(self, field: Field) -> None:
        for number in range(self.victims):
            field.post("mark", f"victim-{number}", seconds=self.seconds[number % 2])
        starts = [field.wait_for_event("start", f"victim-{number}")[0] for number in range(self.victims)]
        long = {start.pid for start in starts[::2]}
        host = field.chance.choice([each for each in field.supervisors if set(each.children) & long])
        self.frozen = [start for start in starts if start.pid in host.children]
        freeze(host)
        field.pause(LEASE_SECONDS + 12, until=lambda: all(field.starts(start.key) > 1 for start in self.frozen))
        field.pause(4)
        thaw(host)

    def check(self, field: Field, history: History) -> Iterator[str]:
        for start in self.frozen:
            own = sorted((row.number, row.outcome) for row in history.attempts if row.run_id == start.run_id)
            outcomes = [outcome for _, outcome in own]
            if outcomes != ["lost", "succeeded"]:
                yield f"attempts of {start.key}: {outcomes}"
        for row in history.attempts:
            if row.late_at and "too late and was dropped" not in field.client.text(f"/runs/{row.run_id}"):
                yield "a late result was dropped, and the page does not say so"


def freeze(host: Process) -> None:
    for pid in (host.pid, *host.children):
        kill(pid, signal.SIGSTOP)


def thaw(host: Process) -> None:
    for pid in (*host.children, host.pid):
        kill(pid, signal.SIGCONT)


class Crowd(Fault):
    """Nobody works, and the dispatcher goes round: what lies in RabbitMQ must not grow and grow."""

    number = 40
    title = f"{CROWD:,} runs queued, sweep running"
    on = (POSTGRESQL,)
    loaded = recovers = False

    def prepare(self, field: Field) -> None:
        super().prepare(field)
        for supervisor in field.supervisors:
            supervisor.stop()
        field.supervisors.clear()

    def inject(self, field: Field) -> None:
        from ledger.runs import NewRun, dispatch_many

        new = [NewRun(job="mark", queue="default", origin="code", kwargs={"key": f"c-{n}"}) for n in range(CROWD)]
        dispatch_many(field.stack.engine, new)
        self.most, until = 0, time.monotonic() + field.seconds(120)
        while time.monotonic() < until:
            self.most = max(self.most, ground.waiting(field.broker_url))
            field.pause(1)

    def heal(self, field: Field) -> None:
        """Working all of it off would take minutes and show nothing new: an operator takes it back."""
        with field.stack.engine.begin() as connection:
            at = int(time.time() * 1e6)
            connection.exec_driver_sql(f"UPDATE runs SET state = 'canceled', finished_at = {at} WHERE state = 'queued'")
        field.ground.clean_rabbitmq()

    def check(self, field: Field, history: History) -> Iterator[str]:
        if self.most > 2 * CROWD:
            yield f"{self.most:,} hints lay in RabbitMQ for {CROWD:,} runs"
        if self.most == 0:
            yield "no hint was published at all"
