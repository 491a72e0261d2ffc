"""``python -m ledger``: checks the settings and brings the ledger to the newest schema."""

import sqlite3
import sys

from ledger.engine import has_wal_reset_bug, is_sqlite, open_engine
from ledger.errors import LedgerAway
from ledger.migrate import migrate
from ledger.settings import SettingsError, settings


def main() -> int:
    try:
        engine = open_engine(settings().ledger_url)
        migrate(engine)
    except (SettingsError, LedgerAway) as error:
        print(error, file=sys.stderr)
        return 1
    print(f"The ledger is ready: {engine.url.render_as_string(hide_password=True)}")
    if is_sqlite(engine) and has_wal_reset_bug():
        print(f"Note: SQLite {sqlite3.sqlite_version} has the rare WAL-reset bug; see docs/decisions.md.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
