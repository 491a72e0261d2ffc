"""The sentences on top of the overview: what is wrong, since when, and where to go."""

from dataclasses import dataclass
from typing import Any

from flask import url_for

from ledger import clock
from ledger.queries.arguments import plainly
from ledger.queries.backlog import WaitingQueue
from ledger.queries.failures import Cause
from ledger.queries.overview import Overview
from ledger.queries.throughput import JobShare
from web.numbers import count, number

#: A job fails much when it failed so often, and in so many percent of its runs.
MUCH_NUMBER, MUCH_PERCENT = 5, 5


@dataclass(frozen=True, slots=True)
class Alert:
    """``bold`` and ``text`` are the sentence, ``since_word`` and the age of ``since`` its end."""

    hue: str
    bold: str
    text: str
    since_word: str
    since: int | None
    link: str
    link_word: str


def of(now: Overview, broker: Any) -> tuple[Alert, ...]:
    """``broker`` is the publisher's BrokerStatus."""
    unserved = [_unserved(queue) for queue in now.backlog.unserved]
    failing = [_failing(share, now) for share in now.throughput.jobs if fails_much(share)]
    return tuple(_broker(broker) + _scheduler(now) + unserved + failing)


def fails_much(share: JobShare) -> bool:
    return share.failed >= MUCH_NUMBER and share.percent >= MUCH_PERCENT


def well(now: Overview) -> str:
    """What to say when nothing is wrong."""
    workers = now.system.workers
    up = "No worker is up" if not workers else "The worker is up" if workers == 1 else f"All {workers} workers are up"
    waiting = "nothing waits" if not now.backlog.waiting else "what waits is served"
    failed = now.throughput.failed
    fails = "no failure in the last hour" if not failed else f"{number(failed)} failed in the last hour"
    return f"{up}, {waiting}, {fails}."


def _broker(broker: Any) -> list[Alert]:
    if broker.ok:
        return []
    text = f"Runs are accepted, workers find them in the ledger a little later. It says: {broker.detail}."
    since = clock.from_datetime(broker.since) if broker.since else None
    return [Alert("warn", "RabbitMQ is away.", text, "Away for", since, url_for("workers.index"), "See the processes")]


def _scheduler(now: Overview) -> list[Alert]:
    if now.system.scheduler_ok or not now.has_any:
        return []
    beat = now.system.scheduler_beat
    bold = "No scheduler is running." if beat is None else "The scheduler stopped beating."
    text = "Schedules, retries and lost hints wait for one: python scheduler.py."
    return [Alert("bad", bold, text, "Last beat", beat, url_for("workers.index"), "See the processes")]


def _unserved(queue: WaitingQueue) -> Alert:
    runs = "1 run is" if queue.waiting.number == 1 else f"{count(queue.waiting)} runs are"
    bold, text = f"No worker consumes “{queue.name}”.", f"{runs} waiting, the oldest"
    link = url_for("runs.index", tab="waiting", queue=queue.name)
    return Alert("bad", bold, text, "for", queue.oldest_due, link, "See them")


def _failing(share: JobShare, now: Overview) -> Alert:
    causes = [cause for cause in now.failures.causes if cause.job == share.job]
    main = max(causes, key=lambda cause: cause.number, default=None)
    text = f"{number(share.failed)} of {number(share.finished)} runs"
    if main and len(causes) > 1:
        text += f", {number(main.number)} of them with “{main.text or main.error_type}”"
    first = min((cause.first_at for cause in causes), default=None)
    link = url_for("runs.index", tab="failed", job=share.job, age="hour")
    return Alert(
        "warn",
        f"{share.job} fails {share.percent} % of the time:",
        text,
        "in the last",
        first,
        link,
        "See the runs",
    )


def cause_link(cause: Cause) -> str:
    return url_for("runs.index", tab="failed", job=cause.job, q=plainly(cause.text or cause.error_type))
