"""Tables about what runs have in common: a way of failing, a group, a pipeline. And what all tables are made with."""

from sqlalchemy import BigInteger, Column, ForeignKey, Index, Integer, MetaData, String, Table, Text, text

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)

Id = String(36)
Instant = BigInteger
Json = Text

#: Written once per way of failing, and then only by people: what happens often is counted from the runs.
failures = Table(
    "failures",
    metadata,
    Column("fingerprint", String(32), primary_key=True, comment="of job, exception type and last own frame"),
    Column("job", String(200), nullable=False),
    Column("error_type", String(200), nullable=False, server_default=text("''")),
    Column("place", String(400), nullable=False, server_default=text("''"), comment="file and function, for people"),
    Column("sample", Text, nullable=False, server_default=text("''"), comment="what the first one said"),
    Column("first_run_id", Id, comment="the first one"),
    Column("first_seen_at", Instant, nullable=False),
    Column("muted_at", Instant, comment="since when nobody wants to be told, until it changes"),
    Column("muted_by", String(200)),
    Column("muted_versions", Json, comment="JSON list: versions of the code that were known to fail this way"),
    Column("muted_rate", Integer, comment="failures in the worst hour of the day before it was muted"),
    Column("returned_at", Instant, comment="when it had changed so much that people are told again"),
    Column("returned_because", Json, comment="JSON: {version} that is new to it, or {number} in an hour"),
)

#: Runs that take a place in a pipeline or a group; a repetition takes the same place.
members = Table(
    "members",
    metadata,
    Column("run_id", Id, ForeignKey("runs.id", ondelete="CASCADE"), primary_key=True),
    Column("slot", String(200), nullable=False, comment="the place: message id of the member, or of its first step"),
    Column("step", Integer, nullable=False, server_default=text("1"), comment="of a pipeline, from 1"),
    Column("group_id", String(200), comment="the group that it counts for: its barrier's key"),
    Index("ix_members_slot", "slot", "run_id"),
    Index(
        "ix_members_group",
        "group_id",
        "run_id",
        sqlite_where=text("group_id IS NOT NULL"),
        postgresql_where=text("group_id IS NOT NULL"),
    ),
)

barriers = Table(
    "barriers",
    metadata,
    Column("key", String(200), primary_key=True, comment="of a group with completion callbacks"),
    Column("remaining", Integer, nullable=False, comment="members that have not succeeded yet"),
    Column("expires_at", Instant, nullable=False),
    Column("parties", Integer, comment="members in all"),
)

group_passes = Table(
    "group_passes",
    metadata,
    Column("key", String(200), primary_key=True, comment="of the group's barrier"),
    Column("slot", String(200), primary_key=True, comment="the place whose success was counted"),
    Column("expires_at", Instant, nullable=False, comment="with its barrier"),
)
