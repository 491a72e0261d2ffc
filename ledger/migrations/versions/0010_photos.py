"""Feeds and the pictures that are kept of them."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    op.create_table(
        "feeds",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("url", sa.String(length=2000), nullable=False, comment="as feed_addresses.cleaned writes it"),
        sa.Column("title", sa.String(length=200), server_default=sa.text("''"), nullable=False, comment="what it calls itself"),
        sa.Column("etag", sa.String(length=400), server_default=sa.text("''"), nullable=False, comment="of the answer that was dealt with last"),
        sa.Column("last_modified", sa.String(length=100), server_default=sa.text("''"), nullable=False, comment="likewise, as the server wrote it"),
        sa.Column("entry", sa.String(length=64), server_default=sa.text("''"), nullable=False, comment="SHA-256 of the entry that was dealt with last"),
        sa.Column("not_before", sa.BigInteger(), nullable=True, comment="when it may be asked again, after it said that it is too much"),
        sa.Column("refusals", sa.Integer(), server_default=sa.text("0"), nullable=False, comment="how often in a row it said so"),
        sa.Column("error", sa.String(length=600), server_default=sa.text("''"), nullable=False, comment="what went wrong the last time; empty: nothing"),
        sa.Column("asked_at", sa.BigInteger(), nullable=False, comment="the last time a run dealt with it"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_feeds")),
        sa.UniqueConstraint("url", name=op.f("uq_feeds_url")),
    )
    op.create_table(
        "photos",
        sa.Column("id", sa.String(length=36), nullable=False, comment="UUIDv7; the name of its folder"),
        sa.Column("feed_id", sa.String(length=36), nullable=False),
        sa.Column("run_id", sa.String(length=36), nullable=False, comment="the run that fetched it, perhaps pruned by now"),
        sa.Column("entry", sa.String(length=64), nullable=False, comment="SHA-256 of the entry's id in its feed"),
        sa.Column("digest", sa.String(length=64), nullable=False, comment="SHA-256 of the picture as it came: no picture is kept twice"),
        sa.Column("title", sa.String(length=200), server_default=sa.text("''"), nullable=False),
        sa.Column("author", sa.String(length=200), server_default=sa.text("''"), nullable=False),
        sa.Column("licence", sa.String(length=400), server_default=sa.text("''"), nullable=False, comment="an address or a sentence, as the feed says it"),
        sa.Column("link", sa.String(length=2000), server_default=sa.text("''"), nullable=False, comment="the entry's page, http or https"),
        sa.Column("source", sa.String(length=2000), server_default=sa.text("''"), nullable=False, comment="where the picture was downloaded"),
        sa.Column("published", sa.BigInteger(), nullable=True, comment="what the entry says; null: nothing"),
        sa.Column("width", sa.Integer(), nullable=False, comment="pixels, as it is kept"),
        sa.Column("height", sa.Integer(), nullable=False),
        sa.Column("thumbnail_width", sa.Integer(), nullable=False),
        sa.Column("thumbnail_height", sa.Integer(), nullable=False),
        sa.Column("media_type", sa.String(length=20), nullable=False, comment="image/jpeg or image/png"),
        sa.Column("size", sa.BigInteger(), nullable=False, comment="bytes of the picture on disk"),
        sa.Column("created_by", sa.String(length=200), nullable=False, comment="the person, the job or the schedule that asked"),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("deleted_at", sa.BigInteger(), nullable=True, comment="since when it is only remembered so that it does not come back"),
        sa.ForeignKeyConstraint(["feed_id"], ["feeds.id"], name=op.f("fk_photos_feed_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_photos")),
        sa.UniqueConstraint("feed_id", "entry", name=op.f("uq_photos_feed_id_entry")),
        sa.UniqueConstraint("digest", name=op.f("uq_photos_digest")),
    )
    op.create_index("ix_photos_feed", "photos", ["feed_id", "id"])
    op.create_index("ix_photos_run", "photos", ["run_id"])


def downgrade() -> None:
    for table in ("photos", "feeds"):
        op.drop_table(table)
