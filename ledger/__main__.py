"""``python -m ledger``: checks the settings and brings the ledger to the newest schema."""

import sys

from ledger.engine import open_engine
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
    return 0


if __name__ == "__main__":
    sys.exit(main())
