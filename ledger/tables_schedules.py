"""The tables of what recurs: schedules, and what became of each of their nominal times."""

from sqlalchemy import BigInteger, Column, ForeignKey, Index, Integer, String, Table, Text, UniqueConstraint, text

from ledger.tables_kin import Id, Instant, Json, metadata

schedules = Table(
    "schedules",
    metadata,
    Column("id", Id, primary_key=True),
    Column("name", String(200), nullable=False),
    Column("job", String(200), nullable=False, comment="a registered job's name; never code"),
    Column(
        "args",
        Json,
        nullable=False,
        server_default=text("'{}'"),
        comment="JSON: keyword arguments from the form",
    ),
    Column("queue", String(200), comment="null: the job's own"),
    Column("priority", Integer, comment="null: the job's own"),
    Column("kind", String(10), nullable=False, comment="cron, interval or once"),
    Column("rule", String(200), nullable=False, comment="five cron fields, seconds, or a time of the zone"),
    Column("timezone", String(64), nullable=False, server_default=text("'UTC'"), comment="IANA name"),
    Column(
        "anchor_at",
        Instant,
        nullable=False,
        comment="intervals are counted from here, so restarts do not shift them",
    ),
    Column(
        "overlap",
        String(10),
        nullable=False,
        server_default=text("'skip'"),
        comment="skip, queue, allow or cancel, when the last run is not finished",
    ),
    Column(
        "catchup",
        String(10),
        nullable=False,
        server_default=text("'latest'"),
        comment="none, latest or all, after downtime",
    ),
    Column("watermark", Instant, nullable=False, comment="the last nominal time that was dealt with"),
    Column("paused_at", Instant),
    Column("paused_by", String(200)),
    Column("created_at", Instant, nullable=False),
    Column("created_by", String(200)),
    Column("changed_at", Instant, nullable=False, comment="a scheduler reloads it when this moves"),
    Column("starts_at", Instant, comment="no tick before"),
    Column("ends_at", Instant, comment="no tick after"),
    Column("jitter", BigInteger, comment="microseconds: a run is due up to so long after its tick, the same each time"),
    Column("expires_after", BigInteger, comment="microseconds after its tick, when a run that has not begun expires"),
    Column("keep_runs", Integer, comment="so many of its newest runs are kept, whatever their age"),
    Column("paused_reason", Text, comment="in that person's words"),
    Column("resumes_at", Instant, comment="when it goes on by itself"),
    Column(
        "origin",
        String(10),
        nullable=False,
        server_default=text("'site'"),
        comment="code, file or site: who declares it, or made here",
    ),
    Column("declared_as", String(200), comment="the name that code or file gives it; null: made here"),
    Column("declared", Json, comment="JSON: what was declared last; the row differs where somebody edited it"),
    Column("declared_at", Instant, comment="since when that is said"),
    Column("undeclared_at", Instant, comment="since when it is not declared any more"),
    UniqueConstraint("name"),
    Index("ix_schedules_declared_as", "declared_as", unique=True),
)

#: What code, or a file, declares as a whole: one row, however many processes say the same.
statements = Table(
    "statements",
    metadata,
    Column("id", String(32), primary_key=True, comment="digest of what is said"),
    Column("source", String(10), nullable=False, comment="code or file"),
    Column("said", Json, nullable=False, comment="JSON: the schedules, and for which jobs and modules it speaks"),
    Column(
        "faults",
        Json,
        nullable=False,
        server_default=text("'[]'"),
        comment="JSON: entries that cannot be read, and why",
    ),
    Column(
        "obstacles",
        Json,
        nullable=False,
        server_default=text("'[]'"),
        comment="JSON: entries that cannot be followed now, and why",
    ),
    Column("first_at", Instant, nullable=False, comment="the newer of two that differ holds"),
)

ticks = Table(
    "ticks",
    metadata,
    Column("schedule_id", Id, ForeignKey("schedules.id", ondelete="CASCADE"), primary_key=True),
    Column("tick_at", Instant, primary_key=True, comment="nominal time"),
    Column("outcome", String(10), nullable=False, comment="fired, late, skipped, missed, waiting"),
    Column("reason", Text),
    Column("run_id", Id),
    Column("recorded_at", Instant, nullable=False),
    Index(
        "ix_ticks_waiting",
        "schedule_id",
        "tick_at",
        sqlite_where=text("outcome = 'waiting'"),
        postgresql_where=text("outcome = 'waiting'"),
    ),
)
