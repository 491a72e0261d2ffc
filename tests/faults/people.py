"""What people do at a bad moment: they stop, cancel, deploy, restore."""

import os
import signal
import sys
from collections.abc import Iterator

from tests.faults.field import Field, kill
from tests.faults.history import History
from tests.faults.scenario import POSTGRESQL, Fault
from tests.processes import Process

LONG = 600


class Canceled(Fault):
    """Cancels at every moment of a run's life, some twice; whatever wins, there is one terminal state."""

    number = 37
    title = "cancel: queued, running, while finishing, twice, after a crash"

    def inject(self, field: Field) -> None:
        self.running(field)
        self.twice_while_finishing(field)
        self.after_a_crash(field)
        self.queued(field)

    def running(self, field: Field) -> None:
        field.post("mark", "runs", seconds=60)
        field.wait_for_event("start", "runs")
        cancel(field, "runs")

    def twice_while_finishing(self, field: Field) -> None:
        """The job takes a moment; two requests come around its end."""
        for number in range(6):
            sent = field.post("mark", f"finishing-{number}", seconds=0.3)
            field.wait_for_event("start", sent.key)
            field.pause(0.3 + field.chance.uniform(-0.05, 0.05))
            cancel(field, sent.key)
            cancel(field, sent.key)

    def after_a_crash(self, field: Field) -> None:
        """Asked to stop, then its worker dies before the job could hear of it."""
        field.post("mark", "crashed", seconds=60)
        (start,) = field.wait_for_event("start", "crashed")
        cancel(field, "crashed")
        kill(start.pid)

    def queued(self, field: Field) -> None:
        field.post("flaky", "retries", failures=3)
        field.wait_for_event("end", "retries")
        cancel(field, "retries")

    def check(self, field: Field, history: History) -> Iterator[str]:
        for key in ("runs", "crashed"):
            if (state := field.run_of(key).state) != "canceled":
                yield f"the run that {key} was canceled and is {state}"
        for number in range(6):
            if (state := field.run_of(f"finishing-{number}").state) not in ("canceled", "succeeded"):
                yield f"a run canceled while finishing is {state}"
        canceled = {row.id: row.attempt for row in history.runs if row.state == "canceled"}
        for event in history.starts:
            if event.attempt > canceled.get(event.run_id, event.attempt):
                yield f"run {event.run_id} was canceled and started again"


def cancel(field: Field, key: str) -> int | None:
    return field.client.press(f"/runs/{field.run_of(key).id}/cancellation")


class Stopped(Fault):
    """Each way in which a worker is told to stop, with a job of ten minutes at work."""

    number = 35
    title = "SIGTERM with a 10-minute job: supervisor, group, twice, honcho"
    loaded = recovers = False

    def inject(self, field: Field) -> None:
        self.field, self.codes = field, {}
        self.stop_by("supervisor", field.supervisors[0], lambda process: process.send(signal.SIGTERM))
        self.stop_by("group", field.start_workers(), lambda process: os.killpg(process.pid, signal.SIGTERM))
        self.stop_by("twice", field.start_workers(), self.send_twice)
        self.stop_by("honcho", self.start_honcho(), lambda process: os.killpg(process.pid, signal.SIGINT))
        field.start_workers()
        field.wait(lambda: field.stack.alive("worker") == self.workers, 60, "workers for what is left")

    def stop_by(self, name: str, process: Process, send) -> None:
        self.field.post("mark", name, seconds=LONG)
        self.field.wait_for_event("start", name, timeout=60)
        send(process)
        self.codes[name] = process.wait(30)
        self.left(name)

    @staticmethod
    def send_twice(process: Process) -> None:
        process.send(signal.SIGTERM)
        process.wait_for_log("Stopping")
        process.send(signal.SIGTERM)

    def left(self, name: str) -> None:
        """The run waits again; it is canceled then, for nobody has ten minutes."""
        run = self.field.run_of(name)
        self.codes[f"{name}: state, failures, crashes"] = (run.state, run.failures, run.crashes)
        cancel(self.field, name)

    def start_honcho(self) -> Process:
        procfile = self.field.processes.folder / "Procfile"
        procfile.write_text(f"worker: exec {sys.executable} -m workers --processes 2 --threads 4\n")
        return self.field.processes.start(sys.executable, "-m", "honcho", "-f", procfile, "start", name="honcho")

    def check(self, field: Field, history: History) -> Iterator[str]:
        for name in ("supervisor", "group", "twice", "honcho"):
            if name != "honcho" and self.codes[name] != 0:
                yield f"stopped by {name}: exit code {self.codes[name]}"
            if (left := self.codes[f"{name}: state, failures, crashes"]) != ("queued", 0, 0):
                yield f"stopped by {name}: the run is {left}"
        if outcomes := {row.outcome for row in history.attempts} - {"interrupted"}:
            yield f"attempts ended as {outcomes}"


class Deployed(Fault):
    """A new job is announced by new code; then only old workers are there, and a form of it is posted."""

    number = 38
    title = "a worker with old code meets a job it does not know"
    both = "tests.faults.jobs,tests.faults.newer"

    def inject(self, field: Field) -> None:
        new = field.start_workers(1, JOBS=self.both)
        field.wait(lambda: field.stack.alive("worker") > self.workers, 60, "the new code has announced itself")
        field.supervisors.remove(new)
        new.stop()
        field.post("newer", "unknown")
        field.pause(3)
        self.state, self.page = field.run_of("unknown").state, field.client.text(f"/runs/{field.run_of('unknown').id}")

    def heal(self, field: Field) -> None:
        field.start_workers(1, JOBS=self.both)
        field.wait_for_event("end", "unknown", timeout=60)

    def check(self, field: Field, history: History) -> Iterator[str]:
        if self.state != "queued" or field.starts("unknown") != 1:
            yield f"it was {self.state} and started {field.starts('unknown')} times"
        if "no worker knows this job" not in self.page:
            yield "its page did not say why it waits"


class Restored(Fault):
    """The ledger goes back to a copy of before; what was accepted since is lost with it, as with any backup."""

    number = 39
    title = "ledger restored from an old backup, RabbitMQ holds newer messages"
    on = (POSTGRESQL,)
    loaded = False
    newer = 30

    def inject(self, field: Field) -> None:
        for number in range(20):
            field.post("mark", f"old-{number}")
        field.settle()
        field.stop_workers()
        sent, ended = len(field.client.sent), dict(field.observer.seen)
        server, name = field.ground.postgresql, field.database_url.rpartition("/")[2]
        self.copy(field, name, f"{name}_backup")
        for number in range(self.newer):
            field.post("mark", f"new-{number}")
        field.pause(3)
        server.drop_database(name)
        self.copy(field, f"{name}_backup", name)
        del field.client.sent[sent:]
        field.observer.seen = ended

    @staticmethod
    def copy(field: Field, name: str, to: str) -> None:
        """A database cannot be copied while somebody is connected to it."""
        server = field.ground.postgresql
        server.execute(f'ALTER DATABASE "{name}" ALLOW_CONNECTIONS false')
        server.execute(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'")
        server.create_database(to, name)
        server.execute(f'ALTER DATABASE "{name}" ALLOW_CONNECTIONS true')

    def heal(self, field: Field) -> None:
        field.start_workers()
        field.wait(lambda: field.stack.alive("worker") == self.workers, 60, "workers are back")
        for number in range(20):
            field.post("mark", f"after-{number}")

    def check(self, field: Field, history: History) -> Iterator[str]:
        reasons = [row.reason for row in history.rejected if "does not know" in row.reason]
        if len(reasons) < self.newer:
            yield f"{len(reasons)} of {self.newer} unknown ids were rejected"
        if any(event.key.startswith("new-") for event in history.starts):
            yield "a run started that the ledger does not know"
