"""An entry of a feed that has a picture, whatever kind of feed it was; and which is the newest. Pure."""

import html
import re
from collections.abc import Iterable
from dataclasses import dataclass
from hashlib import sha256
from urllib.parse import urljoin

from ledger import clock
from ledger.feed_addresses import AddressRefused, cleaned

DAY = 24 * 3600 * clock.SECOND
MOST_PICTURES = 4  # addresses of one picture, best first, that are tried
MOST_ENTRIES = 500
_TAG = re.compile(r"<[^<>]{0,2000}>")


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """``id`` is its feed's own; ``pictures`` are addresses of the same picture, the best first; ``published`` in
    microseconds, 0 when nobody knows."""

    id: str
    title: str
    author: str
    licence: str
    link: str
    published: int
    pictures: tuple[str, ...]

    @property
    def key(self) -> str:
        return sha256(self.id.encode("utf-8", "backslashreplace")).hexdigest()


@dataclass(frozen=True, slots=True)
class Document:
    """What a feed said: only those of its ``number`` entries that have a picture."""

    title: str
    entries: tuple[Entry, ...]
    number: int


def newest(entries: Iterable[Entry]) -> Entry | None:
    """By date; the first of a date, and of those without any. A date to come is none: it would stay the newest."""
    latest = clock.now() + DAY
    return max(entries, key=lambda entry: entry.published if entry.published <= latest else 0, default=None)


def plain(text: object, most: int = 200) -> str:
    """As one line without tags."""
    if not isinstance(text, str):
        return ""
    return " ".join(html.unescape(_TAG.sub(" ", text[: 20 * most])).split())[:most]


def address(base: str, text: object) -> str:
    """An http or https address, absolute; empty for anything else."""
    if not isinstance(text, str) or not text.strip():
        return ""
    try:
        return cleaned(urljoin(base, text.strip()))
    except (AddressRefused, ValueError):
        return ""


def addresses(base: str, texts: Iterable[object]) -> tuple[str, ...]:
    found = (address(base, text) for text in texts)
    return tuple(dict.fromkeys(filter(None, found)))[:MOST_PICTURES]
