"""Dramatiq's own rate limiters, without Redis: ``ConcurrentRateLimiter(LedgerBackend(), "mutex")`` and their like."""

import time

import dramatiq
from dramatiq.rate_limits import RateLimiterBackend

from ledger import clock, counters
from ledger.counters import Change
from ledger.engine import reading
from workers import context

LOOK_SECONDS = 1.0


class LedgerBackend(RateLimiterBackend):
    """Keeps the keys in the ledger of ``broker``, Dramatiq's global one unless given; times are in milliseconds.

    All methods raise LedgerAway.
    """

    def __init__(self, broker=None):
        self._own = broker

    @property
    def _broker(self):
        return self._own or dramatiq.get_broker()

    def add(self, key, value, ttl):
        return self._write(counters.add, (key, value, ttl * clock.MILLISECOND))

    def incr(self, key, amount, maximum, ttl):
        return self._write(counters.change, Change(key, amount, maximum, ttl * clock.MILLISECOND))

    def decr(self, key, amount, minimum, ttl):
        return self._write(counters.change, Change(key, -amount, minimum, ttl * clock.MILLISECOND))

    def incr_and_sum(self, key, keys, amount, maximum, ttl):
        return self._write(counters.change, Change(key, amount, maximum, ttl * clock.MILLISECOND, tuple(keys())))

    def wait(self, key, timeout):
        """Whether ``wait_notify`` was called for the key, before or within ``timeout``; None waits for ever."""
        deadline = None if timeout is None else time.monotonic() + timeout / 1000
        while True:
            with context.undisturbed():
                seen = self._broker.watch.version
            if self._exists(key):
                return True
            left = LOOK_SECONDS if deadline is None else deadline - time.monotonic()
            if left <= 0:
                return False
            with context.undisturbed():
                self._broker.watch.wait(seen, min(left, LOOK_SECONDS))

    def wait_notify(self, key, ttl):
        self._write(counters.notify, (key, ttl * clock.MILLISECOND))

    def _exists(self, key: str) -> bool:
        with context.undisturbed(), reading(self._broker.engine) as connection:
            return counters.exists(connection, key)

    def _write(self, act, request):
        with context.undisturbed():
            return self._broker.writer.call(act, request)
