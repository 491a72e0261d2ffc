"""Photos that are kept, and what is known of the feeds that they come from.

A photo is there from its row's commit. Deleted, its row stays without its words, so that a feed that still shows
the picture does not bring it back. What an attempt says counts only while it has its run.
"""

from dataclasses import asdict, dataclass

from sqlalchemy import Connection, Engine, select, update

from ledger import clock, failpoints, texts
from ledger.engine import announce, insert_if_new, writing
from ledger.errors import PhotoNotFound
from ledger.holding import holder
from ledger.ids import new_id
from ledger.tables import feeds, photos

MOST_DROPPED = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What is known of a photo whose files lie in the folder ``id``. ``entry`` and ``digest`` are SHA-256 in hex."""

    id: str
    entry: str
    digest: str
    title: str = ""
    author: str = ""
    licence: str = ""
    link: str = ""
    source: str = ""
    published: int | None = None
    width: int
    height: int
    thumbnail_width: int
    thumbnail_height: int
    media_type: str
    size: int


@dataclass(frozen=True, slots=True, kw_only=True)
class NewPhoto:
    """What an attempt has written to disk, of the feed ``url``; of that so many are to be kept, 0 is all."""

    run_id: str
    claim_token: str
    url: str
    facts: Facts
    most: int = 0


@dataclass(frozen=True, slots=True)
class Kept:
    """``dropped``: photos that made room, whose folders are to be removed."""

    is_new: bool
    dropped: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Feed:
    """How a feed stands: what it is to be asked with, and when."""

    title: str = ""
    etag: str = ""
    last_modified: str = ""
    entry: str = ""
    not_before: int | None = None
    refusals: int = 0
    error: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Visit:
    """How the feed ``url`` stands after an attempt dealt with it."""

    run_id: str
    claim_token: str
    url: str
    feed: Feed


def keep(connection: Connection, new: list[NewPhoto]) -> list[Kept]:
    """For the writer: whether each is kept now. One that is known, or of an attempt that lost its run, is not."""
    failpoints.mark(connection, "note")
    kept = [_keep_if_held(connection, each) for each in new]
    announce(connection)
    return kept


def _keep_if_held(connection: Connection, new: NewPhoto) -> Kept:
    held = holder(connection, new.run_id, new.claim_token)
    if held is None:
        return Kept(False)
    feed_id = _feed_id(connection, new.url)
    if not insert_if_new(connection, photos, _row(new, feed_id, held.by)):
        return Kept(False)
    return Kept(True, tuple(_drop(connection, feed_id, new.most)) if new.most else ())


def _feed_id(connection: Connection, url: str) -> str:
    insert_if_new(connection, feeds, {"id": new_id(), "url": url, "asked_at": clock.now()})
    return connection.scalar(select(feeds.c.id).where(feeds.c.url == url))


def _row(new: NewPhoto, feed_id: str, by: str) -> dict:
    own = {"feed_id": feed_id, "run_id": new.run_id, "created_by": by, "created_at": clock.now()}
    return _fitting(photos, asdict(new.facts)) | own


def _fitting(table, values: dict) -> dict:
    """Texts come from far away: in the ledger none is longer than its column, or has what no database takes."""
    lengths = {name: table.c[name].type.length for name, value in values.items() if isinstance(value, str)}
    return values | {name: _cut(values[name], length) for name, length in lengths.items()}


def _cut(text: str, length: int) -> str:
    return texts.clean(text[:length])[:length]


def _drop(connection: Connection, feed_id: str, most: int) -> list[str]:
    """Forgets all but the newest ``most`` of a feed, and says which."""
    own = select(photos.c.id).where(photos.c.feed_id == feed_id, photos.c.deleted_at.is_(None))
    surplus = own.order_by(photos.c.id.desc()).offset(most).limit(MOST_DROPPED)
    return [each for each in connection.scalars(surplus).all() if _forget(connection, each)]


def _forget(connection: Connection, photo_id: str) -> bool:
    blank = {"title": "", "author": "", "licence": "", "link": "", "source": "", "deleted_at": clock.now()}
    kept = update(photos).where(photos.c.id == photo_id, photos.c.deleted_at.is_(None))
    return bool(connection.execute(kept.values(blank)).rowcount)


def note_visit(connection: Connection, visits: list[Visit]) -> list[bool]:
    """For the writer: whether each is on record now; not when its attempt lost the run."""
    failpoints.mark(connection, "note")
    noted = [_note_if_held(connection, each) for each in visits]
    announce(connection)
    return noted


def _note_if_held(connection: Connection, visit: Visit) -> bool:
    if holder(connection, visit.run_id, visit.claim_token) is None:
        return False
    said = _fitting(feeds, asdict(visit.feed)) | {"asked_at": clock.now()}
    connection.execute(update(feeds).where(feeds.c.id == _feed_id(connection, visit.url)).values(said))
    return True


def feeds_of(connection: Connection, urls: list[str]) -> list[Feed]:
    """For the writer: how each of these feeds stands; a blank for one that nobody asked yet."""
    return [_feed(connection, url) for url in urls]


def _feed(connection: Connection, url: str) -> Feed:
    columns = [feeds.c[name] for name in Feed.__dataclass_fields__]
    row = connection.execute(select(*columns).where(feeds.c.url == url)).one_or_none()
    return Feed(**row._asdict()) if row else Feed()


def forget(engine: Engine, photo_id: str) -> None:
    """It does not come back; its folder is the caller's, after this. Raises PhotoNotFound."""
    with writing(engine) as connection:
        gone = _forget(connection, photo_id)
        announce(connection)
    if not gone:
        raise PhotoNotFound(photo_id)
