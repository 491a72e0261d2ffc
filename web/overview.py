"""The first page: is anything wrong, since when, and is it getting worse?"""

from dataclasses import dataclass
from typing import Any

from flask import Blueprint

from ledger import clock
from ledger.queries import overview as queries
from ledger.queries.failures import Cause
from ledger.queries.lines import RunLine
from ledger.queries.overview import Overview
from web import alerts, failureview, figures
from web.alerts import Alert
from web.charts import Bars, bars
from web.console import console
from web.figures import Figure
from web.live import live_page
from web.runview import STEP, time_left

blueprint = Blueprint("overview", __name__)

SECONDS = 3


@dataclass(frozen=True, slots=True)
class AtWork:
    run: RunLine
    percent: str
    left: int | None


@dataclass(frozen=True, slots=True)
class CauseRow:
    cause: Cause
    words: str
    url: str


@dataclass(frozen=True, slots=True)
class OverviewPage:
    """``well`` is what the page says when there is no alert."""

    now: Overview
    alerts: tuple[Alert, ...]
    well: str
    figures: tuple[Figure, ...]
    chart: Bars
    at_work: tuple[AtWork, ...]
    causes: tuple[CauseRow, ...]


@blueprint.get("/")
def index():
    return live_page(
        "overview/index.html", page_of(queries.overview(console().engine), console().publisher.status()), SECONDS
    )


def page_of(now: Overview, broker: Any) -> OverviewPage:
    return OverviewPage(
        now=now,
        alerts=alerts.of(now, broker),
        well=alerts.well(now),
        figures=figures.of(now),
        chart=bars(now.throughput),
        at_work=tuple(_at_work(run) for run in now.at_work),
        causes=tuple(_cause(cause) for cause in now.failures.causes),
    )


def _at_work(run: RunLine) -> AtWork:
    known = run.progress and run.progress.percent is not None
    return AtWork(run, f"{run.progress.percent} %" if known else "", time_left(run, clock.now() // STEP * STEP))


def _cause(cause: Cause) -> CauseRow:
    return CauseRow(cause, failureview.said(cause.error_type, cause.text), alerts.cause_link(cause))
