"""The ledger away, cut off in the middle of a commit, locked, or on a full disk."""

import contextlib
import sqlite3
import time
from collections.abc import Iterator
from pathlib import Path

from tests.faults import ground
from tests.faults.disk import can_mount
from tests.faults.field import Field
from tests.faults.history import History
from tests.faults.scenario import POSTGRESQL, SQLITE, Fault

SLOTS = 8


class Restarted(Fault):
    number = 24
    title = "PostgreSQL restarted (fast, immediate) under load"
    on = (POSTGRESQL,)
    per_second = 25

    def inject(self, field: Field) -> None:
        for mode in ("fast", "immediate", "fast"):
            field.pause(field.chance.uniform(0.8, 1.6))
            field.ground.postgresql.restart(mode)


class Away(Fault):
    """On SQLite, where nothing can be away, somebody holds the write lock: three times as long as a writer waits."""

    number = 25
    title = "the ledger away for 60 s while jobs finish"
    loaded = False

    def inject(self, field: Field) -> None:
        for number in range(SLOTS):
            field.post("mark", f"busy-{number}", seconds=max(4, field.seconds(60) / 4))
        field.wait_for_event("start", f"busy-{SLOTS - 1}")
        for number in range(30):
            field.post("mark", f"waits-{number}")
        with self.gone(field):
            began = time.monotonic()
            self.answer = field.post("mark", "refused")
            field.wait_for_event("end", f"busy-{SLOTS - 1}")
            field.pause(field.seconds(60) - (time.monotonic() - began) - 6)
            self.most = max(self.samples(field), default=0)

    @contextlib.contextmanager
    def gone(self, field: Field) -> Iterator[None]:
        if field.on == SQLITE:
            with write_lock(field):
                yield
        else:
            server = field.ground.postgresql
            server.stop()
            yield
            server.start()

    def samples(self, field: Field) -> Iterator[int]:
        """How many messages lie in RabbitMQ, looked at for six seconds: consumers take some and give them back."""
        until = time.monotonic() + 6
        while field.broker_url and time.monotonic() < until:
            yield ground.waiting(field.broker_url)
            time.sleep(0.1)

    def check(self, field: Field, history: History) -> Iterator[str]:
        if field.on == POSTGRESQL and self.answer.status != 503:
            yield f"a form posted meanwhile was answered by {self.answer.status}, not 503"
        if field.on == POSTGRESQL and self.most < 25:
            yield f"RabbitMQ was drained: {self.most} of 30 hints were left"
        for row in history.attempts:
            if row.outcome != "succeeded":
                yield f"an attempt ended as {row.outcome}: its result was not kept"


class UnknownCommit(Fault):
    """The answer to a COMMIT never comes back. Half of them reached PostgreSQL, the others never did."""

    number = 26
    title = "the outcome of a COMMIT unknown (cut after it is sent)"
    on = (POSTGRESQL,)
    proxied = ("postgresql",)
    per_second = 20

    def inject(self, field: Field) -> None:
        proxy = field.proxies["postgresql"]
        for _ in range(20):
            field.pause(field.chance.uniform(0.1, 0.5))
            proxy.cut_before = field.chance.random() < 0.5
            proxy.cut_when = b"COMMIT"
            field.pause(5, until=lambda: proxy.cut_when is None)

    def heal(self, field: Field) -> None:
        field.proxies["postgresql"].heal()


class Locked(Fault):
    number = 27
    title = "SQLite's write lock held for 20 s by another process"
    on = (SQLITE,)

    def inject(self, field: Field) -> None:
        field.wait(lambda: len(field.client.sent) > 10, 20, "the load has begun")
        with write_lock(field):
            before = len(field.events())
            field.pause(field.seconds(20))
            self.started = [event for event in field.events()[before + SLOTS * 3 :] if event.word == "start"]

    def check(self, field: Field, history: History) -> Iterator[str]:
        if self.started:
            yield f"{len(self.started)} bodies started while nobody could claim"
        for sent in history.sent:
            if sent.status not in (303, 503):
                yield f"the form {sent.key} was answered by {sent.status}"


@contextlib.contextmanager
def write_lock(field: Field) -> Iterator[None]:
    connection = sqlite3.connect(field.database_url.removeprefix("sqlite:///"), timeout=20, isolation_level=None)
    try:
        connection.execute("BEGIN IMMEDIATE")
        yield
        connection.execute("ROLLBACK")
    finally:
        connection.close()


class DiskFull(Fault):
    """The ledger lies on a small disk, which somebody fills to the last byte."""

    number = 28
    title = "disk full under the ledger, then freed"
    on = (SQLITE,)

    disk = "12m"

    def cannot(self, on: str) -> str:
        return "" if can_mount() else "a small disk has to be mounted, which this user may not do"

    def inject(self, field: Field) -> None:
        field.wait(lambda: len(field.client.sent) > 10, 20, "the load has begun")
        fill(field.disk / "ballast")
        self.refused = [field.post("mark", f"full-{number}", seconds=0).status for number in range(5)]
        field.pause(field.seconds(10))

    def heal(self, field: Field) -> None:
        (field.disk / "ballast").unlink()

    def check(self, field: Field, history: History) -> Iterator[str]:
        if 503 not in self.refused or not set(self.refused) <= {303, 503}:
            yield f"forms posted to the full disk were answered by {self.refused}"
        with contextlib.closing(sqlite3.connect(field.disk / "ledger.db")) as connection:
            if (verdict := connection.execute("PRAGMA integrity_check").fetchall()) != [("ok",)]:
                yield f"integrity_check says {verdict}"


def fill(path: Path) -> None:
    """Until there is no room for another byte."""
    with path.open("wb", buffering=0) as file, contextlib.suppress(OSError):
        while True:
            file.write(b"x" * 4096)
