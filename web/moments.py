"""Instants as people read them: relative in the text, exact with the zone in the title.

The browser keeps relative times going by ``data-rel`` (``app.js``): no page is sent again for them.
"""

from datetime import datetime
from functools import cache, lru_cache
from zoneinfo import ZoneInfo

from markupsafe import Markup, escape

from ledger import clock
from web.console import console
from web.language import Later as _l
from web.numbers import coarse

PATTERNS = {"ago": _l("{} ago"), "in": _l("in {}"), "for": "{}", "now": _l("now")}


def ago(at: int | None) -> Markup:
    """``3 min ago``."""
    return _relative(at, "ago", clock.now() - (at or 0))


def until(at: int | None) -> Markup:
    """``in 14 s``; ``now`` when it has come."""
    return _relative(at, "in", (at or 0) - clock.now())


def since(at: int | None) -> Markup:
    """``12 min``: how long ago, for sentences."""
    return _relative(at, "for", clock.now() - (at or 0))


def _relative(at: int | None, kind: str, microseconds: int) -> Markup:
    if at is None:
        return Markup("")
    seconds = max(0, microseconds // clock.SECOND)
    pattern = PATTERNS["now" if kind == "in" and not seconds else kind]
    return _time(at, pattern.format(coarse(seconds)), f' data-rel="{kind}"')


def at_clock(at: int | None) -> Markup:
    """``17:09``."""
    return Markup("") if at is None else _time(at, f"{local(at):%H:%M}")


def at_minute(at: int | None) -> Markup:
    """``17:09``, with the day before it unless that is today."""
    if at is None:
        return Markup("")
    moment, today = local(at), local(clock.now()).date()
    return _time(at, f"{moment:%H:%M}" if moment.date() == today else f"{moment:%m-%d %H:%M}")


def at_second(at: int | None) -> Markup:
    """``17:09:55``, with the date before it unless that is today."""
    if at is None:
        return Markup("")
    moment, today = local(at), local(clock.now()).date()
    return _time(at, f"{moment:%H:%M:%S}" if moment.date() == today else f"{moment:%Y-%m-%d %H:%M:%S}")


def at_millisecond(at: int | None) -> Markup:
    """``17:09:55.760``: for log lines and attempts."""
    if at is None:
        return Markup("")
    moment = local(at)
    return _time(at, f"{moment:%H:%M:%S}.{moment.microsecond // 1000:03d}")


def _time(at: int, text: str, more: str = "") -> Markup:
    """Put together by hand: a list has a hundred of them, and ``Markup.format`` is slow."""
    return Markup(f'{_opened(at, console().settings.display_timezone)}{more}>{escape(text)}</time>')


@lru_cache(maxsize=10_000)
def _opened(at: int, zone: str) -> str:
    """A page that is polled says the same instants again and again."""
    utc = clock.to_datetime(at).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return f'<time datetime="{utc}" title="{escape(_exact(at, zone))}"'


def exact(at: int) -> str:
    """``2026-11-22 18:19:00 CET``."""
    return _exact(at, console().settings.display_timezone)


def _exact(at: int, zone: str) -> str:
    return f"{clock.to_datetime(at).astimezone(_zone(zone)):%Y-%m-%d %H:%M:%S %Z}"


def local(at: int) -> datetime:
    return clock.to_datetime(at).astimezone(_zone(console().settings.display_timezone))


def instant(moment: datetime) -> int:
    """``moment``, on the clock of the pages unless it names a zone."""
    zoned = moment if moment.tzinfo else moment.replace(tzinfo=_zone(console().settings.display_timezone))
    return clock.from_datetime(zoned)


@cache
def _zone(name: str) -> ZoneInfo:
    return ZoneInfo(name)
