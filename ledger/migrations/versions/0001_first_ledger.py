"""The first ledger: runs, attempts, processes, jobs, schedules, ticks, logs, artifacts, rejected, barriers."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

TERMINAL = "('succeeded', 'failed', 'canceled', 'expired', 'dead')"
GUARDED = "state, result, error_type, error, args, job, attempt, claim_token, finished_at"

#: Finished runs are history: no statement, ours or a person's, may rewrite them.
TERMINAL_GUARD = {
    "sqlite": [
        f"""CREATE TRIGGER runs_terminal_guard BEFORE UPDATE OF {GUARDED} ON runs
        WHEN OLD.state IN {TERMINAL}
        BEGIN SELECT RAISE(ABORT, 'a finished run never changes'); END""",
    ],
    "postgresql": [
        """CREATE FUNCTION runs_refuse_change() RETURNS trigger LANGUAGE plpgsql AS
        $$ BEGIN RAISE EXCEPTION 'a finished run never changes' USING ERRCODE = 'integrity_constraint_violation'; END $$""",
        f"""CREATE TRIGGER runs_terminal_guard BEFORE UPDATE OF {GUARDED} ON runs
        FOR EACH ROW WHEN (OLD.state IN {TERMINAL}) EXECUTE FUNCTION runs_refuse_change()""",
    ],
}


def upgrade() -> None:
    op.create_table(
        "barriers",
        sa.Column("key", sa.String(length=200), nullable=False, comment="of a group with completion callbacks"),
        sa.Column("remaining", sa.Integer(), nullable=False, comment="members that have not succeeded yet"),
        sa.Column("expires_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("key", name=("pk_barriers")),
    )
    op.create_table(
        "jobs",
        sa.Column("name", sa.String(length=200), nullable=False, comment="the actor's name"),
        sa.Column("queue", sa.String(length=200), nullable=False),
        sa.Column("priority", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("parameters", sa.Text(), nullable=False, comment="JSON Schema of the parameters, an object in order"),
        sa.Column("doc", sa.Text(), server_default=sa.text("''"), nullable=False, comment="the docstring"),
        sa.Column(
            "source",
            sa.String(length=400),
            server_default=sa.text("''"),
            nullable=False,
            comment="module and line, for people",
        ),
        sa.Column(
            "options",
            sa.Text(),
            server_default=sa.text("'{}'"),
            nullable=False,
            comment="JSON: the actor's options that matter to people",
        ),
        sa.Column(
            "version",
            sa.String(length=100),
            server_default=sa.text("''"),
            nullable=False,
            comment="of the code that announced it last",
        ),
        sa.Column("announced_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=("pk_jobs")),
    )
    op.create_table(
        "processes",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("kind", sa.String(length=12), nullable=False, comment="supervisor, worker, scheduler"),
        sa.Column(
            "supervisor_id",
            sa.String(length=36),
            nullable=True,
            comment="of a worker: the supervisor that beats for it",
        ),
        sa.Column("host", sa.String(length=200), nullable=False),
        sa.Column("pid", sa.Integer(), nullable=False),
        sa.Column(
            "version", sa.String(length=100), server_default=sa.text("''"), nullable=False, comment="of the job code"
        ),
        sa.Column(
            "queues",
            sa.Text(),
            server_default=sa.text("'[]'"),
            nullable=False,
            comment="JSON list: queues a worker consumes",
        ),
        sa.Column(
            "jobs", sa.Text(), server_default=sa.text("'[]'"), nullable=False, comment="JSON list: jobs a worker knows"
        ),
        sa.Column(
            "slots",
            sa.Integer(),
            server_default=sa.text("0"),
            nullable=False,
            comment="runs it can execute at the same time",
        ),
        sa.Column("state", sa.String(length=12), nullable=False, comment="alive, draining, stopped, gone"),
        sa.Column("started_at", sa.BigInteger(), nullable=False),
        sa.Column("beat_at", sa.BigInteger(), nullable=False, comment="its own clock, for people"),
        sa.Column(
            "beats",
            sa.Integer(),
            server_default=sa.text("0"),
            nullable=False,
            comment="what the reaper watches: a count needs no common clock",
        ),
        sa.Column("ended_at", sa.BigInteger(), nullable=True),
        sa.Column("ended_because", sa.Text(), nullable=True, comment="exit code, signal, or silence"),
        sa.PrimaryKeyConstraint("id", name=("pk_processes")),
    )
    op.create_index("ix_processes_state", "processes", ["state", "kind"], unique=False)
    op.create_table(
        "rejected",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("queue", sa.String(length=200), nullable=False, comment="where it lay"),
        sa.Column("reason", sa.Text(), nullable=False, comment="why nobody could read it"),
        sa.Column("body", sa.LargeBinary(), nullable=False, comment="its bytes, cut at 1 MiB"),
        sa.Column("size", sa.BigInteger(), nullable=False, comment="bytes it had"),
        sa.Column("received_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=("pk_rejected")),
    )
    op.create_index("ix_rejected_received", "rejected", ["received_at"], unique=False)
    op.create_table(
        "runs",
        sa.Column("id", sa.String(length=36), nullable=False, comment="UUIDv7: sorts by creation"),
        sa.Column(
            "message_id",
            sa.String(length=200),
            nullable=True,
            comment="Dramatiq's id, when a message asked for the run",
        ),
        sa.Column("job", sa.String(length=200), nullable=False, comment="name of the job, an actor's name"),
        sa.Column("queue", sa.String(length=200), nullable=False, comment="queue it waits in"),
        sa.Column(
            "priority",
            sa.Integer(),
            server_default=sa.text("0"),
            nullable=False,
            comment="lower goes first, as in Dramatiq",
        ),
        sa.Column("args", sa.Text(), nullable=False, comment="JSON: {args: [...], kwargs: {...}}"),
        sa.Column(
            "typed",
            sa.Boolean(),
            server_default=sa.text("false"),
            nullable=False,
            comment="arguments came from a form: convert them to the signature's types",
        ),
        sa.Column(
            "options",
            sa.Text(),
            server_default=sa.text("'{}'"),
            nullable=False,
            comment="JSON: the message's own options",
        ),
        sa.Column("state", sa.String(length=12), nullable=False, comment="see states"),
        sa.Column(
            "origin", sa.String(length=20), nullable=False, comment="who asked: form, rerun, schedule, code, message"
        ),
        sa.Column(
            "created_by", sa.String(length=200), nullable=True, comment="the person, the job or the schedule that asked"
        ),
        sa.Column("created_at", sa.BigInteger(), nullable=False, comment="when it was accepted"),
        sa.Column("due_at", sa.BigInteger(), nullable=False, comment="not to be started before"),
        sa.Column("expires_at", sa.BigInteger(), nullable=True, comment="not to be started after"),
        sa.Column(
            "dispatch_at",
            sa.BigInteger(),
            nullable=False,
            comment="when the next hint is to be published, as long as it is queued",
        ),
        sa.Column(
            "dispatches",
            sa.Integer(),
            server_default=sa.text("0"),
            nullable=False,
            comment="hints published by the dispatcher",
        ),
        sa.Column(
            "attempt",
            sa.Integer(),
            server_default=sa.text("0"),
            nullable=False,
            comment="starts so far; the number of the current or last attempt",
        ),
        sa.Column(
            "failures",
            sa.Integer(),
            server_default=sa.text("0"),
            nullable=False,
            comment="attempts that ended with an exception",
        ),
        sa.Column(
            "crashes", sa.Integer(), server_default=sa.text("0"), nullable=False, comment="attempts whose worker died"
        ),
        sa.Column(
            "max_attempts",
            sa.Integer(),
            nullable=True,
            comment="starts that exceptions may use up; null: not known before the first start, or decided by retry_when",
        ),
        sa.Column(
            "claim_token",
            sa.String(length=32),
            nullable=True,
            comment="held by the attempt that runs; every write of it is guarded by this",
        ),
        sa.Column("worker_id", sa.String(length=36), nullable=True, comment="the process that runs it, or ran it last"),
        sa.Column("started_at", sa.BigInteger(), nullable=True, comment="start of the last attempt"),
        sa.Column("finished_at", sa.BigInteger(), nullable=True, comment="when it reached a terminal state"),
        sa.Column("result", sa.Text(), nullable=True, comment="JSON of what the body returned"),
        sa.Column("error_type", sa.String(length=200), nullable=True, comment="exception class of the last failure"),
        sa.Column("error", sa.Text(), nullable=True, comment="its message, shortened"),
        sa.Column("progress_done", sa.BigInteger(), nullable=True, comment="n of m"),
        sa.Column("progress_total", sa.BigInteger(), nullable=True, comment="m of n"),
        sa.Column("progress_note", sa.Text(), nullable=True, comment="what it does just now"),
        sa.Column(
            "cancel_requested_at", sa.BigInteger(), nullable=True, comment="when a person asked a running run to stop"
        ),
        sa.Column("canceled_by", sa.String(length=200), nullable=True, comment="the person"),
        sa.Column("parent_id", sa.String(length=36), nullable=True, comment="the run this one repeats"),
        sa.Column("caller_id", sa.String(length=36), nullable=True, comment="the run whose body or end sent this one"),
        sa.Column(
            "idempotency_key",
            sa.String(length=200),
            nullable=True,
            comment="a second request with the same key is the same run",
        ),
        sa.Column("schedule_id", sa.String(length=36), nullable=True, comment="the schedule that made it"),
        sa.Column("tick_at", sa.BigInteger(), nullable=True, comment="the nominal time of its tick"),
        sa.PrimaryKeyConstraint("id", name=("pk_runs")),
    )
    op.create_index(
        "ix_runs_caller",
        "runs",
        ["caller_id"],
        unique=False,
        sqlite_where=sa.text("caller_id IS NOT NULL"),
        postgresql_where=sa.text("caller_id IS NOT NULL"),
    )
    op.create_index(
        "ix_runs_dispatch",
        "runs",
        ["dispatch_at"],
        unique=False,
        sqlite_where=sa.text("state = 'queued'"),
        postgresql_where=sa.text("state = 'queued'"),
    )
    op.create_index(
        "ix_runs_expires",
        "runs",
        ["expires_at"],
        unique=False,
        sqlite_where=sa.text("state = 'queued' AND expires_at IS NOT NULL"),
        postgresql_where=sa.text("state = 'queued' AND expires_at IS NOT NULL"),
    )
    op.create_index(
        "ix_runs_finished",
        "runs",
        ["finished_at"],
        unique=False,
        sqlite_where=sa.text("finished_at IS NOT NULL"),
        postgresql_where=sa.text("finished_at IS NOT NULL"),
    )
    op.create_index("ix_runs_job", "runs", ["job", "id"], unique=False)
    op.create_index(
        "ix_runs_parent",
        "runs",
        ["parent_id"],
        unique=False,
        sqlite_where=sa.text("parent_id IS NOT NULL"),
        postgresql_where=sa.text("parent_id IS NOT NULL"),
    )
    op.create_index(
        "ix_runs_ready",
        "runs",
        ["queue", "priority", "due_at", "id"],
        unique=False,
        sqlite_where=sa.text("state = 'queued'"),
        postgresql_where=sa.text("state = 'queued'"),
    )
    op.create_index(
        "ix_runs_running",
        "runs",
        ["worker_id"],
        unique=False,
        sqlite_where=sa.text("state = 'running'"),
        postgresql_where=sa.text("state = 'running'"),
    )
    op.create_index("ix_runs_state", "runs", ["state", "id"], unique=False)
    op.create_index(
        "ux_runs_key",
        "runs",
        ["idempotency_key"],
        unique=True,
        sqlite_where=sa.text("idempotency_key IS NOT NULL"),
        postgresql_where=sa.text("idempotency_key IS NOT NULL"),
    )
    op.create_index(
        "ux_runs_message",
        "runs",
        ["message_id"],
        unique=True,
        sqlite_where=sa.text("message_id IS NOT NULL"),
        postgresql_where=sa.text("message_id IS NOT NULL"),
    )
    op.create_index(
        "ux_runs_tick",
        "runs",
        ["schedule_id", "tick_at"],
        unique=True,
        sqlite_where=sa.text("schedule_id IS NOT NULL"),
        postgresql_where=sa.text("schedule_id IS NOT NULL"),
    )
    op.create_table(
        "schedules",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("job", sa.String(length=200), nullable=False, comment="a registered job's name; never code"),
        sa.Column(
            "args",
            sa.Text(),
            server_default=sa.text("'{}'"),
            nullable=False,
            comment="JSON: keyword arguments from the form",
        ),
        sa.Column("queue", sa.String(length=200), nullable=True, comment="null: the job's own"),
        sa.Column("priority", sa.Integer(), nullable=True, comment="null: the job's own"),
        sa.Column("kind", sa.String(length=10), nullable=False, comment="cron, interval or once"),
        sa.Column("rule", sa.String(length=200), nullable=False, comment="five cron fields, seconds, or a time of the zone"),
        sa.Column(
            "timezone", sa.String(length=64), server_default=sa.text("'UTC'"), nullable=False, comment="IANA name"
        ),
        sa.Column(
            "anchor_at",
            sa.BigInteger(),
            nullable=False,
            comment="intervals are counted from here, so restarts do not shift them",
        ),
        sa.Column(
            "overlap",
            sa.String(length=10),
            server_default=sa.text("'skip'"),
            nullable=False,
            comment="skip, queue, allow or cancel, when the last run is not finished",
        ),
        sa.Column(
            "catchup",
            sa.String(length=10),
            server_default=sa.text("'latest'"),
            nullable=False,
            comment="none, latest or all, after downtime",
        ),
        sa.Column("watermark", sa.BigInteger(), nullable=False, comment="the last nominal time that was dealt with"),
        sa.Column("paused_at", sa.BigInteger(), nullable=True),
        sa.Column("paused_by", sa.String(length=200), nullable=True),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("created_by", sa.String(length=200), nullable=True),
        sa.Column("changed_at", sa.BigInteger(), nullable=False, comment="a scheduler reloads it when this moves"),
        sa.PrimaryKeyConstraint("id", name=("pk_schedules")),
        sa.UniqueConstraint("name", name=("uq_schedules_name")),
    )
    op.create_table(
        "artifacts",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("run_id", sa.String(length=36), nullable=False),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False, comment="file name"),
        sa.Column(
            "title", sa.String(length=200), server_default=sa.text("''"), nullable=False, comment="what it shows"
        ),
        sa.Column("media_type", sa.String(length=100), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False, comment="bytes"),
        sa.Column("path", sa.String(length=400), nullable=False, comment="below the artifacts folder"),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["run_id"], ["runs.id"], name=("fk_artifacts_run_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=("pk_artifacts")),
        sa.UniqueConstraint("run_id", "attempt", "name", name=("uq_artifacts_run_id_attempt_name")),
    )
    op.create_table(
        "attempts",
        sa.Column("run_id", sa.String(length=36), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False, comment="1 for the first start"),
        sa.Column("claim_token", sa.String(length=32), nullable=False),
        sa.Column("worker_id", sa.String(length=36), nullable=False),
        sa.Column("worker", sa.String(length=200), nullable=False, comment="host / pid, for people"),
        sa.Column("started_at", sa.BigInteger(), nullable=False, comment="written before the body starts"),
        sa.Column("finished_at", sa.BigInteger(), nullable=True),
        sa.Column("outcome", sa.String(length=12), nullable=False, comment="see states.Outcome"),
        sa.Column("error_type", sa.String(length=200), nullable=True),
        sa.Column("error", sa.Text(), nullable=True),
        sa.Column("traceback", sa.Text(), nullable=True),
        sa.Column("retry_at", sa.BigInteger(), nullable=True, comment="when the run was to be tried again, if it was"),
        sa.Column(
            "late_at",
            sa.BigInteger(),
            nullable=True,
            comment="when a result came in after the attempt had been given up; it was dropped",
        ),
        sa.ForeignKeyConstraint(["run_id"], ["runs.id"], name=("fk_attempts_run_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("run_id", "number", name=("pk_attempts")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "logs",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("run_id", sa.String(length=36), nullable=False),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("level", sa.String(length=10), nullable=False),
        sa.Column("logger", sa.String(length=200), nullable=False),
        sa.Column("message", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["run_id"], ["runs.id"], name=("fk_logs_run_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=("pk_logs")),
    )
    op.create_index("ix_logs_run", "logs", ["run_id", "id"], unique=False)
    op.create_table(
        "ticks",
        sa.Column("schedule_id", sa.String(length=36), nullable=False),
        sa.Column("tick_at", sa.BigInteger(), nullable=False, comment="nominal time"),
        sa.Column("outcome", sa.String(length=10), nullable=False, comment="fired, late, skipped, missed, waiting"),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("run_id", sa.String(length=36), nullable=True),
        sa.Column("recorded_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["schedule_id"], ["schedules.id"], name=("fk_ticks_schedule_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("schedule_id", "tick_at", name=("pk_ticks")),
    )
    for statement in TERMINAL_GUARD[op.get_bind().dialect.name]:
        op.execute(statement)


def downgrade() -> None:
    op.drop_table("ticks")
    op.drop_table("logs")
    op.drop_table("attempts")
    op.drop_table("artifacts")
    op.drop_table("schedules")
    op.drop_table("runs")
    op.drop_table("rejected")
    op.drop_table("processes")
    op.drop_table("jobs")
    op.drop_table("barriers")
    if op.get_bind().dialect.name == "postgresql":
        op.execute("DROP FUNCTION runs_refuse_change()")
