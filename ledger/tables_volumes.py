"""Tables about kept volumes: what they are, what was measured in them, and what people said about them; and how files
that do not say what they are become volumes."""

from sqlalchemy import BigInteger, Column, ForeignKey, Index, String, Table, Text, UniqueConstraint, text

from ledger.tables_kin import Id, Instant, Json, metadata

volumes = Table(
    "volumes",
    metadata,
    Column("id", Id, primary_key=True, comment="that of the run which made it: a run makes one volume, also in a second attempt"),
    Column("name", String(200), nullable=False, comment="what people call it"),
    Column("subject", String(200), nullable=False, server_default=text("''"), comment="patient, animal or phantom"),
    Column("label", String(200), nullable=False, server_default=text("''"), comment="the series, in its scanner's words"),
    Column("modality", String(16), nullable=False, server_default=text("''"), comment="CT, PT, MR, ..., as DICOM says it"),
    Column("acquired", String(40), nullable=False, server_default=text("''"), comment="ISO 8601, local time of the scanner"),
    Column("unit", String(40), nullable=False, server_default=text("''"), comment="of its values"),
    Column("size", BigInteger, nullable=False, comment="bytes on disk"),
    Column("sidecar", Json, nullable=False, comment="JSON: all that is known, as in its folder"),
    Column("created_by", String(200), nullable=False, comment="the person, the job or the schedule that asked"),
    Column("created_at", Instant, nullable=False),
    Index("ix_volumes_subject", "subject", "id"),
)

measurements = Table(
    "measurements",
    metadata,
    Column("id", Id, primary_key=True, comment="that of the run which made it"),
    Column("volume_id", Id, ForeignKey("volumes.id", ondelete="CASCADE"), nullable=False),
    Column("rule", Json, nullable=False, comment="JSON: what counts as inside, with its numbers"),
    Column("figures", Json, nullable=False, comment="JSON: of the whole, and of each component"),
    Column("created_by", String(200), nullable=False),
    Column("created_at", Instant, nullable=False),
    Index("ix_measurements_volume", "volume_id", "id"),
)

corrections = Table(
    "corrections",
    metadata,
    Column("id", Id, primary_key=True, comment="that of the run which computed it"),
    Column("volume_id", Id, ForeignKey("volumes.id", ondelete="CASCADE"), nullable=False),
    Column("suv", Json, nullable=False, comment="JSON: factor, kind and the inputs that somebody corrected; the newest holds"),
    Column("reason", Text, nullable=False, server_default=text("''"), comment="in that person's words"),
    Column("created_by", String(200), nullable=False),
    Column("created_at", Instant, nullable=False),
    Index("ix_corrections_volume", "volume_id", "id"),
)

presets = Table(
    "presets",
    metadata,
    Column("id", Id, primary_key=True),
    Column("name", String(80), nullable=False),
    Column("size", BigInteger, nullable=False, comment="bytes of the files that it fits"),
    Column("arguments", Json, nullable=False, comment="JSON: what the form is filled in with, as it was typed"),
    Column("created_by", String(200), nullable=False, comment="everybody sees it"),
    Column("created_at", Instant, nullable=False),
    UniqueConstraint("name"),
)
