"""Processes that are killed: worker, web, scheduler, in the middle of a job or at a step between two commits."""

import time
from collections.abc import Iterator

from tests.faults.field import Field, kill
from tests.faults.history import History
from tests.faults.scenario import POSTGRESQL, Fault


class KilledInAJob(Fault):
    number = 1
    title = "worker child SIGKILLed in a job"

    def inject(self, field: Field) -> None:
        field.post("mark", "victim", seconds=3)
        (self.start,) = field.wait_for_event("start", "victim")
        self.spared = [pid for pid in field.children() if pid != self.start.pid]
        kill(self.start.pid)
        killed_at = time.monotonic()
        field.wait(lambda: len(field.children()) == self.workers, 10, "the child is back")
        field.wait(lambda: field.stack.alive("worker") == self.workers, 10, "it works again")
        self.back = time.monotonic() - killed_at

    def check(self, field: Field, history: History) -> Iterator[str]:
        if not set(self.spared) <= set(field.children()):
            yield "another child died too"
        if self.back > 5:
            yield f"the child was back after {self.back:.1f} s"
        outcomes = [row.outcome for row in history.attempts if row.run_id == self.start.run_id]
        if "lost" not in outcomes or "Crashed" not in field.client.text(f"/runs/{self.start.run_id}"):
            yield f"the lost attempt is not shown: {outcomes}"


class KilledAtAStep(Fault):
    """A worker is killed at a named step, on a pass that the seed chooses."""

    step: str
    turns = (2, 12)

    def prepare(self, field: Field) -> None:
        field.start_workers(self.workers, **field.once(self.step, field.chance.randint(*self.turns)))
        field.start_scheduler()
        field.start_web()
        field.wait_until_up(self.workers)

    def inject(self, field: Field) -> None:
        field.wait_for_failure()

    def outcomes_of_crash(self, history: History) -> list[str]:
        return [row.outcome for row in history.attempts if row.outcome != "succeeded" and row.outcome != "failed"]


class BeforeTheClaim(KilledAtAStep):
    number = 2
    title = "worker killed before the claim commits"
    step = "claim.before_commit"


class AfterTheClaim(KilledAtAStep):
    number = 3
    title = "worker killed after the claim commits, before the body"
    step = "claim.after_commit"

    def check(self, field: Field, history: History) -> Iterator[str]:
        began = {(event.run_id, event.attempt) for event in history.starts}
        lost = [row for row in history.attempts if row.outcome == "lost"]
        never = [row.run_id for row in lost if (row.run_id, row.number) not in began]
        if len(never) > 1:  # one may have been about to write to the witness
            yield f"claims that never began count as crashes: {never}"


class BeforeTheResult(KilledAtAStep):
    number = 4
    title = "worker killed after the body, before the result commits"
    step = "finish.before_commit"

    def check(self, field: Field, history: History) -> Iterator[str]:
        again = {event.run_id for event in history.starts if event.attempt > 1}
        if not again & {row.run_id for row in history.attempts if row.outcome == "lost"}:
            yield "no run was started a second time"


class AfterTheResult(KilledAtAStep):
    number = 5
    title = "worker killed after the result commits"
    step = "finish.after_commit"

    def check(self, field: Field, history: History) -> Iterator[str]:
        ends = [event for event in history.events if event.word == "end"]
        for row in history.attempts:
            ended = any((event.run_id, event.attempt) == (row.run_id, row.number) for event in ends)
            if row.outcome == "succeeded" and not ended:
                yield f"run {row.run_id} succeeded without an end"


class BetweenClaimAndAck(KilledAtAStep):
    number = 6
    title = "worker killed between claim and ack"
    on = (POSTGRESQL,)
    step = "ack.before"


class WebKilled(Fault):
    """The site is killed around the commit of a form; somebody starts it again, as a service manager does."""

    number = 7
    title = "web killed before and after the insert commits"
    steps = ("dispatch.before_commit", "dispatch.after_commit")

    def prepare(self, field: Field) -> None:
        field.start_workers(self.workers)
        field.start_scheduler()
        field.start_web(**field.once(self.steps[0], field.chance.randint(2, 15)))
        field.wait_until_up(self.workers)

    def inject(self, field: Field) -> None:
        field.wait_for_failure()
        field.web.wait(10)
        field.start_web(**field.once(self.steps[1], field.chance.randint(2, 8)))
        field.post_until(field.failed)
        field.web.wait(10)
        self.killed_at = time.monotonic()

    def heal(self, field: Field) -> None:
        field.start_web()
        field.wait(field.site_is_up, 30, "the site is back")
        field.client.open()

    def check(self, field: Field, history: History) -> Iterator[str]:
        accepted = {sent.run_id for sent in history.sent if sent.accepted}
        orphans = [row for row in history.runs if row.id not in accepted]
        if not orphans:
            yield "the run whose commit was the last act of the site is not there"
        for row in orphans:
            if row.started_at is None:
                yield f"run {row.id} never started"
            elif (row.started_at - row.created_at) / 1e6 > 12:
                yield f"run {row.id} waited {(row.started_at - row.created_at) / 1e6:.1f} s for a hint"


class BetweenPublishAndNote(Fault):
    """Hints: published though nobody notes it, and noted though never published."""

    number = 8
    title = "web and scheduler killed between publishing and noting it"
    on = (POSTGRESQL,)

    def prepare(self, field: Field) -> None:
        field.start_workers(self.workers)
        field.start_scheduler(**field.once("hint.after_commit"))
        field.start_web(**field.once("publish.after", field.chance.randint(2, 10)))
        field.wait_until_up(self.workers)

    def inject(self, field: Field) -> None:
        field.wait_for_failure()
        field.web.wait(10)
        field.start_web()
        field.wait(field.site_is_up, 30, "the site is back")
        field.client.open()
        scheduler = field.schedulers[0]
        field.post_until(lambda: not scheduler.running, "flaky")  # a retry's hint is the scheduler's business

    def heal(self, field: Field) -> None:
        field.schedulers.clear()
        field.start_scheduler()
