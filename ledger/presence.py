"""The row of a process that runs no jobs itself, such as a scheduler: signing on, beating, signing off."""

import logging

from sqlalchemy import Engine

from ledger import fleet
from ledger.engine import writing
from ledger.errors import LedgerAway
from ledger.fleet import NewProcess

log = logging.getLogger(__name__)

BEAT_SECONDS = 5.0


class Presence:
    """``beat`` every ``BEAT_SECONDS`` keeps the process alive in the ledger; ``id`` is None before the first."""

    def __init__(self, engine: Engine, kind: str):
        self._engine, self._kind = engine, kind
        self.id: str | None = None

    def beat(self) -> float:
        """Signs on or shows a sign of life; the seconds until the next beat. Raises LedgerAway."""
        if self.id is None:
            self._sign_on()
        elif not self._is_counted():
            # As after a long freeze. What we held was given away, and nothing is ours any more: start anew.
            log.warning("This %s was declared gone meanwhile; it signs on again.", self._kind)
            self._sign_on()
        return BEAT_SECONDS

    def _sign_on(self) -> None:
        process = NewProcess(kind=self._kind)
        fleet.register(self._engine, process)
        self.id = process.id

    def _is_counted(self) -> bool:
        with writing(self._engine) as connection:
            return fleet.beat(connection, self.id)

    def sign_off(self) -> None:
        """Notes the orderly end; when the ledger is away, others will find out."""
        try:
            with writing(self._engine) as connection:
                fleet.stop(connection, self.id)
        except LedgerAway as error:
            log.warning("Could not sign off: %s", error)
