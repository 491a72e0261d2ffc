"""Whether the ledger's tables are there, for the processes that do not migrate."""

from sqlalchemy import Engine

from ledger import revision
from ledger.engine import reading
from ledger.errors import LedgerError
from ledger.revision import newest


class SchemaMissing(LedgerError):
    """Raised as long as ``python -m ledger`` was not run on this database, or was run by older code."""

    def __init__(self, found: str | None):
        self.found = found
        what = "is empty" if found is None else f"has the schema {found}, this program needs {newest()}"
        super().__init__(f"the ledger {what}: run python -m ledger")


def require_schema(engine: Engine) -> None:
    """Raises SchemaMissing or LedgerAway. A newer schema is fine: migrations only add."""
    with reading(engine) as connection:
        found = revision.of(connection)
    if found is None or found < newest():
        raise SchemaMissing(found)
