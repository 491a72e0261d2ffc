"""Since when the ledger is away, as far as this process saw, and where to look."""

import threading
from dataclasses import dataclass

from flask import current_app

from ledger import clock
from ledger.settings import Settings
from web.language import Later as _l

#: Two failures further apart than this are two outages.
GAP = 60 * clock.SECOND
_lock = threading.Lock()

HINTS = {
    "sqlite": (
        _l("Is the disk full, or the folder not writable?"),
        _l("Does another program hold a lock on the file?"),
        _l("Was the file moved or deleted?"),
    ),
    "postgresql": (
        _l("Does PostgreSQL run, and does it answer at that address?"),
        _l("Has it connections left for this site (max_connections)?"),
        _l("Did the password or the certificate change?"),
    ),
}


@dataclass(frozen=True, slots=True)
class Away:
    kind: str
    place: str
    since: int
    cause: str
    hints: tuple[str, ...]


def page(settings: Settings, cause: str) -> Away:
    """``place`` is the database's address without its password."""
    url = settings.ledger_url
    kind = "sqlite" if url.startswith("sqlite") else "postgresql"
    return Away(kind, without_password(url), note(), cause, tuple(str(hint) for hint in HINTS[kind]))


def note() -> int:
    """Remembers this failure; when the outage that it belongs to began."""
    now = clock.now()
    with _lock:
        first, last = current_app.extensions.get("waybill_outage", (now, now))
        first = first if now - last < GAP else now
        current_app.extensions["waybill_outage"] = (first, now)
    return first


def without_password(url: str) -> str:
    scheme, _, rest = url.partition("://")
    secret, at, host = rest.rpartition("@")
    return f"{scheme}://{secret.partition(':')[0]}{at}{host}"
