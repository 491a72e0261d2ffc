"""A backup taken while runs are dispatched and worked off, and what becomes of it when it is restored."""

from collections.abc import Iterator
from urllib.parse import urlsplit

from tests.documented import run_documented
from tests.faults import witness
from tests.faults.checker import TERMINAL
from tests.faults.field import Field
from tests.faults.history import History
from tests.faults.scenario import SQLITE, Fault

DEPLOY = "docs/deploy.md"


class RestoredUnderLoad(Fault):
    """With the very commands of docs/deploy.md. What happened after the backup has not happened, then."""

    number = 42
    title = "a backup taken under load is restored"
    per_second = 25
    longest = 0.3
    newer = 10

    def inject(self, field: Field) -> None:
        self.file = field.processes.folder / "at-work may end"
        self.at_work = field.post("wait_for", "at-work", file=self.file).run_id
        field.wait_for_event("start", "at-work")
        field.wait(lambda: len(field.client.sent) > field.runs / 4, 60, "a part of the load")
        self.promised = {sent.run_id for sent in list(field.client.sent) if sent.accepted}
        self.do(field, "backup")
        field.wait(lambda: self.posted(field) == field.runs, 120, "all of the load")
        field.stop_workers()
        for number in range(self.newer):
            field.post("mark", f"newer-{number}")

    @staticmethod
    def posted(field: Field) -> int:
        return sum(sent.key.startswith("load-") for sent in list(field.client.sent))

    def heal(self, field: Field) -> None:
        field.stop_all()
        field.close_ledger()
        self.do(field, "restore")
        self.judge_by_the_backup(field)
        field.observe()
        self.file.touch()
        self.prepare(field)
        for number in range(20):
            field.post("mark", f"after-{number}")

    def do(self, field: Field, what: str) -> None:
        folder = field.processes.folder
        (folder / "backup").mkdir(exist_ok=True)
        if field.on == SQLITE:
            variables = {"WAYBILL_VAR": folder}
        else:
            url = urlsplit(field.database_url.replace("+psycopg", ""))
            field.ground.postgresql.create_role("waybill")
            server = {"PGHOST": url.hostname, "PGPORT": url.port, "PGUSER": url.username}
            variables = {"DATABASE": url.geturl(), "NAME": url.path[1:], **server}
        run_documented(DEPLOY, f"{what}-{field.on}", folder, BACKUP=folder / "backup", **variables)

    def judge_by_the_backup(self, field: Field) -> None:
        """From here on the client was promised, and the bodies have done, what the backup knows."""
        rows = field.stack.rows("SELECT id, state FROM runs")
        held, starts = {row.id for row in rows}, field.stack.rows("SELECT run_id, number FROM attempts")
        self.missing = self.promised - held
        self.unfinished = sum(row.state not in TERMINAL for row in rows)
        field.client.sent[:] = [sent for sent in field.client.sent if sent.run_id in held]
        known = {(row.run_id, row.number) for row in starts}
        witness.keep(field.stack.witness, lambda event: (event.run_id, event.attempt) in known)

    def check(self, field: Field, history: History) -> Iterator[str]:
        if self.missing:
            yield f"{len(self.missing)} of {len(self.promised)} runs that were accepted before the backup are not in it"
        if not self.unfinished:
            yield "the backup was not taken under load: all its runs had ended"
        mine = (row for row in history.attempts if row.run_id == self.at_work)
        outcomes = [row.outcome for row in sorted(mine, key=lambda row: row.number)]
        if outcomes != ["lost", "succeeded"]:
            yield f"the run that was at work in the backup went on as {outcomes}"
        known = {row.id for row in history.runs}
        if any(event.run_id not in known for event in history.starts):
            yield "a run started that the restored ledger does not know"
        rejected = [row for row in history.rejected if "does not know" in row.reason]
        if field.broker_url and len(rejected) < self.newer:
            yield f"{len(rejected)} messages about unknown runs were rejected, {self.newer} were left"
