"""What limits add to the tables: how many runs of a job may run, how often, and which are the same."""

from sqlalchemy import BigInteger, Column, Index, Integer, String, Table

from ledger.tables_kin import Id, Instant, Json, metadata

limits = Table(
    "limits",
    metadata,
    Column("job", String(200), primary_key=True, comment="a job that has limits, as announced last"),
    Column("max_concurrency", Integer, comment="runs of it that may run at the same time"),
    Column("rate_runs", Integer, comment="starts of it within rate_period, in any stretch of that length"),
    Column("rate_period", BigInteger, comment="microseconds"),
    Column("unique_while", String(10), comment="queued, active or period: when an equal run is no new one"),
    Column("unique_period", BigInteger, comment="microseconds after which an equal run is a new one"),
    Column("unique_by", Json, comment="JSON list: the parameters that count; null: all"),
    Column("on_duplicate", String(10), comment="skip or replace"),
)

starts = Table(
    "starts",
    metadata,
    Column("job", String(200), primary_key=True, comment="a job with a rate"),
    Column("started_at", Instant, primary_key=True),
    Column("run_id", Id, primary_key=True),
    sqlite_with_rowid=False,
)

unique_runs = Table(
    "unique_runs",
    metadata,
    Column("key", String(64), primary_key=True, comment="digest of the job and the arguments that count"),
    Column("run_id", Id, nullable=False, comment="the run that was accepted last for it"),
    Index("ix_unique_runs_run", "run_id"),
)

counters = Table(
    "counters",
    metadata,
    Column("key", String(200), primary_key=True, comment="of a Dramatiq rate limiter or barrier"),
    Column("value", BigInteger, nullable=False),
    Column("expires_at", Instant, nullable=False, comment="from then on as if it were not there"),
)
