"""The five figures of the overview; each is a link to the list that it counts."""

from dataclasses import dataclass

from flask import url_for

from ledger.queries.counting import Count
from ledger.queries.overview import Overview
from web import moments
from web.numbers import count, number, percent


@dataclass(frozen=True, slots=True)
class Figure:
    """``since`` or ``until`` is an instant that ends the note: "oldest 12 min", "nightly, in 8 h"."""

    word: str
    number: str
    note: str
    link: str
    since: int | None = None
    until: int | None = None
    is_bad: bool = False


def of(now: Overview) -> tuple[Figure, ...]:
    return (_waiting(now), _running(now), _done(now), _failed(now), _next(now))


def _waiting(now: Overview) -> Figure:
    waiting, oldest = now.backlog.waiting, now.backlog.oldest_due
    note = "oldest" if waiting else "nothing waits"
    return Figure("Waiting", count(waiting), note, url_for("runs.index", tab="waiting"), oldest)


def _running(now: Overview) -> Figure:
    slots = now.system.slots
    note = f"of {number(slots)} slot{'' if slots == 1 else 's'}"
    return Figure("Running", count(now.running), note, url_for("runs.index", tab="running"))


def _done(now: Overview) -> Figure:
    rate = now.throughput.done / len(now.throughput.minutes)
    note = f"{rate:.0f} / min" if rate >= 10 else f"{rate:.1f} / min"
    return Figure("Done", number(now.throughput.done), note, url_for("runs.index", tab="done"))


def _failed(now: Overview) -> Figure:
    """Those of the chart, or of the list of failures when that saw more."""
    failed = max(now.throughput.failed, now.failures.number.number)
    finished = now.throughput.done + failed
    shown = count(Count(failed, now.failures.number.capped))
    link = url_for("runs.index", tab="failed", age="hour")
    return Figure("Failed", shown, f"{percent(failed, finished)} of finished", link, is_bad=failed > 0)


def _next(now: Overview) -> Figure:
    link, following = url_for("schedules.index"), now.next_schedule
    if following is None:
        return Figure("Next schedule", "–", "no schedule is on", link)
    return Figure(
        "Next schedule",
        f"{moments.local(following.at):%H:%M}",
        f"{following.name},",
        link,
        until=following.at,
    )
