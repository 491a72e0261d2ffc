"""Who would take a run: the live workers, by queue, and the jobs they know."""

from dataclasses import dataclass

from sqlalchemy import Connection, bindparam, select

from ledger import clock, texts
from ledger.prepared import Prepared
from ledger.tables import processes

#: A process that should be alive but did not beat for so long is shown as silent, and not counted on.
SILENT = 30 * clock.SECOND


@dataclass(frozen=True, slots=True)
class Consumers:
    """Which jobs the live workers of each queue know."""

    jobs: dict[str, frozenset[str]]

    def consume(self, queue: str) -> bool:
        return queue in self.jobs

    def know(self, queue: str, job: str) -> bool:
        return job in self.jobs.get(queue, ())


_live = Prepared(
    select(processes.c.queues, processes.c.jobs).where(
        processes.c.state == "alive", processes.c.kind == "worker", processes.c.beat_at >= bindparam("since")
    )
)


def consumers(connection: Connection, now: int) -> Consumers:
    found: dict[str, frozenset[str]] = {}
    for queues, jobs in _live.run(connection, {"since": now - SILENT}):
        for queue in texts.from_json(queues):
            found[queue] = found.get(queue, frozenset()) | frozenset(texts.from_json(jobs))
    return Consumers(found)
