"""The first page: is anything wrong, since when, and is it getting worse?"""

from dataclasses import dataclass

from flask import Blueprint

from ledger.queries import overview as queries
from ledger.queries.overview import Overview
from web import alerts
from web.alerts import Alert
from web.charts import Bars, bars
from web.console import console
from web.live import live_page
from web.numbers import percent

blueprint = Blueprint("overview", __name__)

SECONDS = 3


@dataclass(frozen=True, slots=True)
class OverviewPage:
    now: Overview
    alerts: tuple[Alert, ...]
    chart: Bars
    failed_share: str
    per_minute: str


@blueprint.get("/")
def index():
    return live_page("overview/index.html", page_of(queries.overview(console().engine)), SECONDS)


def page_of(now: Overview) -> OverviewPage:
    throughput = now.throughput
    finished = throughput.done + throughput.failed
    rate = throughput.done / len(throughput.minutes)
    return OverviewPage(
        now=now,
        alerts=alerts.of(now),
        chart=bars(throughput),
        failed_share=percent(throughput.failed, finished),
        per_minute=f"{rate:.0f}" if rate >= 10 else f"{rate:.1f}",
    )
