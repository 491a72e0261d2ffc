"""The table of paused queues; the others stand in ``tables``."""

from sqlalchemy import Column, String, Table, Text, text

from ledger.tables import Instant, metadata

pauses = Table(
    "pauses",
    metadata,
    Column("queue", String(200), primary_key=True, comment="nothing of it is claimed while its row stands"),
    Column("paused_at", Instant, nullable=False),
    Column("paused_by", String(200), nullable=False, comment="the person"),
    Column("reason", Text, nullable=False, server_default=text("''"), comment="in that person's words"),
    Column("ends_at", Instant, nullable=False, comment="when claims begin again by themselves; endless: see pauses"),
)
