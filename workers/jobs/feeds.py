"""Jobs on feeds. What they do is in ``workers.jobs.feed``; here is the order of it, and what is told of it."""

import logging
from dataclasses import replace
from typing import Annotated

import dramatiq
from pydantic import Field

from ledger import clock
from ledger.feed_addresses import is_refused
from ledger.files import remove_photo
from ledger.ids import new_id
from ledger.photos import Facts, Feed
from ledger.settings import settings
from workers import context
from workers.jobs.feed import fetch, read, store
from workers.jobs.feed.entry import Document, Entry, newest
from workers.jobs.feed.errors import BadAddress, BadStatus, FeedError, HostRefused, NoPicture, NotAPicture
from workers.jobs.feed.fetch import Answer
from workers.jobs.feed.picture import Picture, picture

logger = logging.getLogger(__name__)

MINUTE = 60 * clock.SECOND
SHORTEST_WAIT, FIRST_WAIT, LONGEST_WAIT = MINUTE, 15 * MINUTE, 24 * 60 * MINUTE

#: Strangers' files are decoded here: neither memory nor time nor the disk is theirs to fill.
isolated = {
    "isolation": "process", "memory_limit": 1_000_000_000, "cpu_limit": 60, "file_size_limit": 200_000_000,
    "time_limit": 180_000, "on_crash": "fail",
}  # fmt: skip


class PutOff(Exception):
    """Raised when a server of the feed or of its picture says that it is asked too much."""

    def __init__(self, answer: Answer):
        self.answer = answer
        super().__init__(f"{answer.url} answered with status {answer.status}")


@dramatiq.actor(actor_name="feeds.save_latest", queue_name="feeds", max_retries=0, throws=FeedError, **isolated)
def save_latest(feed: str, keep: Annotated[int, Field(ge=0)] = 0) -> dict:
    """Save the newest picture of a feed, unless it is kept already: see Photos.

    Reads Flickr's public feeds, JSON and Atom, and any RSS or Atom feed with pictures. Only hosts of the public net
    are asked, and those that a setting allows.

    Args:
        feed: The address of the feed, like https://www.flickr.com/services/feeds/photos_public.gne?tags=lighthouse.
        keep: How many pictures of this feed are kept, the newest; 0 keeps all.
    """
    address = _checked(feed)
    known = context.feed(address)
    if known.not_before is not None and known.not_before > clock.now():
        return _waiting(known.not_before)
    try:
        return _visit(address, known, max(0, keep))
    except PutOff as put_off:
        return _put_off(address, known, put_off.answer)
    except FeedError as error:
        context.feed_visited(address, replace(known, error=str(error), not_before=None, refusals=0))
        raise


def _checked(feed: str) -> str:
    """Raises BadAddress, HostRefused; such an address is not even remembered."""
    address = fetch.checked(feed, feed)
    if is_refused(address, settings().feed_hosts):
        raise HostRefused(fetch.place_of(address)[0])
    return address


def _visit(address: str, known: Feed, keep: int) -> dict:
    context.progress(0, 3, "asking the feed")
    answer = _asked(address, fetch.FEED, _conditions(known))
    if answer.status == 304:
        context.feed_visited(address, replace(known, error="", not_before=None, refusals=0))
        return _told("unchanged", "The feed has not changed since it was asked last.")
    document = read.document(answer.body, answer.headers.get("content-type", ""), answer.url)
    entry = newest(document.entries)
    if entry is None:
        raise NoPicture(document.number)
    told = _seen(address, known, document, entry, keep)
    context.feed_visited(address, _now(answer, document, entry))
    return told


def _asked(address: str, limits: fetch.Limits, headers: dict[str, str] | None = None) -> Answer:
    """What is no refusal. Raises PutOff, BadStatus."""
    answer = fetch.get(address, limits, settings().feed_hosts, headers)
    if answer.is_refusal:
        raise PutOff(answer)
    if answer.status not in (200, 304):
        raise BadStatus(fetch.place_of(answer.url)[0], answer.status)
    return answer


def _conditions(known: Feed) -> dict[str, str]:
    told = {"If-None-Match": known.etag, "If-Modified-Since": known.last_modified}
    return {name: text for name, text in told.items() if text}


def _now(answer: Answer, document: Document, entry: Entry) -> Feed:
    """Only after its picture was dealt with: until then the feed has to be read again."""
    etag, last_modified = (_sendable(answer.headers.get(name, "")) for name in ("etag", "last-modified"))
    return Feed(title=document.title, entry=entry.key, etag=etag, last_modified=last_modified)


def _sendable(text: str) -> str:
    """Too long, or no ASCII: it cannot be sent back as it came, and so is left out."""
    return text if len(text) <= 100 and text.isascii() and text.isprintable() else ""


def _seen(address: str, known: Feed, document: Document, entry: Entry, keep: int) -> dict:
    if entry.key == known.entry:
        return _told("known", "The newest picture is kept already, or was deleted.")
    context.progress(1, 3, "downloading the picture")
    source, made = _downloaded(entry)
    context.progress(2, 3, "keeping the picture")
    photo_id = new_id()
    store.write(made, context.photos_dir(), photo_id)
    return _keep(address, _facts(photo_id, entry, source, made), keep)


def _downloaded(entry: Entry) -> tuple[str, Picture]:
    """The best of its addresses that has a picture. Raises what was wrong with the last one."""
    for place, source in enumerate(entry.pictures, 1):
        try:
            answer = _asked(source, fetch.PICTURE)
            return answer.url, picture(answer.body, answer.type)
        except (BadStatus, NotAPicture, BadAddress) as error:
            if place == len(entry.pictures):
                raise
            logger.info("%s: %s", source, error)
    raise NotAPicture("it has no address")


def _facts(photo_id: str, entry: Entry, source: str, made: Picture) -> Facts:
    return Facts(
        id=photo_id, entry=entry.key, digest=made.digest, title=entry.title, author=entry.author,
        licence=entry.licence, link=entry.link, source=source, published=entry.published or None,
        width=made.picture.width, height=made.picture.height, thumbnail_width=made.thumbnail.width,
        thumbnail_height=made.thumbnail.height, media_type=made.media_type, size=len(made.picture.data),
    )  # fmt: skip


def _keep(address: str, facts: Facts, keep: int) -> dict:
    """The folder goes again when the ledger knows the picture; and so do those of photos that made room."""
    kept = context.photo(address, facts, keep)
    for photo_id in kept.dropped if kept.is_new else (facts.id,):
        remove_photo(context.photos_dir(), photo_id)
    if not kept.is_new:
        return _told("known", "This picture is kept already, or was deleted.")
    logger.info("kept “%s”, %s x %s", facts.title, facts.width, facts.height)
    shown = {"title": facts.title, "author": facts.author, "licence": facts.licence, "link": facts.link}
    return _told("kept", "A new picture.") | {"photo": facts.id} | shown


def _put_off(address: str, known: Feed, answer: Answer) -> dict:
    now = clock.now()
    grown = min(FIRST_WAIT << min(known.refusals, 10), LONGEST_WAIT)
    asked_for = answer.retry_at(now)
    wait = grown if asked_for is None else min(max(asked_for - now, SHORTEST_WAIT), LONGEST_WAIT)
    context.feed_visited(address, replace(known, not_before=now + wait, refusals=known.refusals + 1, error=""))
    return _waiting(now + wait)


def _waiting(until: int) -> dict:
    at = clock.to_datetime(until)
    return _told("waiting", f"The server is asked too much: nothing is asked again before {at:%Y-%m-%d %H:%M:%S} UTC.")


def _told(outcome: str, says: str) -> dict:
    logger.info("%s", says)
    return {"outcome": outcome, "says": says}
