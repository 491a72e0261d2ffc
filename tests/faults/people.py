"""What people do at a bad moment: they cancel, deploy, restore, stop."""

from collections.abc import Iterator

from tests.faults.field import Field, kill
from tests.faults.history import History
from tests.faults.scenario import Fault


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
