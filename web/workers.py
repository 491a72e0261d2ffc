"""The processes that work for this ledger."""

from flask import Blueprint

from ledger.queries.workers import workers_page
from web.console import console
from web.live import live_page

blueprint = Blueprint("workers", __name__, url_prefix="/workers")

SECONDS = 3


@blueprint.get("")
def index():
    return live_page("workers/index.html", workers_page(console().engine), SECONDS)
