"""The drawing of the flow: producers, exchange, queues, workers. Boxes are HTML, so that they are links, can be read
aloud and become a list on a phone; the wires between them are SVG, which only those who see them need."""

from dataclasses import dataclass
from typing import Any

from flask import url_for
from flask_babel import gettext as _
from flask_babel import ngettext

from ledger import clock
from ledger.queries.counting import Count
from ledger.queries.flow import Flow, FlowQueue, Host, Source
from web.alerts import waiting_link
from web.numbers import count, number
from web.words import ORIGIN

#: In pixels, as ``app.css`` has them.
BOX, GAP = 72, 12
MANY = 60  # runs a minute from which on a wire is thick


@dataclass(frozen=True, slots=True)
class Box:
    """``since`` is an instant whose age ends the first note."""

    word: str
    note: str
    more: str
    link: str
    since: int | None = None
    is_bad: bool = False


@dataclass(frozen=True, slots=True)
class Column:
    word: str
    boxes: tuple[Box, ...]
    rest: str = ""


@dataclass(frozen=True, slots=True)
class Wire:
    """``path`` on a ground that is 100 wide; ``weight`` is idle, some or many."""

    path: str
    weight: str


@dataclass(frozen=True, slots=True)
class FlowView:
    """``wires[i]`` lie between ``columns[i]`` and the next."""

    sentence: str
    columns: tuple[Column, ...]
    wires: tuple[tuple[Wire, ...], ...]
    height: int


def view(flow: Flow, broker: Any) -> FlowView:
    columns = (_producers(flow), Column(_("Exchange"), (_exchange(broker),)), _queues(flow), _workers(flow))
    height = max(_height(len(each.boxes)) for each in columns)
    producers, queues, hosts = flow.sources, flow.queues, [host.name for host in flow.hosts]
    wires = (
        tuple(_wire(height, len(producers), i, 1, 0, each.rate) for i, each in enumerate(producers)),
        tuple(_wire(height, 1, 0, len(queues), i, each.came) for i, each in enumerate(queues)),
        tuple(
            _wire(height, len(queues), i, len(hosts), hosts.index(host), each.went // len(each.hosts))
            for i, each in enumerate(queues)
            for host in each.hosts
            if host in hosts
        ),
    )
    return FlowView(_sentence(flow), columns, wires, height)


def _height(boxes: int) -> int:
    return boxes * (BOX + GAP) - GAP


def _wire(height: int, left: int, place: int, right: int, other: int, rate: int) -> Wire:
    start, end = _middle(height, left, place), _middle(height, right, other)
    weight = "idle" if not rate else "many" if rate >= MANY else "some"
    return Wire(f"M0 {start}C50 {start} 50 {end} 100 {end}", weight)


def _middle(height: int, boxes: int, place: int) -> int:
    """Of a box in a column whose boxes stand in the middle of its height."""
    return (height - _height(boxes)) // 2 + place * (BOX + GAP) + BOX // 2


def _sentence(flow: Flow) -> str:
    waiting = sum((each.waiting for each in flow.queues), Count())
    came = ngettext("1 run came in", "%(runs)s runs came in", flow.came, runs=number(flow.came))
    moved = _("In the last minute %(came)s and %(went)s finished.", came=came, went=number(flow.went))
    waits = _("%(number)s wait.", number=count(waiting)) if waiting else _("None waits.")
    at_work = ngettext(
        "%(busy)s of %(slots)s slots is busy.",
        "%(busy)s of %(slots)s slots are busy.",
        flow.busy,
        busy=number(flow.busy),
        slots=number(flow.slots),
    )
    return f"{moved} {waits} {at_work} {_leaving(flow)}".rstrip()


def _leaving(flow: Flow) -> str:
    if not flow.leaving:
        return ""
    return ngettext(
        "%(num)s run is at work on a worker that takes no more.",
        "%(num)s runs are at work on workers that take no more.",
        flow.leaving,
    )


def _producers(flow: Flow) -> Column:
    quiet = Box(_("Quiet"), _("nothing came in"), _("in the last minute"), url_for("jobs.index"))
    return Column(_("Producers"), tuple(_producer(each) for each in flow.sources) or (quiet,))


PRODUCERS = {"form": "jobs.index", "schedule": "schedules.index"}


def _producer(source: Source) -> Box:
    word = str(ORIGIN.get(source.origin, source.origin))
    link = url_for(PRODUCERS.get(source.origin, "runs.index"))
    return Box(word[:1].upper() + word[1:], _("%(rate)s per min", rate=number(source.rate)), "", link)


def _exchange(broker: Any) -> Box:
    link = url_for("workers.index")
    if broker.kind == "embedded":
        return Box(_("The ledger"), _("embedded broker:"), _("workers claim here"), link)
    if broker.ok:
        return Box("RabbitMQ", _("carries hints;"), _("the runs stand in the ledger"), link)
    since = clock.from_datetime(broker.since) if broker.since else None
    return Box("RabbitMQ", _("away for") if since else _("away"), _("workers look into the ledger"), link, since, True)


def _queues(flow: Flow) -> Column:
    none = Box(_("No queue"), _("no worker serves one,"), _("nothing waits"), url_for("workers.index"))
    rest = ngettext("and 1 more", "and %(num)s more", flow.more_queues) if flow.more_queues else ""
    return Column(_("Queues"), tuple(_queue(each) for each in flow.queues) or (none,), rest)


def _queue(queue: FlowQueue) -> Box:
    rates = _("in %(came)s, out %(went)s per min", came=number(queue.came), went=number(queue.went))
    unserved = not queue.hosts
    more = _("no worker serves it") if unserved and queue.waiting else _("paused") if queue.is_paused else rates
    link, waits = waiting_link(queue.name), bool(queue.waiting)
    note = _("%(number)s wait, oldest", number=count(queue.waiting)) if waits else _("nothing waits")
    return Box(queue.name, note, more, link, queue.oldest_due, unserved and waits)


def _workers(flow: Flow) -> Column:
    none = Box(_("No worker"), _("start one:"), "python -m workers", url_for("workers.index"), is_bad=True)
    rest = ngettext("and 1 more host", "and %(num)s more hosts", flow.more_hosts) if flow.more_hosts else ""
    return Column(_("Workers"), tuple(_host(each) for each in flow.hosts) or (none,), rest)


def _host(host: Host) -> Box:
    workers = ngettext("1 worker", "%(num)s workers", host.workers)
    busy = _("%(busy)s of %(slots)s slots busy", busy=number(host.busy), slots=number(host.slots))
    if not host.slots:  # all of them drain
        busy = ngettext("draining, %(num)s run at work", "draining, %(num)s runs at work", host.busy + host.leaving)
    return Box(host.name, busy, workers, url_for("workers.index"))
