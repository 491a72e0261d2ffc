"""Schedules: a beginning and an end, jitter, expiry, kept runs, pauses with a reason and an end; ticks that wait."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"


def new_columns() -> list[sa.Column]:
    return [
        sa.Column("starts_at", sa.BigInteger(), comment="no tick before"),
        sa.Column("ends_at", sa.BigInteger(), comment="no tick after"),
        sa.Column("jitter", sa.BigInteger(), comment="microseconds: a run is due up to so long after its tick, the same each time"),
        sa.Column("expires_after", sa.BigInteger(), comment="microseconds after its tick, when a run that has not begun expires"),
        sa.Column("keep_runs", sa.Integer(), comment="so many of its newest runs are kept, whatever their age"),
        sa.Column("paused_reason", sa.Text(), comment="in that person's words"),
        sa.Column("resumes_at", sa.BigInteger(), comment="when it goes on by itself"),
    ]


def upgrade() -> None:
    for column in new_columns():
        op.add_column("schedules", column)
    op.create_index(
        "ix_ticks_waiting",
        "ticks",
        ["schedule_id", "tick_at"],
        sqlite_where=sa.text("outcome = 'waiting'"),
        postgresql_where=sa.text("outcome = 'waiting'"),
    )


def downgrade() -> None:
    op.drop_index("ix_ticks_waiting", table_name="ticks")
    for column in reversed(new_columns()):
        op.drop_column("schedules", column.name)
