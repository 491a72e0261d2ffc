"""The tables of the ledger. Times are microseconds since 1970 UTC (``clock``); JSON is kept as text, so that
NUL escapes and big numbers survive on both databases. What groups runs stands in ``tables_kin``, what limits them in
``tables_limits``, what people add in ``tables_people``, what makes them again and again in ``tables_schedules``, the counts of what finished in
``tables_tally``, what is known of volumes in ``tables_volumes``, of pictures of feeds in ``tables_photos``."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    String,
    Table,
    Text,
    UniqueConstraint,
    text,
)

from ledger.tables_kin import Id, Instant, Json, barriers, failures, group_passes, members, metadata
from ledger.tables_limits import counters, limits, starts, unique_runs
from ledger.tables_people import action_runs, actions, pauses, run_tags, saved_views
from ledger.tables_photos import feeds, photos
from ledger.tables_schedules import schedules, statements, ticks
from ledger.tables_tally import stragglers, tallies, tally_marks, totals
from ledger.tables_volumes import corrections, measurements, presets, volumes

__all__ = [
    "action_runs", "actions", "artifacts", "attempts", "barriers", "corrections", "counters", "failures", "feeds",
    "group_passes", "is_limited", "is_queued", "is_running", "jobs", "limits", "logs", "measurements", "members",
    "metadata", "pauses", "photos", "presets", "processes", "rejected", "run_tags", "runs", "saved_views",
    "schedules", "starts", "statements", "stragglers", "tallies", "tally_marks", "ticks", "totals", "unique_runs",
    "volumes",
]  # fmt: skip


runs = Table(
    "runs",
    metadata,
    Column("id", Id, primary_key=True, comment="UUIDv7: sorts by creation"),
    Column("message_id", String(200), comment="Dramatiq's id, when a message asked for the run"),
    Column("job", String(200), nullable=False, comment="name of the job, an actor's name"),
    Column("queue", String(200), nullable=False, comment="queue it waits in"),
    Column("priority", Integer, nullable=False, server_default=text("0"), comment="lower goes first, as in Dramatiq"),
    Column("args", Json, nullable=False, comment="JSON: {args: [...], kwargs: {...}}"),
    Column(
        "typed",
        Boolean,
        nullable=False,
        server_default=text("false"),
        comment="arguments came from a form: convert them to the signature's types",
    ),
    Column(
        "options",
        Json,
        nullable=False,
        server_default=text("'{}'"),
        comment="JSON: the message's own options",
    ),
    Column("state", String(12), nullable=False, comment="see states"),
    Column("origin", String(20), nullable=False, comment="who asked: form, rerun, schedule, code, message"),
    Column("created_by", String(200), comment="the person, the job or the schedule that asked"),
    Column("created_at", Instant, nullable=False, comment="when it was accepted"),
    Column("due_at", Instant, nullable=False, comment="not to be started before"),
    Column("expires_at", Instant, comment="not to be started after"),
    Column(
        "dispatch_at",
        Instant,
        nullable=False,
        comment="when the next hint is to be published, as long as it is queued",
    ),
    Column(
        "dispatches",
        Integer,
        nullable=False,
        server_default=text("0"),
        comment="hints published by the dispatcher",
    ),
    Column(
        "attempt",
        Integer,
        nullable=False,
        server_default=text("0"),
        comment="starts so far; the number of the current or last attempt",
    ),
    Column(
        "failures",
        Integer,
        nullable=False,
        server_default=text("0"),
        comment="attempts that ended with an exception",
    ),
    Column("crashes", Integer, nullable=False, server_default=text("0"), comment="attempts whose worker died"),
    Column(
        "max_attempts",
        Integer,
        comment="starts that exceptions may use up; null: not known before the first start, or decided by retry_when",
    ),
    Column(
        "claim_token",
        String(32),
        comment="held by the attempt that runs; every write of it is guarded by this",
    ),
    Column("worker_id", Id, comment="the process that runs it, or ran it last"),
    Column("started_at", Instant, comment="start of the last attempt"),
    Column("finished_at", Instant, comment="when it reached a terminal state"),
    Column("result", Json, comment="JSON of what the body returned"),
    Column("error_type", String(200), comment="exception class of the last failure"),
    Column("error", Text, comment="its message, shortened"),
    Column("progress_done", BigInteger, comment="n of m"),
    Column("progress_total", BigInteger, comment="m of n"),
    Column("progress_note", Text, comment="what it does just now"),
    Column("cancel_requested_at", Instant, comment="when a person asked a running run to stop"),
    Column("canceled_by", String(200), comment="the person"),
    Column("parent_id", Id, comment="the run this one repeats"),
    Column("caller_id", Id, comment="the run whose body or end sent this one"),
    Column("idempotency_key", String(200), comment="a second request with the same key is the same run"),
    Column("schedule_id", Id, comment="the schedule that made it"),
    Column("tick_at", Instant, comment="the nominal time of its tick"),
    Column("lane", String(200), nullable=False, server_default=text("''"), comment="its job's name if that has limits: see lanes"),
    Column("fingerprint", String(32), comment="of how it failed for good: its group in failures"),
    Index(
        "ix_runs_fingerprint",
        "fingerprint",
        "id",
        sqlite_where=text("fingerprint IS NOT NULL"),
        postgresql_where=text("fingerprint IS NOT NULL"),
    ),
    Index(
        "ix_runs_ready",
        "queue",
        "lane",
        "priority",
        "due_at",
        "id",
        sqlite_where=text("state = 'queued'"),
        postgresql_where=text("state = 'queued'"),
    ),
    Index(
        "ix_runs_lane",
        "lane",
        sqlite_where=text("state = 'running' AND lane <> ''"),
        postgresql_where=text("state = 'running' AND lane <> ''"),
    ),
    Index(
        "ix_runs_dispatch",
        "dispatch_at",
        sqlite_where=text("state = 'queued'"),
        postgresql_where=text("state = 'queued'"),
    ),
    Index(
        "ix_runs_expires",
        "expires_at",
        sqlite_where=text("state = 'queued' AND expires_at IS NOT NULL"),
        postgresql_where=text("state = 'queued' AND expires_at IS NOT NULL"),
    ),
    Index(
        "ix_runs_running",
        "worker_id",
        sqlite_where=text("state = 'running'"),
        postgresql_where=text("state = 'running'"),
    ),
    Index(
        "ix_runs_finished",
        "finished_at",
        sqlite_where=text("finished_at IS NOT NULL"),
        postgresql_where=text("finished_at IS NOT NULL"),
    ),
    Index("ix_runs_state", "state", "id"),
    Index("ix_runs_job", "job", "id"),
    Index(
        "ux_runs_message",
        "message_id",
        unique=True,
        sqlite_where=text("message_id IS NOT NULL"),
        postgresql_where=text("message_id IS NOT NULL"),
    ),
    Index(
        "ux_runs_key",
        "idempotency_key",
        unique=True,
        sqlite_where=text("idempotency_key IS NOT NULL"),
        postgresql_where=text("idempotency_key IS NOT NULL"),
    ),
    Index(
        "ux_runs_tick",
        "schedule_id",
        "tick_at",
        unique=True,
        sqlite_where=text("schedule_id IS NOT NULL"),
        postgresql_where=text("schedule_id IS NOT NULL"),
    ),
    Index(
        "ix_runs_parent",
        "parent_id",
        sqlite_where=text("parent_id IS NOT NULL"),
        postgresql_where=text("parent_id IS NOT NULL"),
    ),
    Index(
        "ix_runs_caller",
        "caller_id",
        sqlite_where=text("caller_id IS NOT NULL"),
        postgresql_where=text("caller_id IS NOT NULL"),
    ),
)

attempts = Table(
    "attempts",
    metadata,
    Column("run_id", Id, ForeignKey("runs.id", ondelete="CASCADE"), primary_key=True),
    Column("number", Integer, primary_key=True, comment="1 for the first start"),
    Column("claim_token", String(32), nullable=False),
    Column("worker_id", Id, nullable=False),
    Column("worker", String(200), nullable=False, comment="host / pid, for people"),
    Column("started_at", Instant, nullable=False, comment="written before the body starts"),
    Column("finished_at", Instant),
    Column("outcome", String(12), nullable=False, comment="see states.Outcome"),
    Column("error_type", String(200)),
    Column("error", Text),
    Column("traceback", Text),
    Column("retry_at", Instant, comment="when the run was to be tried again, if it was"),
    Column(
        "late_at",
        Instant,
        comment="when a result came in after the attempt had been given up; it was dropped",
    ),
    Index(
        "ix_attempts_late",
        "late_at",
        sqlite_where=text("late_at IS NOT NULL"),
        postgresql_where=text("late_at IS NOT NULL"),
    ),
    sqlite_with_rowid=False,  # read and written by its key alone: one tree less to keep
)

processes = Table(
    "processes",
    metadata,
    Column("id", Id, primary_key=True),
    Column("kind", String(12), nullable=False, comment="supervisor, worker, scheduler"),
    Column("supervisor_id", Id, comment="of a worker: the supervisor that beats for it"),
    Column("host", String(200), nullable=False),
    Column("pid", Integer, nullable=False),
    Column("version", String(100), nullable=False, server_default=text("''"), comment="of the job code"),
    Column(
        "queues",
        Json,
        nullable=False,
        server_default=text("'[]'"),
        comment="JSON list: queues a worker consumes",
    ),
    Column("jobs", Json, nullable=False, server_default=text("'[]'"), comment="JSON list: jobs a worker knows"),
    Column(
        "slots",
        Integer,
        nullable=False,
        server_default=text("0"),
        comment="runs it can execute at the same time",
    ),
    Column("state", String(12), nullable=False, comment="alive, draining, stopped, gone"),
    Column("started_at", Instant, nullable=False),
    Column("beat_at", Instant, nullable=False, comment="its own clock, for people"),
    Column(
        "beats",
        Integer,
        nullable=False,
        server_default=text("0"),
        comment="what the reaper watches: a count needs no common clock",
    ),
    Column("ended_at", Instant),
    Column("ended_because", Text, comment="exit code, signal, or silence"),
    Column("memory", BigInteger, comment="resident bytes with its cells, as its supervisor saw at the last beat"),
    Column("drained_by", String(200), comment="the person who asked it to finish what it runs and stop"),
    Column("drained_at", Instant, comment="when that was asked"),
    Column("statement", String(32), comment="the schedules that it declares"),
    Index("ix_processes_state", "state", "kind"),
)

jobs = Table(
    "jobs",
    metadata,
    Column("name", String(200), primary_key=True, comment="the actor's name"),
    Column("queue", String(200), nullable=False),
    Column("priority", Integer, nullable=False, server_default=text("0")),
    Column("parameters", Json, nullable=False, comment="JSON Schema of the parameters, an object in order"),
    Column("doc", Text, nullable=False, server_default=text("''"), comment="the docstring"),
    Column(
        "source",
        String(400),
        nullable=False,
        server_default=text("''"),
        comment="module and line, for people",
    ),
    Column(
        "options",
        Json,
        nullable=False,
        server_default=text("'{}'"),
        comment="JSON: the actor's options that matter to people",
    ),
    Column(
        "version",
        String(100),
        nullable=False,
        server_default=text("''"),
        comment="of the code that announced it last",
    ),
    Column("announced_at", Instant, nullable=False),
)

logs = Table(
    "logs",
    metadata,
    Column("id", BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=True),
    Column("run_id", Id, ForeignKey("runs.id", ondelete="CASCADE"), nullable=False),
    Column("attempt", Integer, nullable=False),
    Column("at", Instant, nullable=False),
    Column("level", String(10), nullable=False),
    Column("logger", String(200), nullable=False),
    Column("message", Text, nullable=False),
    Index("ix_logs_run", "run_id", "id"),
)

artifacts = Table(
    "artifacts",
    metadata,
    Column("id", Id, primary_key=True),
    Column("run_id", Id, ForeignKey("runs.id", ondelete="CASCADE"), nullable=False),
    Column("attempt", Integer, nullable=False),
    Column("name", String(200), nullable=False, comment="file name"),
    Column("title", String(200), nullable=False, server_default=text("''"), comment="what it shows"),
    Column("media_type", String(100), nullable=False),
    Column("size", BigInteger, nullable=False, comment="bytes"),
    Column("path", String(400), nullable=False, comment="below the artifacts folder"),
    Column("created_at", Instant, nullable=False),
    UniqueConstraint("run_id", "attempt", "name"),
)

rejected = Table(
    "rejected",
    metadata,
    Column("id", Id, primary_key=True),
    Column("queue", String(200), nullable=False, comment="where it lay"),
    Column("reason", Text, nullable=False, comment="why nobody could read it"),
    Column("body", LargeBinary, nullable=False, comment="its bytes, cut at 1 MiB"),
    Column("size", BigInteger, nullable=False, comment="bytes it had"),
    Column("received_at", Instant, nullable=False),
    Index("ix_rejected_received", "received_at"),
)

# Written out, not bound: only so the planner of either database knows that a partial index serves.
is_queued = text("runs.state = 'queued'")
is_running = text("runs.state = 'running'")
is_limited = text("runs.lane <> ''")
