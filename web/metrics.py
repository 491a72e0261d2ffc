"""``/metrics`` for Prometheus: read from the ledger when it is scraped, at most every few seconds.

Counters are the ledger's own totals: they survive restarts of the site and the pruning of runs, and are the same
from every site of one ledger. Nothing is registered anywhere: each scrape builds its own families.
"""

import hmac
import time
from collections import Counter
from collections.abc import Iterator
from threading import Lock

from flask import Blueprint, Flask, Response, current_app, request
from prometheus_client import CollectorRegistry
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest
from prometheus_client.registry import Collector

from ledger import clock, measures
from ledger.measures import TOOKS, WAITS
from ledger.queries.gauges import Gauges, gauges
from ledger.settings import Settings
from ledger.tally import OTHER
from web.console import console
from web.session import is_signed_in, password

blueprint = Blueprint("metrics", __name__)

KEPT_SECONDS = 3.0
KINDS = ("worker", "supervisor", "scheduler")


class Kept:
    """The last answer, for scrapes that follow each other closely; one of them asks the ledger, the others wait."""

    def __init__(self, seconds: float = KEPT_SECONDS):
        self._seconds, self._lock = seconds, Lock()
        self._text, self._until = b"", 0.0

    def get(self, make) -> bytes:
        with self._lock:
            if time.monotonic() >= self._until:
                self._text = make()
                self._until = time.monotonic() + self._seconds
            return self._text


def init_app(app: Flask, settings: Settings) -> None:
    app.extensions["waybill_metrics"] = Kept()


@blueprint.get("/metrics")
def show() -> Response:
    if not may_read():
        return Response("A bearer token (METRICS_TOKEN) or a session is needed.\n", 401, {"WWW-Authenticate": "Bearer"})
    text = current_app.extensions["waybill_metrics"].get(exposition)
    return Response(text, content_type=CONTENT_TYPE_LATEST)


def may_read() -> bool:
    """Whoever may read the pages, and who has the token."""
    return not password() or is_signed_in() or _has_token()


def _has_token() -> bool:
    token = console().settings.metrics_token.get_secret_value()
    given = request.headers.get("Authorization", "").removeprefix("Bearer ").strip()
    return bool(token) and hmac.compare_digest(given.encode(), token.encode())


def exposition() -> bytes:
    registry = CollectorRegistry(auto_describe=False)
    registry.register(Ledger(gauges(console().engine), console().settings.embedded))
    return generate_latest(registry)


class Ledger(Collector):
    """What was read from the ledger, as families of metrics."""

    def __init__(self, read: Gauges, embedded: bool):
        self._read, self._embedded = read, embedded

    def collect(self) -> Iterator:
        yield from _counters(self._read)
        yield from _histograms(self._read)
        yield from _queues(self._read)
        yield from _processes(self._read)
        yield from _rest(self._read)
        if not self._embedded:  # without a broker there are no hints
            yield _hint_lag(self._read)


def _counters(read: Gauges) -> Iterator:
    """By job and state: the ledger keeps the number of jobs bounded, the rest is one job called ``(other)``."""
    finished = CounterMetricFamily("waybill_runs_finished", "Runs that ended, by how.", labels=["job", "outcome"])
    for total in read.totals:
        finished.add_metric([total.job, total.state], total.numbers["runs"])
    yield finished
    for name, key, text in (
        ("waybill_runs_rescued", "crashes", "Attempts whose worker died, of runs that ended since."),
        ("waybill_attempts_failed", "failures", "Attempts that ended with an exception, of runs that ended since."),
    ):
        family = CounterMetricFamily(name, text, labels=["job"])
        for job, numbers in _by_job(read).items():
            family.add_metric([job], numbers[key])
        yield family


def _by_job(read: Gauges) -> dict[str, Counter]:
    found: dict[str, Counter] = {}
    for total in read.totals:
        found.setdefault(total.job, Counter()).update(total.numbers)
    return found


def _histograms(read: Gauges) -> Iterator:
    for name, text, place, total, bounds in (
        ("waybill_run_wait_seconds", "From when a run was due to its last start.", "wait", "waited", WAITS),
        ("waybill_run_duration_seconds", "From a run's last start to its end, done or failed.", "took", "took", TOOKS),
    ):
        family = HistogramMetricFamily(name, text, labels=["job"])
        for job, numbers in _by_job(read).items():
            buckets = _cumulative(measures.histogram(numbers, place, bounds), bounds)
            family.add_metric([job], buckets, numbers[total] / clock.SECOND)
        yield family


def _cumulative(numbers: list[int], bounds: tuple[float, ...]) -> list[tuple[str, float]]:
    names = [*(str(float(bound)) for bound in bounds), "+Inf"]
    return [(name, sum(numbers[: place + 1])) for place, name in enumerate(names)]


def _queues(read: Gauges) -> Iterator:
    waiting = GaugeMetricFamily("waybill_queue_waiting", "Runs that are due and wait, up to 10,000.", labels=["queue"])
    oldest = GaugeMetricFamily("waybill_queue_oldest_seconds", "How long the longest of them waits.", labels=["queue"])
    served = GaugeMetricFamily("waybill_queue_served", "1 when a live worker serves it.", labels=["queue"])
    for queue in read.backlog.queues:
        waiting.add_metric([queue.name], queue.waiting.number)
        oldest.add_metric([queue.name], _seconds(read.now - queue.oldest_due))
        served.add_metric([queue.name], int(queue.served))
    if read.other_queues:
        waiting.add_metric([OTHER], read.other_queues.number)
    running = GaugeMetricFamily("waybill_queue_running", "Runs of it at work.", labels=["queue"])
    for queue, number in read.running:
        running.add_metric([queue], number)
    yield from (waiting, oldest, served, running)


def _processes(read: Gauges) -> Iterator:
    number = GaugeMetricFamily("waybill_processes", "Processes that beat.", labels=["kind"])
    beat = GaugeMetricFamily("waybill_beat_age_seconds", "Since the oldest last beat of a kind.", labels=["kind"])
    for kind in KINDS:
        own = [each for each in read.alive if each.kind == kind]
        number.add_metric([kind], sum(not each.silent for each in own))
        if own:
            beat.add_metric([kind], max(_seconds(read.now - each.beat_at) for each in own))
    slots = sum(each.slots for each in read.alive if each.takes_runs)
    yield from (number, beat, _gauge("waybill_slots", "Runs that live workers can execute at the same time.", slots))


def _hint_lag(read: Gauges) -> GaugeMetricFamily:
    lag = 0.0 if read.hint_due_at is None else _seconds(read.now - read.hint_due_at)
    return _gauge("waybill_hint_lag_seconds", "How overdue the next hint of a waiting run is.", lag)


def _rest(read: Gauges) -> Iterator:
    late = "Results that came in the last day after their attempt had been given up, and were dropped."
    yield _gauge("waybill_results_superseded_last_day", late, read.late.number)
    unread = "Messages of the last day that nobody could read."
    yield _gauge("waybill_messages_rejected_last_day", unread, read.rejected.number)
    counted = "The counters and histograms count runs that ended up to here."
    yield _gauge("waybill_counted_to_timestamp_seconds", counted, read.counted_to / clock.SECOND)


def _gauge(name: str, text: str, value: float) -> GaugeMetricFamily:
    return GaugeMetricFamily(name, text, value=value)


def _seconds(microseconds: int) -> float:
    return max(0, microseconds) / clock.SECOND
