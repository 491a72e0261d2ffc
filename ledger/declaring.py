"""A scheduler's part in what is declared: it reads ``schedules.toml``, again when that changes, and sees to it that
schedules follow code and file, also when newer code goes away again.
"""

import logging
import os
from pathlib import Path

from sqlalchemy import Engine

from ledger import declared, schedules_file
from ledger.errors import LedgerAway
from ledger.presence import Presence
from ledger.statements import Statement

log = logging.getLogger(__name__)

LOOK_SECONDS = 2.0
SOON_SECONDS = 0.1
AFTER_FAULT_SECONDS = 60.0


class Declaring:
    def __init__(self, engine: Engine, path: Path, presence: Presence):
        self._engine, self._path, self._presence = engine, path, presence
        self._read: tuple | None = None
        self._statement: Statement | None = None
        self._told: tuple | None = None
        self._seen: tuple | None = None

    def turn(self) -> float:
        """Tells the ledger what the file says, once; the seconds until the next turn. Raises LedgerAway, and nothing
        else: a declaration that nobody thought of is no reason to stop what ticks."""
        if self._presence.id is None:
            return SOON_SECONDS
        try:
            self._tell_and_follow(self._presence.id)
        except LedgerAway:
            raise
        except Exception:
            log.exception("What is declared could not be followed; it is tried again.")
            return AFTER_FAULT_SECONDS
        return LOOK_SECONDS

    def _tell_and_follow(self, process_id: str) -> None:
        statement = self._newest()
        if self._told != (process_id, statement.id):
            declared.announce(self._engine, process_id, statement)
            self._told = (process_id, statement.id)
        self._seen = declared.follow_if_changed(self._engine, self._seen)

    def _newest(self) -> Statement:
        stamp = self._stamp()
        if self._statement is None or stamp != self._read:
            self._statement, self._read = schedules_file.read(self._path), stamp
        return self._statement

    def _stamp(self) -> tuple | None:
        try:
            found = os.stat(self._path)
        except OSError:
            return None
        return found.st_mtime_ns, found.st_size, found.st_ino
