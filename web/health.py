"""For load balancers and process managers: whether the site can do its work, without details."""

from flask import Blueprint

from ledger.errors import LedgerError
from ledger.queries.schema import require_schema
from web.console import console

blueprint = Blueprint("health", __name__)


@blueprint.get("/healthz")
def healthz():
    try:
        require_schema(console().engine)
    except LedgerError:
        return {"ok": False, "ledger": "away"}, 503
    return {"ok": True}
