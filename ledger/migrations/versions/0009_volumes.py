"""Kept volumes, what was measured in them, and SUV that somebody corrected."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    op.create_table(
        "volumes",
        sa.Column("id", sa.String(length=36), nullable=False, comment="that of the run which made it: a run makes one volume, also in a second attempt"),
        sa.Column("name", sa.String(length=200), nullable=False, comment="what people call it"),
        sa.Column("subject", sa.String(length=200), server_default=sa.text("''"), nullable=False, comment="patient, animal or phantom"),
        sa.Column("label", sa.String(length=200), server_default=sa.text("''"), nullable=False, comment="the series, in its scanner's words"),
        sa.Column("modality", sa.String(length=16), server_default=sa.text("''"), nullable=False, comment="CT, PT, MR, ..., as DICOM says it"),
        sa.Column("acquired", sa.String(length=40), server_default=sa.text("''"), nullable=False, comment="ISO 8601, local time of the scanner"),
        sa.Column("unit", sa.String(length=40), server_default=sa.text("''"), nullable=False, comment="of its values"),
        sa.Column("size", sa.BigInteger(), nullable=False, comment="bytes on disk"),
        sa.Column("sidecar", sa.Text(), nullable=False, comment="JSON: all that is known, as in its folder"),
        sa.Column("created_by", sa.String(length=200), nullable=False, comment="the person, the job or the schedule that asked"),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_volumes")),
    )
    op.create_index("ix_volumes_subject", "volumes", ["subject", "id"])
    op.create_table(
        "measurements",
        sa.Column("id", sa.String(length=36), nullable=False, comment="that of the run which made it"),
        sa.Column("volume_id", sa.String(length=36), nullable=False),
        sa.Column("rule", sa.Text(), nullable=False, comment="JSON: what counts as inside, with its numbers"),
        sa.Column("figures", sa.Text(), nullable=False, comment="JSON: of the whole, and of each component"),
        sa.Column("created_by", sa.String(length=200), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["volume_id"], ["volumes.id"], name=op.f("fk_measurements_volume_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_measurements")),
    )
    op.create_index("ix_measurements_volume", "measurements", ["volume_id", "id"])
    op.create_table(
        "corrections",
        sa.Column("id", sa.String(length=36), nullable=False, comment="that of the run which computed it"),
        sa.Column("volume_id", sa.String(length=36), nullable=False),
        sa.Column("suv", sa.Text(), nullable=False, comment="JSON: factor, kind and the inputs that somebody corrected; the newest holds"),
        sa.Column("reason", sa.Text(), server_default=sa.text("''"), nullable=False, comment="in that person's words"),
        sa.Column("created_by", sa.String(length=200), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["volume_id"], ["volumes.id"], name=op.f("fk_corrections_volume_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_corrections")),
    )
    op.create_index("ix_corrections_volume", "corrections", ["volume_id", "id"])


def downgrade() -> None:
    for table in ("corrections", "measurements", "volumes"):
        op.drop_table(table)
