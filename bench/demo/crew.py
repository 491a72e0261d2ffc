"""The made-up processes: alive, draining, stopped, gone. ``python -m bench.demo.crew`` beats for those alive.

Nobody could tell them from real ones but for their names; while it beats, no scheduler finds them silent, and
what they are painted to run goes on running, with progress.
"""

import json
import random
import signal
import threading
from dataclasses import dataclass, field
from typing import Any

from bench.demo.times import DAY, HOUR, MINUTE, SECOND, id_at
from ledger import clock, fleet
from ledger.engine import open_engine, writing
from ledger.errors import LedgerAway
from ledger.settings import settings
from ledger.tables import processes, runs

BEAT_SECONDS = 5.0
NEW, OLD = "8c1f04d2ab", "77e0b3c915"
SHOP = ("media.thumbnail", "billing.charge", "stock.sync", "stock.extract", "stock.transform", "stock.load",
        "letters.send", "letters.count", "night.cleanup")  # fmt: skip
IMAGING = ("imaging.segment", "imaging.measure", "reports.build")
MAIL_GONE = 41 * MINUTE  # since when nobody serves "mail"


@dataclass(frozen=True, slots=True)
class Member:
    """One process; times are ages in microseconds."""

    host: str
    pid: int
    kind: str = "worker"
    jobs: tuple[str, ...] = SHOP
    queues: tuple[str, ...] = ("default",)
    slots: int = 8
    version: str = NEW
    state: str = "alive"
    age: int = 2 * HOUR
    ended: int | None = None
    because: str | None = None
    beats: int = field(default=1_000)

    @property
    def name(self) -> str:
        return f"{self.host} / {self.pid}"

    @property
    def is_alive(self) -> bool:
        return self.state in fleet.ALIVE


def _supervisor(host: str, pid: int, **more: Any) -> Member:
    return Member(host, pid, kind="supervisor", jobs=(), queues=(), slots=0, **more)


WEB_1, WEB_2 = Member("shop-1", 13_150), Member("shop-1", 13_151)
LEAVING = Member("shop-2", 2_214, version=OLD, state="draining", age=3 * DAY)
SCANNER = Member("scan-1", 771, jobs=IMAGING, queues=("imaging", "reports"), slots=4, age=9 * HOUR)
POSTMAN = Member("mail-1", 440, jobs=("mail.receipt",), queues=("mail",), age=4 * DAY, state="gone",
                 ended=MAIL_GONE, because="no sign of life for 30 s")  # fmt: skip
CREW = (
    _supervisor("shop-1", 13_100), WEB_1, WEB_2,
    _supervisor("shop-2", 2_200, version=OLD, age=3 * DAY), LEAVING,
    _supervisor("scan-1", 770, age=9 * HOUR), SCANNER,
    _supervisor("mail-1", 439, state="gone", age=4 * DAY, ended=MAIL_GONE, because="no sign of life for 30 s"),
    POSTMAN,
    Member("shop-1", 12_877, version=OLD, state="stopped", age=2 * DAY, ended=2 * HOUR, because="stopped"),
    Member("scan-1", 702, jobs=IMAGING, queues=("imaging", "reports"), slots=4, state="gone",
           age=30 * HOUR, ended=9 * HOUR, because="killed by SIGKILL"),
    Member("scan-1", 655, jobs=IMAGING, queues=("imaging", "reports"), slots=4, state="gone",
           age=50 * HOUR, ended=30 * HOUR, because="killed by SIGSEGV"),
)  # fmt: skip
HOSTS = tuple(sorted({each.host for each in CREW if each.is_alive}))


def ids(rng: random.Random, now: int) -> dict[Member, str]:
    return {each: id_at(rng, now - each.age) for each in CREW}


def rows(known: dict[Member, str], now: int) -> list[dict[str, Any]]:
    above = {each.host: known[each] for each in CREW if each.kind == "supervisor"}
    return [_row(each, known, above, now) for each in CREW]


def _row(each: Member, known: dict[Member, str], above: dict[str, str], now: int) -> dict[str, Any]:
    last = now - (each.ended or 0)
    return {
        "id": known[each], "kind": each.kind, "supervisor_id": above[each.host] if each.kind == "worker" else None,
        "host": each.host, "pid": each.pid, "version": each.version, "queues": json.dumps(each.queues),
        "jobs": json.dumps(each.jobs), "slots": each.slots, "state": each.state, "started_at": now - each.age,
        "beat_at": last, "beats": each.beats, "ended_at": None if each.ended is None else last,
        "ended_because": each.because,
    }  # fmt: skip


def main() -> None:
    """Until SIGTERM or Ctrl-C."""
    stopping = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopping.set())
    engine = open_engine(settings().ledger_url)
    while not stopping.wait(BEAT_SECONDS):
        try:
            beat(engine)
        except LedgerAway as error:
            print(f"The crew could not beat: {error}", flush=True)
    engine.dispose()


def beat(engine) -> None:
    """One beat of everybody alive, and one step of what they run."""
    mine = processes.c.host.in_(HOSTS) & processes.c.state.in_(fleet.ALIVE)
    with writing(engine) as connection:
        alive = [row.id for row in connection.execute(processes.select().where(mine))]
        new = {"beats": processes.c.beats + 1, "beat_at": clock.now()}
        connection.execute(processes.update().where(processes.c.id.in_(alive)).values(**new))
        unfinished = (runs.c.state == "running") & (runs.c.progress_done < runs.c.progress_total - 1)
        step = {"progress_done": runs.c.progress_done + 1}
        slow = runs.c.started_at < clock.now() - 30 * SECOND
        connection.execute(runs.update().where(unfinished, slow, runs.c.worker_id.in_(alive)).values(**step))


if __name__ == "__main__":
    main()
