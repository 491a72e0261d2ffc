"""What finished is counted, and stays counted when its runs are pruned: tallies, totals, and their two marks."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"

BEHIND = "NEW.finished_at <= (SELECT closed_to FROM tally_marks WHERE id = 1)"

#: Runs are counted in the order of their ends, once. A run that ends behind what is counted already - its worker's
#: clock is slow, or its ending waited for the ledger - is noted here, whoever ends it: 2 µs of the 68 that an ending
#: costs. Runs that are inserted as finished, which only demos and tests do, leave no note.
NOTE_STRAGGLERS = {
    "sqlite": [
        f"""CREATE TRIGGER runs_note_straggler AFTER UPDATE OF finished_at ON runs
        WHEN {BEHIND} BEGIN INSERT INTO stragglers (run_id) VALUES (NEW.id); END""",
    ],
    "postgresql": [
        f"""CREATE FUNCTION runs_note_straggler() RETURNS trigger LANGUAGE plpgsql AS
        $$ BEGIN
          IF {BEHIND} THEN INSERT INTO stragglers (run_id) VALUES (NEW.id); END IF;
          RETURN NULL;
        END $$""",
        """CREATE TRIGGER runs_note_straggler AFTER UPDATE OF finished_at ON runs FOR EACH ROW
        WHEN (NEW.finished_at IS NOT NULL) EXECUTE FUNCTION runs_note_straggler()""",
    ],
}
FORGET_STRAGGLERS = {
    "sqlite": ["DROP TRIGGER runs_note_straggler"],
    "postgresql": ["DROP FUNCTION runs_note_straggler() CASCADE"],
}
IS_LATE = sa.text("late_at IS NOT NULL")


def upgrade() -> None:
    op.create_table(
        "tallies",
        sa.Column(
            "step",
            sa.BigInteger(),
            autoincrement=False,
            nullable=False,
            comment="how long a row covers: see tally.STEPS",
        ),
        sa.Column("at", sa.BigInteger(), autoincrement=False, nullable=False, comment="when they begin"),
        sa.Column("job", sa.String(length=200), nullable=False),
        sa.Column("queue", sa.String(length=200), nullable=False),
        sa.Column("state", sa.String(length=12), nullable=False, comment="terminal"),
        sa.Column("number", sa.BigInteger(), nullable=False, comment="runs that finished so in this time"),
        sa.PrimaryKeyConstraint("step", "at", "job", "queue", "state", name="pk_tallies"),
    )
    op.create_table(
        "totals",
        sa.Column("job", sa.String(length=200), nullable=False, comment="or tally.OTHER, once there are too many"),
        sa.Column("state", sa.String(length=12), nullable=False, comment="terminal"),
        sa.Column(
            "name",
            sa.String(length=20),
            nullable=False,
            comment="what is counted: runs, waited, wait:3, ...; see tally",
        ),
        sa.Column(
            "number",
            sa.BigInteger(),
            nullable=False,
            comment="since the ledger was made; outlives the runs, only grows",
        ),
        sa.PrimaryKeyConstraint("job", "state", "name", name="pk_totals"),
    )
    marks = op.create_table(
        "tally_marks",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False, comment="1: there is one row"),
        sa.Column("counted_to", sa.BigInteger(), nullable=False, comment="runs that finished up to here are counted"),
        sa.Column(
            "closed_to",
            sa.BigInteger(),
            nullable=False,
            comment="a run that ends later, but up to here, is a straggler",
        ),
        sa.Column("closed_at", sa.BigInteger(), nullable=False, comment="when closed_to was moved last"),
        sa.PrimaryKeyConstraint("id", name="pk_tally_marks"),
    )
    op.create_table(
        "stragglers",
        sa.Column(
            "run_id",
            sa.String(length=36),
            nullable=False,
            comment="ended behind closed_to, as a trigger saw; not counted yet",
        ),
        sa.PrimaryKeyConstraint("run_id", name="pk_stragglers"),
    )
    op.create_index("ix_attempts_late", "attempts", ["late_at"], sqlite_where=IS_LATE, postgresql_where=IS_LATE)
    op.bulk_insert(marks, [{"id": 1, "counted_to": 0, "closed_to": 0, "closed_at": 0}])
    for statement in NOTE_STRAGGLERS[op.get_bind().dialect.name]:
        op.execute(statement)


def downgrade() -> None:
    for statement in FORGET_STRAGGLERS[op.get_bind().dialect.name]:
        op.execute(statement)
    op.drop_index("ix_attempts_late", "attempts")
    op.drop_table("stragglers")
    op.drop_table("tally_marks")
    op.drop_table("totals")
    op.drop_table("tallies")
