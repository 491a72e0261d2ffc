"""What people do to many runs at once, tags, and lists that are kept under a name."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    op.create_table(
        "actions",
        sa.Column("id", sa.String(length=36), nullable=False, comment="made with its form, so that sending it twice is one action"),
        sa.Column("kind", sa.String(length=12), nullable=False, comment="see actions.Kind"),
        sa.Column("by", sa.String(length=200), nullable=False, comment="the person"),
        sa.Column("at", sa.BigInteger(), nullable=False, comment="when the person confirmed it"),
        sa.Column("target", sa.String(length=200), server_default=sa.text("''"), nullable=False, comment="the queue, or the tag"),
        sa.Column("said", sa.Text(), nullable=False, comment="which runs, in words"),
        sa.Column("number", sa.Integer(), nullable=False, comment="runs it is to act on"),
        sa.Column("run_id", sa.String(length=36), nullable=False, comment="the run of waybill.bulk that does it"),
        sa.Column("undoes_id", sa.String(length=36), nullable=True, comment="the action that this one takes back"),
        sa.PrimaryKeyConstraint("id", name=("pk_actions")),
    )
    op.create_index("ix_actions_at", "actions", ["at"], unique=False)
    op.create_index("ux_actions_undoes", "actions", ["undoes_id"], unique=True)
    op.create_table(
        "action_runs",
        sa.Column("action_id", sa.String(length=36), nullable=False),
        sa.Column("run_id", sa.String(length=36), nullable=False, comment="no key of runs: a discarded run is gone, its line stays"),
        sa.Column("outcome", sa.String(length=10), nullable=True, comment="null until its turn: done, unchanged or refused"),
        sa.Column("found", sa.String(length=12), nullable=True, comment="the state it was found in; null when it was gone"),
        sa.Column("was", sa.String(length=200), nullable=True, comment="the queue it was moved from; in an undo, the one it goes back to"),
        sa.Column("made_id", sa.String(length=36), nullable=True, comment="the new run, when it was run again"),
        sa.ForeignKeyConstraint(["action_id"], ["actions.id"], name=("fk_action_runs_action_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("action_id", "run_id", name=("pk_action_runs")),
    )
    op.create_index("ix_action_runs_run", "action_runs", ["run_id"], unique=False)
    op.create_table(
        "run_tags",
        sa.Column("run_id", sa.String(length=36), nullable=False),
        sa.Column("name", sa.String(length=60), nullable=False, comment="what people call it, like urgent"),
        sa.Column("added_by", sa.String(length=200), nullable=False),
        sa.Column("added_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["run_id"], ["runs.id"], name=("fk_run_tags_run_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("run_id", "name", name=("pk_run_tags")),
    )
    op.create_index("ix_run_tags_name", "run_tags", ["name", "run_id"], unique=False)
    op.create_table(
        "saved_views",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("name", sa.String(length=80), nullable=False),
        sa.Column("query", sa.Text(), nullable=False, comment="the list's address after the question mark"),
        sa.Column("created_by", sa.String(length=200), nullable=False, comment="everybody sees it"),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=("pk_saved_views")),
        sa.UniqueConstraint("name", name=("uq_saved_views_name")),
    )


def downgrade() -> None:
    op.drop_table("saved_views")
    op.drop_table("run_tags")
    op.drop_table("action_runs")
    op.drop_table("actions")
