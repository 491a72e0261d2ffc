"""Schedules in the order in which they fire: the next one first; those that fire no more last, by name."""

from bisect import bisect_left
from collections.abc import Iterable

from sqlalchemy import Connection

from ledger import recurrence
from ledger.queries.upcoming import enabled

NEVER = 2**62  # after whatever fires


def next_first(connection: Connection, names: Iterable[str], now: int, start: tuple[int, str], most: int) -> list:
    """So many of ``names`` from ``start`` on, each after when it fires. A page begins where the one before it ended:
    what has fired meanwhile has moved further down, so that none is left out."""
    fires = {each.name: recurrence.next_after(each.rule, max(now, each.watermark)) for each in enabled(connection)}
    places = sorted((fires.get(name) or NEVER, name) for name in names)
    first = bisect_left(places, start)
    return places[first : first + most]
