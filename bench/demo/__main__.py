"""``python -m bench.demo``: makes a ledger for the demo, anew each time, and fills it. ``make demo`` then serves it."""

import argparse
import shutil
import sys
import time
from pathlib import Path

from bench.demo import livedin
from ledger import tables
from ledger.engine import open_engine, reading
from ledger.migrate import migrate
from ledger.settings import Settings, SettingsError, settings

#: Only a folder with this file in it is emptied.
MARK = "made-by-make-demo"


class NotOurs(Exception):
    """Raised when the folder or the database holds something that no demo has put there."""


def main() -> int:
    options = parse()
    try:
        prepare(settings().var)
        began = time.monotonic()
        fill(settings(), options.runs, options.seed)
    except (SettingsError, NotOurs) as error:
        print(error, file=sys.stderr)
        return 1
    print(f"A week with {options.runs:,} runs, made in {time.monotonic() - began:.0f} s: {settings().var}")
    return 0


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench.demo", description=__doc__.partition(":")[0])
    parser.add_argument("--runs", type=int, default=200_000, help="finished runs of the week (%(default)s)")
    parser.add_argument("--seed", type=int, default=1, help="the same seed makes the same week (%(default)s)")
    return parser.parse_args()


def prepare(var: Path) -> None:
    """An empty folder with our mark. Raises NotOurs."""
    if var.exists() and any(var.iterdir()):
        if not (var / MARK).exists():
            raise NotOurs(f"{var} is no demo's folder: it stays as it is. Choose another WAYBILL_VAR.")
        shutil.rmtree(var)
    var.mkdir(parents=True, exist_ok=True)
    (var / MARK).touch()


def fill(chosen: Settings, number: int, seed: int) -> None:
    """Raises NotOurs when the database is in use."""
    engine = open_engine(chosen.ledger_url)
    migrate(engine)
    with reading(engine) as connection:
        if connection.execute(tables.runs.select().limit(1)).first() is not None:
            raise NotOurs("The database holds runs already: it stays as it is. Choose an empty one.")
    livedin.fill(engine, number, seed, artifacts=chosen.artifacts)
    engine.dispose()


if __name__ == "__main__":
    sys.exit(main())
