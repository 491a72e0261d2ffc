"""How many runs of a job may run, and how often: what its workers announced, and how much of it is in use.

The ledger holds a limit over all workers, hosts and brokers: what is counted are its own rows, in the transaction of
the claim.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import Connection, Engine, bindparam, exists, func, insert, or_, select, update

from ledger import clock, texts
from ledger.engine import lock_against_writes, reading, upsert, writing
from ledger.prepared import OneOf, Prepared
from ledger.tables import is_limited, is_queued, is_running, limits, runs, starts

UNLIMITED = 2**31


@dataclass(frozen=True, slots=True)
class Use:
    """The limits of a job, None where there is none, and what of them is used up."""

    job: str
    max_concurrency: int | None
    rate_runs: int | None
    rate_period: int | None
    running: int
    started: int
    next_start_at: int | None = None  # when the rate allows the next one, if it does not now

    @property
    def is_limited(self) -> bool:
        return self.max_concurrency is not None or self.rate_runs is not None

    @property
    def is_full(self) -> bool:
        """Whether as many run as may."""
        return self.max_concurrency is not None and self.running >= self.max_concurrency

    @property
    def is_used_up(self) -> bool:
        """Whether as many have started as may within the period."""
        return self.rate_runs is not None and self.started >= self.rate_runs

    @property
    def free(self) -> int:
        """How many more may start now."""
        places = UNLIMITED if self.max_concurrency is None else self.max_concurrency - self.running
        left = UNLIMITED if self.rate_runs is None else self.rate_runs - self.started
        return max(0, min(places, left))


# What was announced


def announce(engine: Engine, options: Mapping[str, Mapping[str, Any]]) -> None:
    """Keeps the limits that jobs of these names have by their ``options``; runs that wait change lanes with them.

    Two transactions, or a claim and this would wait for each other. A run that is being made while a job becomes
    limited is waited for.
    """
    with reading(engine) as connection:
        known = {row.job: row._asdict() for row in connection.execute(select(limits)) if row.job in options}
        queued = _in_wrong_lanes(connection, options)
    wanted = {job: _row(job, its) for job, its in options.items()}
    changed = [row for job, row in sorted(wanted.items()) if row != known.get(job, _row(job, {}))]
    if changed:
        with writing(engine) as connection:
            connection.execute(upsert(connection, limits, "job"), changed)
    if changed or queued:
        with writing(engine) as connection:
            lock_against_writes(connection, "runs")
            for job in {*queued, *(row["job"] for row in changed)}:
                _change_lane(connection, job, _lane(job, options[job]))


def _row(job: str, options: Mapping[str, Any]) -> dict[str, Any]:
    rate, unique = options.get("rate_limit") or {}, options.get("unique") or {}
    return {
        "job": job,
        "max_concurrency": options.get("max_concurrency"),
        "rate_runs": rate.get("runs"),
        "rate_period": rate and rate["seconds"] * clock.SECOND or None,
        "unique_while": unique.get("while"),
        "unique_period": unique.get("seconds") and unique["seconds"] * clock.SECOND,
        "unique_by": unique.get("by") and texts.to_json(unique["by"]),
        "on_duplicate": unique.get("on_duplicate"),
    }


def _lane(job: str, options: Mapping[str, Any]) -> str:
    return job if options.get("max_concurrency") or options.get("rate_limit") else ""


def _in_wrong_lanes(connection: Connection, options: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """Limited jobs with runs that wait outside their lane: this was stopped half-way, or older code made them."""
    limited = [job for job in options if _lane(job, options[job])]
    stray = select(runs.c.id).where(is_queued, runs.c.lane == "", runs.c.job == bindparam("job")).limit(1)
    return [job for job in limited if connection.scalar(stray, {"job": job})]


def _change_lane(connection: Connection, job: str, lane: str) -> None:
    own = (runs.c.job == job, runs.c.lane != lane)
    for is_active in (is_queued, is_running):
        connection.execute(update(runs).where(*own, is_active).values(lane=lane))


lane_of_new = func.coalesce(
    select(limits.c.job)
    .where(
        limits.c.job == bindparam("job", type_=limits.c.job.type),
        or_(limits.c.max_concurrency.is_not(None), limits.c.rate_runs.is_not(None)),
    )
    .scalar_subquery(),
    "",
)


# What is in use

_running = select(func.count()).select_from(runs).where(is_running, is_limited, runs.c.lane == limits.c.job)
_started = (
    select(func.count())
    .select_from(starts)
    .where(starts.c.job == limits.c.job, starts.c.started_at > bindparam("now") - limits.c.rate_period)
)
_uses = select(
    limits.c.job,
    limits.c.max_concurrency,
    limits.c.rate_runs,
    limits.c.rate_period,
    _running.correlate(limits).scalar_subquery(),
    _started.correlate(limits).scalar_subquery(),
).where(OneOf(limits.c.job, "jobs"))
_waits_here = exists().where(is_queued, runs.c.queue == bindparam("the_queue"), runs.c.lane == limits.c.job)
_uses_of = Prepared(_uses)
_uses_here = Prepared(_uses.where(_waits_here.correlate(limits)))
_locked = Prepared(select(limits.c.job).where(OneOf(limits.c.job, "jobs")).order_by(limits.c.job).with_for_update())
_allows_next = Prepared(
    select(starts.c.started_at)
    .where(starts.c.job == bindparam("job"), starts.c.started_at > bindparam("since"))
    .order_by(starts.c.started_at.desc())
    .limit(1)
    .offset(bindparam("before"))
)


def uses(connection: Connection, jobs: Iterable[str], now: int) -> list[Use]:
    """Of those of ``jobs`` that have limits, as seen without a lock."""
    return _with_next(connection, _uses_of.run(connection, {"jobs": sorted(jobs), "now": now}), now)


def uses_here(connection: Connection, queue: str, jobs: list[str], now: int) -> list[Use]:
    """Of those of ``jobs`` that have runs in a lane of ``queue``."""
    return _with_next(connection, _uses_here.run(connection, {"the_queue": queue, "jobs": jobs, "now": now}), now)


def uses_locked(connection: Connection, jobs: list[str], now: int) -> list[Use]:
    """``uses`` that nobody else adds to until this transaction ends."""
    if not jobs:
        return []
    _locked.run(connection, {"jobs": jobs}).fetchall()
    return uses(connection, jobs, now)


def _with_next(connection: Connection, rows, now: int) -> list[Use]:
    found = [Use(*row) for row in rows.fetchall()]
    return [_and_next(connection, use, now) if use.is_used_up else use for use in found]


def _and_next(connection: Connection, use: Use, now: int) -> Use:
    """The rate allows a start once the one that was ``rate_runs`` starts ago is a period old."""
    asked = {"job": use.job, "since": now - use.rate_period, "before": use.rate_runs - 1}
    at = _allows_next.run(connection, asked).scalar()
    return use if at is None else replace(use, next_start_at=at + use.rate_period)


# What is noted

_note_start = Prepared(
    insert(starts).values(job=bindparam("job"), started_at=bindparam("now"), run_id=bindparam("run_id"))
)
_forget_starts = Prepared(
    starts.delete().where(starts.c.job == bindparam("job"), starts.c.started_at <= bindparam("before"))
)
_forget_start = Prepared(
    starts.delete().where(
        starts.c.job == bindparam("job"), starts.c.started_at == bindparam("at"), starts.c.run_id == bindparam("run_id")
    )
)
_period = Prepared(
    select(limits.c.job, limits.c.rate_period).where(OneOf(limits.c.job, "jobs"), limits.c.rate_runs.is_not(None))
)


def note_starts(connection: Connection, started: list[tuple[str, str]], now: int) -> None:
    """Counts starts, as job and run id, where there is a rate; forgets those that count no more."""
    periods = dict(_period.run(connection, {"jobs": sorted({job for job, _ in started})}).fetchall())
    for job, period in periods.items():
        _forget_starts.run(connection, {"job": job, "before": now - period})
    if rows := [{"job": job, "run_id": run_id, "now": now} for job, run_id in started if job in periods]:
        _note_start.run_many(connection, rows)


def forget_start(connection: Connection, job: str, run_id: str, at: int) -> None:
    """The run was given back before it started."""
    _forget_start.run(connection, {"job": job, "run_id": run_id, "at": at})
