"""Limits of jobs: the lane of a run, and what is counted."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.add_column(
        "runs",
        sa.Column("lane", sa.String(length=200), server_default=sa.text("''"), nullable=False, comment="its job's name if that has limits: see lanes"),
    )
    op.drop_index("ix_runs_ready", table_name="runs")
    _create_ready("queue", "lane", "priority", "due_at", "id")
    op.create_index(
        "ix_runs_lane",
        "runs",
        ["lane"],
        sqlite_where=sa.text("state = 'running' AND lane <> ''"),
        postgresql_where=sa.text("state = 'running' AND lane <> ''"),
    )
    op.create_table(
        "limits",
        sa.Column("job", sa.String(length=200), nullable=False, comment="a job that has limits, as announced last"),
        sa.Column("max_concurrency", sa.Integer(), comment="runs of it that may run at the same time"),
        sa.Column("rate_runs", sa.Integer(), comment="starts of it within rate_period, in any stretch of that length"),
        sa.Column("rate_period", sa.BigInteger(), comment="microseconds"),
        sa.Column("unique_while", sa.String(length=10), comment="queued, active or period: when an equal run is no new one"),
        sa.Column("unique_period", sa.BigInteger(), comment="microseconds after which an equal run is a new one"),
        sa.Column("unique_by", sa.Text(), comment="JSON list: the parameters that count; null: all"),
        sa.Column("on_duplicate", sa.String(length=10), comment="skip or replace"),
        sa.PrimaryKeyConstraint("job", name="pk_limits"),
    )
    op.create_table(
        "starts",
        sa.Column("job", sa.String(length=200), nullable=False, comment="a job with a rate"),
        sa.Column("started_at", sa.BigInteger(), nullable=False),
        sa.Column("run_id", sa.String(length=36), nullable=False),
        sa.PrimaryKeyConstraint("job", "started_at", "run_id", name="pk_starts"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "unique_runs",
        sa.Column("key", sa.String(length=64), nullable=False, comment="digest of the job and the arguments that count"),
        sa.Column("run_id", sa.String(length=36), nullable=False, comment="the run that was accepted last for it"),
        sa.PrimaryKeyConstraint("key", name="pk_unique_runs"),
    )
    op.create_index("ix_unique_runs_run", "unique_runs", ["run_id"])
    op.create_table(
        "counters",
        sa.Column("key", sa.String(length=200), nullable=False, comment="of a Dramatiq rate limiter or barrier"),
        sa.Column("value", sa.BigInteger(), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=False, comment="from then on as if it were not there"),
        sa.PrimaryKeyConstraint("key", name="pk_counters"),
    )


def downgrade() -> None:
    for table in ("counters", "unique_runs", "starts", "limits"):
        op.drop_table(table)
    op.drop_index("ix_runs_lane", table_name="runs")
    op.drop_index("ix_runs_ready", table_name="runs")
    _create_ready("queue", "priority", "due_at", "id")
    op.drop_column("runs", "lane")


def _create_ready(*columns: str) -> None:
    op.create_index(
        "ix_runs_ready",
        "runs",
        list(columns),
        sqlite_where=sa.text("state = 'queued'"),
        postgresql_where=sa.text("state = 'queued'"),
    )
