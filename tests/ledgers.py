"""Ledgers that are ready: copies of one that was migrated, for migrating takes longer than most tests."""

import shutil
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

from sqlalchemy import Engine, inspect

from ledger.engine import open_engine
from ledger.migrate import migrate


def prepare(engine: Engine) -> None:
    """Brings a new database to the newest schema; leaves one that has it alone."""
    path = engine.url.database
    if engine.dialect.name == "sqlite" and not Path(path).exists():
        Path(path).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(Path(_migrated_folder().name, "ledger.db"), path)
    elif not inspect(engine).has_table("runs"):
        migrate(engine)


@cache
def _migrated_folder() -> TemporaryDirectory:
    """With a ``ledger.db`` on SQLite; it goes with the process."""
    folder = TemporaryDirectory(prefix="waybill-ledger-")
    made_at(f"sqlite:///{folder.name}/ledger.db")
    return folder


def made_at(url: str) -> str:
    """``url``, whose database is migrated, and which nobody uses."""
    engine = open_engine(url)
    migrate(engine)
    engine.dispose()
    return url
