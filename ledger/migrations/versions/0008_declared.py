"""Schedules that code or a file declares: what was said, by which statement, and since when it no longer is."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"


def new_columns() -> list[sa.Column]:
    return [
        sa.Column("origin", sa.String(length=10), server_default=sa.text("'site'"), nullable=False, comment="code, file or site: who declares it, or made here"),
        sa.Column("declared_as", sa.String(length=200), comment="the name that code or file gives it; null: made here"),
        sa.Column("declared", sa.Text(), comment="JSON: what was declared last; the row differs where somebody edited it"),
        sa.Column("declared_at", sa.BigInteger(), comment="since when that is said"),
        sa.Column("undeclared_at", sa.BigInteger(), comment="since when it is not declared any more"),
    ]


def upgrade() -> None:
    op.create_table(
        "statements",
        sa.Column("id", sa.String(length=32), nullable=False, comment="digest of what is said"),
        sa.Column("source", sa.String(length=10), nullable=False, comment="code or file"),
        sa.Column("said", sa.Text(), nullable=False, comment="JSON: the schedules, and for which jobs and modules it speaks"),
        sa.Column("faults", sa.Text(), server_default=sa.text("'[]'"), nullable=False, comment="JSON: entries that cannot be read, and why"),
        sa.Column("obstacles", sa.Text(), server_default=sa.text("'[]'"), nullable=False, comment="JSON: entries that cannot be followed now, and why"),
        sa.Column("first_at", sa.BigInteger(), nullable=False, comment="the newer of two that differ holds"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_statements")),
    )
    op.add_column("processes", sa.Column("statement", sa.String(length=32), comment="the schedules that it declares"))
    for column in new_columns():
        op.add_column("schedules", column)
    op.create_index("ix_schedules_declared_as", "schedules", ["declared_as"], unique=True)


def downgrade() -> None:
    op.drop_index("ix_schedules_declared_as", table_name="schedules")
    for column in reversed(new_columns()):
        op.drop_column("schedules", column.name)
    op.drop_column("processes", "statement")
    op.drop_table("statements")
