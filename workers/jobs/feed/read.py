"""A feed, from the bytes of its answer to entries with pictures. Pure.

Syndication is written in so many ways that feedparser reads it; it gets a stream, for it would open a text that
looks like a file's name or an address.
"""

import calendar
import io

import feedparser

from ledger import clock
from workers.jobs.feed import flickr
from workers.jobs.feed.entry import MOST_ENTRIES, Document, Entry, address, addresses, plain
from workers.jobs.feed.errors import NotAFeed
from workers.jobs.feed.text import text_of

UTF8 = {"content-type": "application/xml; charset=utf-8"}
PICTURE_NAMES = (".jpg", ".jpeg", ".png", ".gif", ".webp")


def document(body: bytes, content_type: str, base: str) -> Document:
    """``base`` is the feed's address. Raises NotAFeed."""
    text = text_of(body, content_type)
    if flickr.looks_like_it(text):
        return flickr.read(text, base)
    _refuse_pages(text)
    found = _parsed(text, base)
    entries = [_entry(each, found.feed, base) for each in found.entries[:MOST_ENTRIES]]
    title = plain(found.feed.get("title"))
    return Document(title, tuple(each for each in entries if each.pictures), len(found.entries))


def _refuse_pages(text: str) -> None:
    start = text[:1000].lstrip("\ufeff \t\r\n").lower()
    if not start:
        raise NotAFeed("it is empty")
    if start.startswith(("<!doctype html", "<html")):
        raise NotAFeed("it is a web page")


def _parsed(text: str, base: str) -> feedparser.FeedParserDict:
    stream = io.BytesIO(text.encode("utf-8", "replace"))
    try:
        found = feedparser.parse(stream, response_headers=UTF8 | {"content-location": base}, sanitize_html=False)
    except (MemoryError, KeyboardInterrupt):
        raise
    except Exception as error:  # what strangers write finds faults of any kind in a parser
        raise NotAFeed("it is written in a way that breaks off the reading") from error
    if not found.version and not found.entries:
        raise NotAFeed("it is neither RSS nor Atom")
    return found


def _entry(entry: feedparser.FeedParserDict, feed: feedparser.FeedParserDict, base: str) -> Entry:
    link = address(base, entry.get("link"))
    pictures = addresses(base, _pictures(entry))
    return Entry(
        id=entry.get("id") or link or (pictures[0] if pictures else ""), title=plain(entry.get("title")),
        author=_author(entry) or _author(feed), licence=_licence(entry) or _licence(feed), link=link,
        published=_time(entry), pictures=pictures,
    )  # fmt: skip


def _pictures(entry: feedparser.FeedParserDict) -> list[str]:
    """Those attached, those in media:content from the widest on, and at last thumbnails."""
    attached = [each.get("href") for each in entry.get("enclosures", ()) if _is_picture(each, each.get("href"))]
    media = [each for each in entry.get("media_content", ()) if _is_picture(each, each.get("url"))]
    widest = sorted(media, key=lambda each: -_number(each.get("width")))
    small = sorted(entry.get("media_thumbnail", ()), key=lambda each: -_number(each.get("width")))
    return [*attached, *(each.get("url") for each in (*widest, *small))]


def _is_picture(said: dict, url: object) -> bool:
    kind = str(said.get("type") or said.get("medium") or "").lower()
    named = str(url or "").partition("?")[0].lower().endswith(PICTURE_NAMES)
    return kind.startswith("image") if kind else named


def _number(text: object) -> int:
    return int(text) if isinstance(text, str) and text.isascii() and text.isdecimal() and len(text) < 9 else 0


def _author(said: feedparser.FeedParserDict) -> str:
    credits = [each.get("content") for each in said.get("media_credit", ()) if isinstance(each, dict)]
    told = [said.get("author_detail", {}).get("name"), *credits, said.get("author")]
    return next(filter(None, map(plain, told)), "")


def _licence(said: feedparser.FeedParserDict) -> str:
    links = [each.get("href") for each in said.get("links", ()) if each.get("rel") == "license"]
    told = [*links, said.get("license"), said.get("rights")]
    return next(filter(None, (plain(each, 400) for each in told)), "")


def _time(entry: feedparser.FeedParserDict) -> int:
    parsed = entry.get("published_parsed") or entry.get("updated_parsed")
    try:
        return max(0, calendar.timegm(parsed) * clock.SECOND) if parsed else 0
    except (ValueError, OverflowError, TypeError):
        return 0
