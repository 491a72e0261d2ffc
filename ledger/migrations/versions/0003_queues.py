"""Queues can be paused; a worker can be asked to drain, and tells its memory."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    op.create_table(
        "pauses",
        sa.Column(
            "queue", sa.String(length=200), nullable=False, comment="nothing of it is claimed while its row stands"
        ),
        sa.Column("paused_at", sa.BigInteger(), nullable=False),
        sa.Column("paused_by", sa.String(length=200), nullable=False, comment="the person"),
        sa.Column(
            "reason", sa.Text(), server_default=sa.text("''"), nullable=False, comment="in that person's words"
        ),
        sa.Column(
            "ends_at",
            sa.BigInteger(),
            nullable=False,
            comment="when claims begin again by themselves; endless: see pauses",
        ),
        sa.PrimaryKeyConstraint("queue", name=("pk_pauses")),
    )
    memory = "resident bytes with its cells, as its supervisor saw at the last beat"
    by = "the person who asked it to finish what it runs and stop"
    op.add_column("processes", sa.Column("memory", sa.BigInteger(), nullable=True, comment=memory))
    op.add_column("processes", sa.Column("drained_by", sa.String(length=200), nullable=True, comment=by))
    op.add_column(
        "processes", sa.Column("drained_at", sa.BigInteger(), nullable=True, comment="when that was asked")
    )


def downgrade() -> None:
    for name in ("drained_at", "drained_by", "memory"):
        op.drop_column("processes", name)
    op.drop_table("pauses")
