"""The strip on every page: how broker, ledger, scheduler and workers are, and when that was."""

from dataclasses import dataclass
from typing import Any

from flask import Blueprint, Flask, Response, g

from ledger import clock
from ledger.errors import LedgerError
from ledger.queries.system import System, system
from ledger.settings import Settings
from web import moments
from web.console import console, failures_seen_at
from web.live import live_page

blueprint = Blueprint("strip", __name__)

SECONDS = 5


@dataclass(frozen=True, slots=True)
class Strip:
    """``system`` is None while the ledger is away; ``broker_since`` is set while the broker is away."""

    system: System | None
    broker_kind: str
    broker_ok: bool
    broker_since: int | None
    broker_detail: str


def init_app(app: Flask, settings: Settings) -> None:
    app.jinja_env.globals |= {
        "strip": current_strip,
        "strip_seconds": SECONDS,
        "now_ms": now_ms,
        "now_clock": now_clock,
        "zone": settings.display_timezone,
    }


def now_ms() -> int:
    """The server's clock, by which browsers correct theirs."""
    return clock.now() // clock.MILLISECOND


def now_clock() -> str:
    return f"{moments.local(clock.now()):%H:%M:%S}"


@blueprint.get("/strip")
def show() -> Response:
    return live_page("_strip.html", current_strip(), SECONDS)


def current_strip() -> Strip:
    """Looked up once a request: navigation and strip show the same."""
    if "strip" not in g:
        g.strip = _strip(system_or_none(console().engine, failures_seen_at()))
    return g.strip


def take(known: System) -> None:
    """For pages that looked it up already, with ``failures_seen_at``."""
    g.strip = _strip(known)


def _strip(known: System | None) -> Strip:
    broker = console().publisher.status()
    return Strip(
        system=known,
        broker_kind=broker.kind,
        broker_ok=broker.ok,
        broker_since=away_since(broker),
        broker_detail=broker.detail,
    )


def away_since(broker: Any) -> int | None:
    """Since when the broker is away; None while it is not."""
    return None if broker.ok or broker.since is None else clock.from_datetime(broker.since)


def system_or_none(engine: Any, seen_at: int) -> System | None:
    try:
        return system(engine, seen_at)
    except LedgerError:
        return None
