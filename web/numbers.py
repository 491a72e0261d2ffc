"""Numbers, sizes and durations as people read them. Pure."""


from ledger import clock
from ledger.queries.counting import Count
from web.language import Later as _l

NARROW = "\u202f"  # a thin space that does not break

MINUTE, HOUR, DAY = 60, 3_600, 86_400
#: The browser gets them too, by ``web/scripts.py``.
UNITS = {"ms": _l("{} ms"), "s": _l("{} s"), "min": _l("{} min"), "h": _l("{} h"), "d": _l("{} d")}


def number(value: int) -> str:
    """``2 944``: grouped by thin spaces."""
    return f"{value:,}".replace(",", NARROW)


def count(value: Count) -> str:
    return number(value.number) + ("+" if value.capped else "")


def percent(part: int, whole: int) -> str:
    """One decimal below ten percent, none above; a little is never shown as nothing."""
    if not whole or not part:
        return "0 %"
    share = 100 * part / whole
    if share < 0.1:
        return "< 0.1 %"
    return f"{share:.1f} %" if share < 10 and whole > part else f"{share:.0f} %"


def size(value: int) -> str:
    """``212 B``, ``1.4 kB``, ``3.2 MB``: decimal units, as disks and networks count."""
    if value < 1000:
        return f"{value} B"
    amount, units = float(value), iter("kMGTPE")
    unit = ""
    while amount >= 999.5:
        amount, unit = amount / 1000, next(units)
    shown = f"{amount:.1f}".removesuffix(".0") if amount < 9.95 else f"{amount:.0f}"
    return f"{shown} {unit}B"


def duration(microseconds: int | None) -> str:
    """``8 ms``, ``1.4 s``, ``16.5 s``, ``2 min 12 s``, ``1 h 10 min``, ``3 d 4 h``; empty for None."""
    if microseconds is None:
        return ""
    milliseconds = microseconds / clock.MILLISECOND
    if milliseconds < 999.5:
        return "< " + _in(1, "ms") if milliseconds < 0.5 else _in(f"{milliseconds:.0f}", "ms")
    seconds = microseconds / clock.SECOND
    return _in(f"{seconds:.1f}".removesuffix(".0"), "s") if seconds < 59.95 else span(round(seconds))


def _in(amount: int | str, unit: str) -> str:
    return UNITS[unit].format(amount)


def span(seconds: int) -> str:
    """Two units at most: the second one is left out when it is zero."""
    if seconds < MINUTE:
        return _in(seconds, "s")
    if seconds < HOUR:
        return _two(seconds, MINUTE, "min", 1, "s")
    if seconds < DAY:
        return _two(seconds, HOUR, "h", MINUTE, "min")
    return _two(seconds, DAY, "d", HOUR, "h")


def _two(seconds: int, unit: int, name: str, small: int, small_name: str) -> str:
    whole, rest = divmod(seconds, unit)
    return " ".join([_in(whole, name), *([_in(rest // small, small_name)] if rest // small else [])])


def roughly(microseconds: int) -> str:
    """A guess at a duration, which would only pretend to know seconds: ``12 s``, ``2 min``."""
    return coarse(round(microseconds / clock.SECOND))


def coarse(seconds: int) -> str:
    """For ages, which nobody reads to the second: ``12 s``, ``4 min``, ``1 h 10 min``, ``3 d``."""
    if seconds < MINUTE:
        return _in(seconds, "s")
    if seconds < HOUR:
        return _in(seconds // MINUTE, "min")
    if seconds < DAY:
        return span(seconds // MINUTE * MINUTE)
    return _in(seconds // DAY, "d")
