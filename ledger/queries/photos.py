"""Kept photos for pages: the newest first, of all feeds or of one; and the feeds that they come from."""

from dataclasses import dataclass

from sqlalchemy import Connection, Engine, Select, func, select

from ledger.engine import reading
from ledger.errors import PhotoNotFound
from ledger.tables import feeds, photos

PAGE = 48
MOST_FEEDS = 100
MOST_NEWER = 100


@dataclass(frozen=True, slots=True)
class Photo:
    """``link`` and ``feed_url`` are http or https."""

    id: str
    feed_id: str
    feed_title: str
    feed_url: str
    run_id: str
    title: str
    author: str
    licence: str
    link: str
    source: str
    published: int | None
    width: int
    height: int
    thumbnail_width: int
    thumbnail_height: int
    media_type: str
    size: int
    digest: str
    created_by: str
    created_at: int


@dataclass(frozen=True, slots=True)
class Feed:
    """``error`` is what went wrong the last time; ``not_before`` when it may be asked again, if it said so."""

    id: str
    url: str
    title: str
    error: str
    not_before: int | None
    asked_at: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Of which feed, none is all. ``before`` is the id that a page begins after, ``up_to`` the one it begins with."""

    feed: str | None = None
    before: str | None = None
    up_to: str | None = None


@dataclass(frozen=True, slots=True)
class Page:
    """``older`` is the id to go on before, if there are more; ``newer`` counts those after ``up_to``, to a limit."""

    rows: tuple[Photo, ...]
    older: str | None
    newer: int


_OWN = [photos.c[name] for name in Photo.__dataclass_fields__ if name in photos.c]
_FROM = (feeds.c.title.label("feed_title"), feeds.c.url.label("feed_url"))
_kept = photos.c.deleted_at.is_(None)


def photo(engine: Engine, photo_id: str) -> Photo:
    """Raises PhotoNotFound."""
    with reading(engine) as connection:
        row = connection.execute(_photos().where(photos.c.id == photo_id)).one_or_none()
    if row is None:
        raise PhotoNotFound(photo_id)
    return Photo(**row._asdict())


def _photos() -> Select:
    return select(*_OWN, *_FROM).join_from(photos, feeds).where(_kept)


def page(engine: Engine, wanted: Wanted) -> Page:
    found = _of_feed(_photos(), wanted)
    if wanted.before is not None:
        found = found.where(photos.c.id < wanted.before)
    if wanted.up_to is not None:
        found = found.where(photos.c.id <= wanted.up_to)
    with reading(engine) as connection:
        rows = connection.execute(found.order_by(photos.c.id.desc()).limit(PAGE + 1)).fetchall()
        newer = _newer(connection, wanted) if wanted.up_to else 0
    shown = tuple(Photo(**row._asdict()) for row in rows[:PAGE])
    return Page(shown, shown[-1].id if len(rows) > PAGE else None, newer)


def _of_feed(statement: Select, wanted: Wanted) -> Select:
    return statement if wanted.feed is None else statement.where(photos.c.feed_id == wanted.feed)


def _newer(connection: Connection, wanted: Wanted) -> int:
    own = _of_feed(select(photos.c.id).where(_kept, photos.c.id > wanted.up_to), wanted)
    return connection.scalar(select(func.count()).select_from(own.limit(MOST_NEWER).subquery()))


def neighbours(engine: Engine, known: Photo) -> tuple[str | None, str | None]:
    """The ids of the next newer and the next older photo, of any feed."""
    newer = select(photos.c.id).where(_kept, photos.c.id > known.id).order_by(photos.c.id).limit(1)
    older = select(photos.c.id).where(_kept, photos.c.id < known.id).order_by(photos.c.id.desc()).limit(1)
    with reading(engine) as connection:
        return connection.scalar(newer), connection.scalar(older)


def all_feeds(engine: Engine) -> tuple[Feed, ...]:
    """By title and address, up to MOST_FEEDS."""
    columns = [feeds.c[name] for name in Feed.__dataclass_fields__]
    with reading(engine) as connection:
        found = connection.execute(select(*columns).order_by(feeds.c.title, feeds.c.url).limit(MOST_FEEDS))
        return tuple(Feed(*row) for row in found)


def photo_of(connection: Connection, run_id: str) -> str | None:
    """The photo that this run fetched, if it is kept."""
    return connection.scalar(select(photos.c.id).where(photos.c.run_id == run_id, _kept).limit(1))
