"""How runs flow just now: who makes them, in which queues they wait, who takes them. For the drawing."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import Connection, Select, bindparam, func, select

from ledger import clock, pauses
from ledger.prepared import Prepared
from ledger.queries.backlog import Backlog
from ledger.queries.counting import Count
from ledger.queries.levels import TAKEN_OUT
from ledger.queries.wanted import first_id_at
from ledger.queries.workers import Process, numbers_at_work
from ledger.tables import runs

MINUTE = 60 * clock.SECOND
MOST_SAMPLED = 3_000  # runs looked at for a rate; of more, the newest speak for the minute
MOST_QUEUES, MOST_HOSTS = 8, 6


@dataclass(frozen=True, slots=True)
class Source:
    """Where runs come from, as ``runs.origin`` says, and how many a minute."""

    origin: str
    rate: int


@dataclass(frozen=True, slots=True)
class FlowQueue:
    """``came`` and ``went`` are runs a minute, ``went`` those that workers did; ``hosts`` are those whose workers serve
    it."""

    name: str
    waiting: Count
    oldest_due: int | None
    running: int
    came: int
    went: int
    hosts: tuple[str, ...]
    is_paused: bool


@dataclass(frozen=True, slots=True)
class Host:
    """The workers of one host together: ``busy`` of the ``slots`` of those that take runs; ``leaving`` are at work
    on the others."""

    name: str
    workers: int
    busy: int
    slots: int
    leaving: int = 0


@dataclass(frozen=True, slots=True)
class Flow:
    """``more_queues`` and ``more_hosts`` are not in the drawing for want of room; ``slots``, ``busy`` and ``leaving``
    are of all hosts, see there."""

    sources: tuple[Source, ...]
    queues: tuple[FlowQueue, ...]
    hosts: tuple[Host, ...]
    more_queues: int
    more_hosts: int
    slots: int
    busy: int
    leaving: int

    @property
    def came(self) -> int:
        return sum(each.rate for each in self.sources)

    @property
    def went(self) -> int:
        return sum(each.went for each in self.queues)


def flow(connection: Connection, now: int, waiting: Backlog, alive: Iterable[Process]) -> Flow:
    workers = [each for each in alive if each.kind == "worker"]
    came, went = _came(connection, now), _went(connection, now)
    running = numbers_at_work(connection)
    hosts = _hosts(workers, running)
    queues = _queues(waiting, workers, running, came, went, set(pauses.paused(connection, now)))
    shown = sorted(queues, key=lambda each: (-each.waiting.number, -each.came, each.name))[:MOST_QUEUES]
    return Flow(
        sources=_sources(came),
        queues=tuple(sorted(shown, key=lambda each: each.name)),
        hosts=hosts[:MOST_HOSTS],
        more_queues=len(queues) - len(shown),
        more_hosts=max(0, len(hosts) - MOST_HOSTS),
        slots=sum(each.slots for each in hosts),
        busy=sum(each.busy for each in hosts),
        leaving=sum(each.leaving for each in hosts),
    )


def _sampled(newest: Select) -> Prepared:
    """Of statements with three columns: the number of each pair of the first two, and the least of the third."""
    first, second, at = newest.limit(bindparam("most")).subquery().c
    return Prepared(select(first, second, func.count(), func.min(at)).group_by(first, second))


_made = _sampled(
    select(runs.c.origin, runs.c.queue, runs.c.created_at)
    .where(runs.c.id >= bindparam("since"))
    .order_by(runs.c.id.desc())
)
_ended = _sampled(
    select(runs.c.state, runs.c.queue, runs.c.finished_at)
    .where(runs.c.finished_at > bindparam("since"))
    .order_by(runs.c.finished_at.desc())
)


def _came(connection: Connection, now: int) -> Counter:
    """Runs a minute by origin and queue."""
    return _rates(_made.run(connection, {"since": first_id_at(now - MINUTE), "most": MOST_SAMPLED}).fetchall(), now)


def _went(connection: Connection, now: int) -> Counter:
    rates = _rates(_ended.run(connection, {"since": now - MINUTE, "most": MOST_SAMPLED}).fetchall(), now)
    return Counter({(state, queue): rate for (state, queue), rate in rates.items() if state not in TAKEN_OUT})


def _rates(found: list, now: int) -> Counter:
    all_seen = sum(number for *_, number, _ in found) < MOST_SAMPLED
    span = MINUTE if all_seen else max(clock.SECOND, now - min(oldest for *_, oldest in found))
    return Counter({(one, two): round(number * MINUTE / span) for one, two, number, _ in found})


def _sources(came: Counter) -> tuple[Source, ...]:
    rates = Counter()
    for (origin, _), rate in came.items():
        rates[origin] += rate
    return tuple(Source(origin, rate) for origin, rate in sorted(rates.items()))


def _by_queue(rates: Counter) -> Counter:
    found = Counter()
    for (_, queue), rate in rates.items():
        found[queue] += rate
    return found


def _queues(
    waiting: Backlog, workers: list[Process], running: list, came: Counter, went: Counter, paused: set[str]
) -> list[FlowQueue]:
    at_work = Counter()
    for row in running:
        at_work[row.queue] += row.number
    by_name = {each.name: each for each in waiting.queues}
    came, went = _by_queue(came), _by_queue(went)
    names = {*by_name, *at_work, *came, *went, *paused, *(name for each in workers for name in each.queues)}
    return [
        FlowQueue(
            name=name,
            waiting=by_name[name].waiting if name in by_name else Count(),
            oldest_due=by_name[name].oldest_due if name in by_name else None,
            running=at_work[name],
            came=came[name],
            went=went[name],
            hosts=tuple(sorted({each.host for each in workers if each.takes_runs and name in each.queues})),
            is_paused=name in paused,
        )
        for name in sorted(names)
    ]


def _hosts(workers: list[Process], running: list) -> tuple[Host, ...]:
    busy = Counter()
    for row in running:
        busy[row.worker_id] += row.number
    names = sorted({each.host for each in workers})
    return tuple(_host(name, [each for each in workers if each.host == name], busy) for name in names)


def _host(name: str, workers: list[Process], busy: Counter) -> Host:
    """Workers that are being drained have no slots for others any more, and are busy until they have ended."""
    taking = [each for each in workers if each.takes_runs]
    at_work, of_taking = (sum(busy[each.id] for each in some) for some in (workers, taking))
    return Host(name, len(workers), of_taking, sum(each.slots for each in taking), at_work - of_taking)
