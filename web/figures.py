"""The five figures of the overview; each is a link to the list that it counts."""

from dataclasses import dataclass

from flask import url_for
from flask_babel import gettext as _
from flask_babel import ngettext

from ledger.queries.counting import Count
from ledger.queries.overview import Overview
from ledger.tally import MINUTE
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
    note = _("oldest") if waiting else _("nothing waits")
    return Figure(_("Waiting"), count(waiting), note, url_for("runs.index", tab="waiting"), oldest)


def _running(now: Overview) -> Figure:
    return Figure(_("Running"), count(now.running), _slots(now), url_for("runs.index", tab="running"))


def _slots(now: Overview) -> str:
    """The slots are those of workers that take runs: what is at work elsewhere is told apart."""
    slots, leaving = now.system.slots, now.flow.leaving
    if not leaving:
        return ngettext("of 1 slot", "of %(slots)s slots", slots, slots=number(slots))
    taken = ngettext(
        "%(busy)s of %(slots)s slot",
        "%(busy)s of %(slots)s slots",
        slots,
        busy=number(now.flow.busy),
        slots=number(slots),
    )
    return ngettext(
        "%(taken)s, %(num)s on a worker that takes no more",
        "%(taken)s, %(num)s on workers that take no more",
        leaving,
        taken=taken,
    )


def _done(now: Overview) -> Figure:
    rate = now.throughput.done * MINUTE / now.throughput.range.length
    note = _("%(rate)s / min", rate=f"{rate:.0f}" if rate >= 10 else f"{rate:.1f}")
    link = url_for("runs.index", tab="done", age=now.throughput.range.value)
    return Figure(_("Done"), number(now.throughput.done), note, link)


def _failed(now: Overview) -> Figure:
    """Those of the chart, or of the list of failures when that saw more."""
    counted, seen = now.throughput.failed, now.failures.number
    failed = max(counted, seen.number)
    note = _("%(share)s of finished", share=percent(failed, now.throughput.done + failed))
    link = url_for("runs.index", tab="failed", age=now.throughput.range.value)
    shown = count(Count(failed, seen.capped and counted < seen.number))
    return Figure(_("Failed"), shown, note, link, is_bad=failed > 0)


def _next(now: Overview) -> Figure:
    following = now.upcoming.next
    if following is None:
        return Figure(_("Next schedule"), "–", _("no schedule is on"), url_for("schedules.index"))
    link, at = url_for("schedules.index"), following.at
    return Figure(_("Next schedule"), f"{moments.local(at):%H:%M}", f"{following.name},", link, until=at)
