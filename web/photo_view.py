"""From kept photos to what their pages show."""

import re
from dataclasses import dataclass
from urllib.parse import urlsplit

from flask import url_for

from ledger import clock
from ledger.queries import photos as queries
from ledger.queries.photos import Feed, Photo, Wanted
from web.addresses import is_web
from web.photo_form import FeedForm

DAY = 24 * 3600 * clock.SECOND  # a feed that nobody asks any more is no trouble
CREATIVE_COMMONS = re.compile(r"https?://creativecommons\.org/(licenses|publicdomain)/([a-z-]{1,20})/(\d\.\d)")


@dataclass(frozen=True, slots=True)
class Licence:
    """``url`` is empty for one that is only told in words."""

    words: str
    url: str


@dataclass(frozen=True, slots=True)
class Tile:
    photo: Photo
    url: str
    thumbnail: str
    licence: Licence | None
    link: str
    link_words: str


@dataclass(frozen=True, slots=True)
class FeedRow:
    """``not_before`` is None once it has passed."""

    feed: Feed
    name: str
    url: str
    not_before: int | None
    is_chosen: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class IndexPage:
    """``newer`` counts photos that came since the page was opened; ``troubled`` are feeds that went wrong last."""

    tiles: tuple[Tile, ...]
    feeds: tuple[FeedRow, ...]
    troubled: tuple[FeedRow, ...]
    chosen: FeedRow | None
    newer: int
    newest_url: str
    older_url: str
    poll_url: str
    is_first: bool
    form: FeedForm


@dataclass(frozen=True, slots=True, kw_only=True)
class PhotoPage:
    tile: Tile
    picture: str
    feed_name: str
    feed_url: str
    newer_url: str
    older_url: str


def index_page(engine, wanted: Wanted, form: FeedForm) -> IndexPage:
    found = queries.page(engine, wanted)
    rows = tuple(feed_row(each, wanted) for each in queries.all_feeds(engine))
    own = {"feed": wanted.feed} if wanted.feed else {}
    newest = wanted.up_to or (found.rows[0].id if found.rows else None)
    return IndexPage(
        tiles=tuple(map(tile, found.rows)),
        feeds=rows,
        troubled=tuple(each for each in rows if is_trouble(each.feed) and wanted.feed in (None, each.feed.id)),
        chosen=next((each for each in rows if each.is_chosen), None),
        newer=found.newer,
        newest_url=url_for("photos.index", **own),
        older_url=url_for("photos.index", **own, before=found.older) if found.older else "",
        poll_url=url_for("photos.index", **own, **({"up_to": newest} if newest else {})),
        is_first=wanted.before is None,
        form=form,
    )


def is_trouble(feed: Feed) -> bool:
    return bool(feed.error) and feed.asked_at > clock.now() - DAY


def feed_row(feed: Feed, wanted: Wanted) -> FeedRow:
    waits = feed.not_before if feed.not_before and feed.not_before > clock.now() else None
    url = url_for("photos.index", feed=feed.id)
    return FeedRow(feed, name_of(feed.title, feed.url), url, waits, feed.id == wanted.feed)


def name_of(title: str, url: str) -> str:
    return title or url.partition("://")[2]


def tile(photo: Photo) -> Tile:
    return Tile(
        photo=photo,
        url=url_for("photos.show", photo_id=photo.id),
        thumbnail=url_for("photos.thumbnail", photo_id=photo.id),
        licence=licence_of(photo.licence),
        link=photo.link if is_web(photo.link) else "",
        link_words=urlsplit(photo.link).hostname or "" if is_web(photo.link) else "",
    )


def licence_of(text: str) -> Licence | None:
    """``CC BY-SA 4.0`` for an address of Creative Commons; other addresses by their host."""
    if not text:
        return None
    known = CREATIVE_COMMONS.match(text)
    if known:
        kind, name, version = known.groups()
        words = f"CC {name.upper()} {version}" if kind == "licenses" else f"CC {name} {version}"
        return Licence(words.replace("CC zero", "CC0"), text)
    return Licence(urlsplit(text).hostname or text, text) if is_web(text) else Licence(text, "")


def photo_page(engine, photo: Photo) -> PhotoPage:
    newer, older = (each and url_for("photos.show", photo_id=each) for each in queries.neighbours(engine, photo))
    return PhotoPage(
        tile=tile(photo),
        picture=url_for("photos.picture", photo_id=photo.id),
        feed_name=name_of(photo.feed_title, photo.feed_url),
        feed_url=url_for("photos.index", feed=photo.feed_id),
        newer_url=newer or "",
        older_url=older or "",
    )
