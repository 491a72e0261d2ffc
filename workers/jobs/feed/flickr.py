"""Flickr's public feeds as JSON: https://www.flickr.com/services/feeds/docs/photos_public/. Pure."""

import json
import re
from datetime import datetime

from ledger import clock
from workers.jobs.feed.entry import MOST_ENTRIES, Document, Entry, address, addresses, plain
from workers.jobs.feed.errors import NotAFeed

WRAPPER = re.compile(r"^\s*[\w.$]{1,100}\s*\((.*)\)\s*;?\s*$", re.DOTALL)
AUTHOR = re.compile(r'^\S+@flickr\.com \("(.*)"\)$')
SMALL = re.compile(r"_m\.(jpg|png|gif)$")


def looks_like_it(text: str) -> bool:
    return text.lstrip("\ufeff \t\r\n").startswith(("{", "jsonFlickrFeed("))


def read(text: str, base: str) -> Document:
    """Raises NotAFeed."""
    told = _parsed(text.lstrip("\ufeff"))
    items = told.get("items") if isinstance(told, dict) else None
    if not isinstance(items, list):
        raise NotAFeed("it is JSON, but not as Flickr writes its feeds")
    entries = [_entry(item, base) for item in items[:MOST_ENTRIES] if isinstance(item, dict)]
    return Document(plain(told.get("title")), tuple(each for each in entries if each.pictures), len(items))


def _parsed(text: str) -> object:
    """Flickr wraps it into a call unless told not to, and escapes quotes that JSON does not escape."""
    inside = WRAPPER.match(text)
    try:
        return json.loads((inside.group(1) if inside else text).replace("\\'", "'"))
    except (ValueError, RecursionError) as error:
        raise NotAFeed("it is no JSON that can be read") from error


def _entry(item: dict, base: str) -> Entry:
    media = item.get("media")
    picture = media.get("m") if isinstance(media, dict) else None
    link = address(base, item.get("link"))
    return Entry(
        id=link or str(picture), title=plain(item.get("title")), author=_author(item.get("author")),
        licence=plain(item.get("license")), link=link, published=_time(item.get("published")),
        pictures=addresses(base, _sizes(picture)),
    )  # fmt: skip


def _sizes(picture: object) -> list[str]:
    """The feed names the small one, 240 pixels wide; of most there is one of 1024."""
    return [SMALL.sub(r"_b.\1", picture), picture] if isinstance(picture, str) else []


def _author(text: object) -> str:
    named = AUTHOR.match(text) if isinstance(text, str) else None
    return plain(named.group(1) if named else text)


def _time(text: object) -> int:
    try:
        at = datetime.fromisoformat(str(text))
        return int(at.timestamp()) * clock.SECOND if at.tzinfo else 0
    except (ValueError, OverflowError):
        return 0
