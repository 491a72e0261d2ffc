"""The first page: is anything wrong, since when, and is it getting worse?"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from flask import Blueprint, request, url_for

from ledger.queries import overview as queries
from ledger.queries.failures import Cause
from ledger.queries.lines import RunLine
from ledger.queries.overview import Overview
from ledger.queries.throughput import Range
from web import alerts, failureview, figures, flowview, strip
from web.alert import Alert
from web.charts import Bars, bars
from web.console import console, failures_seen_at
from web.figures import Figure
from web.flowview import FlowView
from web.language import Later as _l
from web.live import live_page
from web.pace import Pace, now_in_steps, pace

blueprint = Blueprint("overview", __name__)

SECONDS = 3
RANGES = {Range.HOUR: _l("Last hour"), Range.DAY: _l("Last 24 h"), Range.WEEK: _l("Last 7 days")}


@dataclass(frozen=True, slots=True)
class AtWork:
    run: RunLine
    percent: str
    pace: Pace


@dataclass(frozen=True, slots=True)
class CauseRow:
    cause: Cause
    words: str
    url: str


@dataclass(frozen=True, slots=True)
class RangeLink:
    word: str
    url: str
    is_current: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class OverviewPage:
    """``needs_you`` counts the alerts in words; ``well`` is how things are besides."""

    now: Overview
    ranges: tuple[RangeLink, ...]
    range_word: str
    alerts: tuple[Alert, ...]
    needs_you: str
    well: str
    figures: tuple[Figure, ...]
    chart: Bars
    flow: FlowView
    at_work: tuple[AtWork, ...]
    causes: tuple[CauseRow, ...]


@blueprint.get("/")
def index():
    wanted = asked(request.args.get("range", ""))
    now = queries.overview(console().engine, wanted, failures_seen_at())
    strip.take(now.system)
    page = page_of(now, console().publisher.status(), console().settings.var)
    return live_page("overview/index.html", page, SECONDS)


def asked(name: str) -> Range:
    """What cannot be understood is the last hour."""
    return next((each for each in Range if each == name), Range.HOUR)


def page_of(now: Overview, broker: Any, var: Path) -> OverviewPage:
    found = alerts.of(now, broker, var)
    return OverviewPage(
        now=now,
        ranges=tuple(_range_link(each, now.throughput.range) for each in Range),
        range_word=str(RANGES[now.throughput.range]),
        alerts=found,
        needs_you=alerts.needs_you(found),
        well=alerts.well(now),
        figures=figures.of(now),
        chart=bars(now.throughput),
        flow=flowview.view(now.flow, broker),
        at_work=tuple(_at_work(run, now.usual.get(run.job)) for run in now.at_work),
        causes=tuple(_cause(cause) for cause in now.failures.causes),
    )


def _range_link(each: Range, current: Range) -> RangeLink:
    url = url_for("overview.index", range=None if each == Range.HOUR else each.value)
    return RangeLink(str(RANGES[each]), url, each == current)


def _at_work(run: RunLine, usual: int | None) -> AtWork:
    known = run.progress and run.progress.percent is not None
    return AtWork(run, f"{run.progress.percent} %" if known else "", pace(run, usual, now_in_steps()))


def _cause(cause: Cause) -> CauseRow:
    return CauseRow(cause, failureview.said(cause.error_type, cause.text), alerts.cause_link(cause))
