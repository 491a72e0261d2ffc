"""Failure groups by fingerprint; the places that runs take in pipelines and groups, each counted once."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"

HAS_FINGERPRINT = sa.text("fingerprint IS NOT NULL")
HAS_GROUP = sa.text("group_id IS NOT NULL")


def upgrade() -> None:
    op.add_column(
        "runs",
        sa.Column("fingerprint", sa.String(length=32), comment="of how it failed for good: its group in failures"),
    )
    op.create_index(
        "ix_runs_fingerprint",
        "runs",
        ["fingerprint", "id"],
        sqlite_where=HAS_FINGERPRINT,
        postgresql_where=HAS_FINGERPRINT,
    )
    op.add_column("barriers", sa.Column("parties", sa.Integer(), comment="members in all"))
    create_failures()
    create_members()
    create_group_passes()


def create_failures() -> None:
    op.create_table(
        "failures",
        sa.Column("fingerprint", sa.String(length=32), nullable=False, comment="of job, exception type and last own frame"),
        sa.Column("job", sa.String(length=200), nullable=False),
        sa.Column("error_type", sa.String(length=200), server_default=sa.text("''"), nullable=False),
        sa.Column("place", sa.String(length=400), server_default=sa.text("''"), nullable=False, comment="file and function, for people"),
        sa.Column("sample", sa.Text(), server_default=sa.text("''"), nullable=False, comment="what the first one said"),
        sa.Column("first_run_id", sa.String(length=36), comment="the first one"),
        sa.Column("first_seen_at", sa.BigInteger(), nullable=False),
        sa.Column("muted_at", sa.BigInteger(), comment="since when nobody wants to be told, until it changes"),
        sa.Column("muted_by", sa.String(length=200)),
        sa.Column("muted_versions", sa.Text(), comment="JSON list: versions of the code that were known to fail this way"),
        sa.Column("muted_rate", sa.Integer(), comment="failures in the worst hour of the day before it was muted"),
        sa.Column("returned_at", sa.BigInteger(), comment="when it had changed so much that people are told again"),
        sa.Column("returned_because", sa.Text(), comment="JSON: {version} that is new to it, or {number} in an hour"),
        sa.PrimaryKeyConstraint("fingerprint", name="pk_failures"),
    )


def create_members() -> None:
    op.create_table(
        "members",
        sa.Column("run_id", sa.String(length=36), nullable=False),
        sa.Column("slot", sa.String(length=200), nullable=False, comment="the place: message id of the member, or of its first step"),
        sa.Column("step", sa.Integer(), server_default=sa.text("1"), nullable=False, comment="of a pipeline, from 1"),
        sa.Column("group_id", sa.String(length=200), comment="the group that it counts for: its barrier's key"),
        sa.ForeignKeyConstraint(["run_id"], ["runs.id"], name="fk_members_run_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("run_id", name="pk_members"),
    )
    op.create_index("ix_members_slot", "members", ["slot", "run_id"])
    op.create_index("ix_members_group", "members", ["group_id", "run_id"], sqlite_where=HAS_GROUP, postgresql_where=HAS_GROUP)


def create_group_passes() -> None:
    op.create_table(
        "group_passes",
        sa.Column("key", sa.String(length=200), nullable=False, comment="of the group's barrier"),
        sa.Column("slot", sa.String(length=200), nullable=False, comment="the place whose success was counted"),
        sa.Column("expires_at", sa.BigInteger(), nullable=False, comment="with its barrier"),
        sa.PrimaryKeyConstraint("key", "slot", name="pk_group_passes"),
    )


def downgrade() -> None:
    op.drop_table("group_passes")
    op.drop_table("members")
    op.drop_table("failures")
    op.drop_column("barriers", "parties")
    op.drop_index("ix_runs_fingerprint", "runs")
    op.drop_column("runs", "fingerprint")
