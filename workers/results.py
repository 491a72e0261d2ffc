"""``message.get_result()``, group barriers and their like, answered by the ledger instead of Redis."""

import time

from dramatiq.middleware import GroupCallbacks
from dramatiq.rate_limits import RateLimiterBackend
from dramatiq.results import ResultBackend, ResultMissing, Results, ResultTimeout
from dramatiq.results.backend import DEFAULT_TIMEOUT
from dramatiq.results.result import unwrap_result

from ledger import barriers, clock, endings_of, texts
from ledger.engine import reading
from ledger.states import TERMINAL, State
from workers import context

LOOK_SECONDS = 1.0


class LedgerResultBackend(ResultBackend):
    """Reads results of runs; workers write them with the run's ending, so nothing is stored here."""

    def __init__(self, broker):
        super().__init__()
        self._broker = broker

    def get_result(self, message, *, block: bool = False, timeout: int | None = None):
        """The result of the message's run. Raises ResultMissing, ResultTimeout after ``timeout`` ms (10,000 unless
        given), or ResultFailure for a run that ended without a result."""
        deadline = time.monotonic() + (DEFAULT_TIMEOUT if timeout is None else timeout) / 1000
        while True:
            with context.undisturbed():
                seen = self._broker.watch.version
            ending = self._ending(message.message_id)
            if ending is not None and ending.state in TERMINAL:
                return unwrap_result(_wrapped(ending))
            if not block:
                raise ResultMissing(message)
            if (left := deadline - time.monotonic()) <= 0:
                raise ResultTimeout(message)
            with context.undisturbed():
                self._broker.watch.wait(seen, min(left, LOOK_SECONDS))

    def _ending(self, message_id: str):
        with context.undisturbed(), reading(self._broker.engine) as connection:
            return endings_of.ending(connection, message_id)


def _wrapped(ending):
    if ending.state == State.SUCCEEDED:
        return texts.from_json(ending.result)
    error_type, error = ending.error_type or ending.state.capitalize(), ending.error or f"the run was {ending.state}"
    return {"__t": "dramatiq.results.Result", "exn": {"type": error_type, "msg": error}}


class LedgerResults(Results):
    """Tells Dramatiq where results are; storing them is part of a run's ending."""

    def after_process_message(self, broker, message, *, result=None, exception=None):
        pass

    def after_skip_message(self, broker, message):
        pass

    def after_nack(self, broker, message):
        pass


class LedgerBarriers(RateLimiterBackend):
    """The part of a rate limiter backend that groups need; members are counted down by their endings."""

    def __init__(self, broker):
        self._broker = broker

    def add(self, key, value, ttl):
        with context.undisturbed():
            return self._broker.writer.call(barriers.create_all, (key, value, ttl * clock.MILLISECOND))


class LedgerGroupCallbacks(GroupCallbacks):
    """Lets groups have completion callbacks; counting and sending them is part of a member's ending."""

    def after_process_message(self, broker, message, *, result=None, exception=None):
        pass
