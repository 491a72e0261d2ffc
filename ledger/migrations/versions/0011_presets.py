"""Presets: how files without a header are read, under a name."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"


def upgrade() -> None:
    op.create_table(
        "presets",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("name", sa.String(length=80), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False, comment="bytes of the files that it fits"),
        sa.Column("arguments", sa.Text(), nullable=False, comment="JSON: what the form is filled in with, as it was typed"),
        sa.Column("created_by", sa.String(length=200), nullable=False, comment="everybody sees it"),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_presets")),
        sa.UniqueConstraint("name", name=op.f("uq_presets_name")),
    )


def downgrade() -> None:
    op.drop_table("presets")
