"""For load balancers and process managers: whether this process lives, and whether the site can do its work."""

from flask import Blueprint

from ledger.errors import LedgerAway, LedgerError
from ledger.queries.schema import require_schema
from ledger.queries.system import system
from web.console import console

blueprint = Blueprint("health", __name__)


@blueprint.get("/healthz")
def healthz():
    """Restart the process when this does not answer."""
    return {"ok": True}


@blueprint.get("/readyz")
def readyz():
    """Send it requests only while this says ok: the ledger answers, with tables new enough, and a scheduler beats."""
    found = {"ledger": ledger_now(), "scheduler": scheduler_now()}
    ready = all(word == "ok" for word in found.values())
    return {"ok": ready, **found}, 200 if ready else 503


def ledger_now() -> str:
    try:
        require_schema(console().engine)
    except LedgerAway:
        return "away"
    except LedgerError:
        return "not migrated"
    return "ok"


def scheduler_now() -> str:
    try:
        return "ok" if system(console().engine).scheduler_ok else "away"
    except LedgerError:
        return "unknown"
