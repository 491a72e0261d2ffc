"""Tables about pictures of feeds: what each feed said last, and the pictures that were kept of it."""

from sqlalchemy import BigInteger, Column, ForeignKey, Index, Integer, String, Table, UniqueConstraint, text

from ledger.tables_kin import Id, Instant, metadata

feeds = Table(
    "feeds",
    metadata,
    Column("id", Id, primary_key=True),
    Column("url", String(2000), nullable=False, comment="as feed_addresses.cleaned writes it"),
    Column("title", String(200), nullable=False, server_default=text("''"), comment="what it calls itself"),
    Column("etag", String(400), nullable=False, server_default=text("''"), comment="of the answer that was dealt with last"),
    Column("last_modified", String(100), nullable=False, server_default=text("''"), comment="likewise, as the server wrote it"),
    Column("entry", String(64), nullable=False, server_default=text("''"), comment="SHA-256 of the entry that was dealt with last"),
    Column("not_before", Instant, comment="when it may be asked again, after it said that it is too much"),
    Column("refusals", Integer, nullable=False, server_default=text("0"), comment="how often in a row it said so"),
    Column("error", String(600), nullable=False, server_default=text("''"), comment="what went wrong the last time; empty: nothing"),
    Column("asked_at", Instant, nullable=False, comment="the last time a run dealt with it"),
    UniqueConstraint("url"),
)

photos = Table(
    "photos",
    metadata,
    Column("id", Id, primary_key=True, comment="UUIDv7; the name of its folder"),
    Column("feed_id", Id, ForeignKey("feeds.id", ondelete="CASCADE"), nullable=False),
    Column("run_id", Id, nullable=False, comment="the run that fetched it, perhaps pruned by now"),
    Column("entry", String(64), nullable=False, comment="SHA-256 of the entry's id in its feed"),
    Column("digest", String(64), nullable=False, comment="SHA-256 of the picture as it came: no picture is kept twice"),
    Column("title", String(200), nullable=False, server_default=text("''")),
    Column("author", String(200), nullable=False, server_default=text("''")),
    Column("licence", String(400), nullable=False, server_default=text("''"), comment="an address or a sentence, as the feed says it"),
    Column("link", String(2000), nullable=False, server_default=text("''"), comment="the entry's page, http or https"),
    Column("source", String(2000), nullable=False, server_default=text("''"), comment="where the picture was downloaded"),
    Column("published", Instant, comment="what the entry says; null: nothing"),
    Column("width", Integer, nullable=False, comment="pixels, as it is kept"),
    Column("height", Integer, nullable=False),
    Column("thumbnail_width", Integer, nullable=False),
    Column("thumbnail_height", Integer, nullable=False),
    Column("media_type", String(20), nullable=False, comment="image/jpeg or image/png"),
    Column("size", BigInteger, nullable=False, comment="bytes of the picture on disk"),
    Column("created_by", String(200), nullable=False, comment="the person, the job or the schedule that asked"),
    Column("created_at", Instant, nullable=False),
    Column("deleted_at", Instant, comment="since when it is only remembered so that it does not come back"),
    UniqueConstraint("feed_id", "entry"),
    UniqueConstraint("digest"),
    Index("ix_photos_feed", "feed_id", "id"),
    Index("ix_photos_run", "run_id"),
)
