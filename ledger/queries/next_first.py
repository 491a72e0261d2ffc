"""Schedules in the order in which they fire: the next one first; those that fire no more last, by name."""

from bisect import bisect_left
from collections.abc import Iterable

from sqlalchemy import Connection

from ledger.queries.upcoming import fires

NEVER = 2**62  # after whatever fires


def next_first(connection: Connection, names: Iterable[str], now: int, start: tuple[int, str], most: int) -> list:
    """So many of ``names`` from ``start`` on, each after when it fires. A page begins where the one before it ended:
    what has fired meanwhile has moved further down, so that none is left out."""
    times = {each.name: at for at, each in fires(connection, now)}
    places = sorted((times.get(name) or NEVER, name) for name in names)
    first = bisect_left(places, start)
    return places[first : first + most]
