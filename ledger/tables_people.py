"""Tables of what people add: pauses, tags, bulk actions, saved views."""

from sqlalchemy import Column, ForeignKey, Index, Integer, String, Table, Text, UniqueConstraint, text

from ledger.tables_kin import Id, Instant, metadata

pauses = Table(
    "pauses",
    metadata,
    Column("queue", String(200), primary_key=True, comment="nothing of it is claimed while its row stands"),
    Column("paused_at", Instant, nullable=False),
    Column("paused_by", String(200), nullable=False, comment="the person"),
    Column("reason", Text, nullable=False, server_default=text("''"), comment="in that person's words"),
    Column("ends_at", Instant, nullable=False, comment="when claims begin again by themselves; endless: see pauses"),
)

run_tags = Table(
    "run_tags",
    metadata,
    Column("run_id", Id, ForeignKey("runs.id", ondelete="CASCADE"), primary_key=True),
    Column("name", String(60), primary_key=True, comment="what people call it, like urgent"),
    Column("added_by", String(200), nullable=False),
    Column("added_at", Instant, nullable=False),
    Index("ix_run_tags_name", "name", "run_id"),
)

actions = Table(
    "actions",
    metadata,
    Column("id", Id, primary_key=True, comment="made with its form, so that sending it twice is one action"),
    Column("kind", String(12), nullable=False, comment="see actions.Kind"),
    Column("by", String(200), nullable=False, comment="the person"),
    Column("at", Instant, nullable=False, comment="when the person confirmed it"),
    Column("target", String(200), nullable=False, server_default=text("''"), comment="the queue, or the tag"),
    Column("said", Text, nullable=False, comment="which runs, in words"),
    Column("number", Integer, nullable=False, comment="runs it is to act on"),
    Column("run_id", Id, nullable=False, comment="the run of waybill.bulk that does it"),
    Column("undoes_id", Id, comment="the action that this one takes back"),
    Index("ix_actions_at", "at"),
    Index("ux_actions_undoes", "undoes_id", unique=True),
)

action_runs = Table(
    "action_runs",
    metadata,
    Column("action_id", Id, ForeignKey("actions.id", ondelete="CASCADE"), primary_key=True),
    Column("run_id", Id, primary_key=True, comment="no key of runs: a discarded run is gone, its line stays"),
    Column("outcome", String(10), comment="null until its turn: done, unchanged or refused"),
    Column("found", String(12), comment="the state it was found in; null when it was gone"),
    Column("was", String(200), comment="the queue it was moved from; in an undo, the one it goes back to"),
    Column("made_id", Id, comment="the new run, when it was run again"),
    Index("ix_action_runs_run", "run_id"),
)

saved_views = Table(
    "saved_views",
    metadata,
    Column("id", Id, primary_key=True),
    Column("name", String(80), nullable=False),
    Column("query", Text, nullable=False, comment="the list's address after the question mark"),
    Column("created_by", String(200), nullable=False, comment="everybody sees it"),
    Column("created_at", Instant, nullable=False),
    UniqueConstraint("name"),
)
