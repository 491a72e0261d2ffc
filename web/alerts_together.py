"""What needs somebody, in one sentence for many of a kind: queues, jobs or schedules."""

from collections.abc import Sequence
from typing import Any

from flask import url_for
from flask_babel import gettext as _
from flask_babel import ngettext

from ledger.queries.backlog import WaitingQueue
from ledger.queries.counting import Count
from ledger.queries.origins import Gone
from ledger.queries.throughput import JobShare
from ledger.queries.trouble import Missed
from web.alert import SINCE, Alert, named
from web.numbers import count, number


def unserved(queues: Sequence[WaitingQueue]) -> Alert:
    bold = ngettext("No worker serves %(num)s queue:", "No worker serves %(num)s queues:", len(queues))
    return _of_queues("bad", bold, queues)


def long_waits(queues: Sequence[WaitingQueue]) -> Alert:
    bold = ngettext("Runs wait long in %(num)s queue:", "Runs wait long in %(num)s queues:", len(queues))
    return _of_queues("warn", bold, queues)


def paused(queues: Sequence[WaitingQueue]) -> Alert:
    bold = ngettext("%(num)s queue is paused:", "%(num)s queues are paused:", len(queues))
    return _of_queues("idle", bold, queues)


def _of_queues(hue: str, bold: str, queues: Sequence[WaitingQueue]) -> Alert:
    waiting = sum((each.waiting for each in queues), Count())
    text = _(
        "%(names)s. %(runs)s runs wait, the oldest for %(since)s.",
        names=_names(sorted(queues, key=lambda each: -each.waiting.number)), runs=count(waiting), since=SINCE,
    )  # fmt: skip
    since = min(each.oldest_due for each in queues)
    return Alert(hue, bold, text, since, url_for("queues.index"), _("See the queues"))


def _names(found: Sequence[Any]) -> str:
    return named(each.name for each in found)


def failing(shares: Sequence[JobShare]) -> Alert:
    bold = ngettext("%(num)s job fails often:", "%(num)s jobs fail often:", len(shares))
    text = _(
        "%(names)s, %(failed)s of %(finished)s runs in the last hour.",
        names=named(each.job for each in shares),
        failed=number(sum(each.failed for each in shares)),
        finished=number(sum(each.finished for each in shares)),
    )
    return Alert("warn", bold, text, None, url_for("failures.index", range="hour"), _("See the failures"))


def missed(schedules: Sequence[Missed]) -> Alert:
    bold = ngettext("%(num)s schedule missed ticks:", "%(num)s schedules missed ticks:", len(schedules))
    ticks = sum(each.number for each in schedules)
    text = ngettext(
        "%(names)s. %(ticks)s tick, the last one %(since)s ago.",
        "%(names)s. %(ticks)s ticks, the last one %(since)s ago.",
        ticks, names=_names(schedules), ticks=number(ticks), since=SINCE,
    )  # fmt: skip
    last = max(each.last_at for each in schedules)
    return Alert("warn", bold, text, last, url_for("schedules.index"), _("See the schedules"))


def gone(schedules: Sequence[Gone]) -> Alert:
    bold = ngettext(
        "%(num)s schedule is declared no longer:", "%(num)s schedules are declared no longer:", len(schedules)
    )
    text = _("%(names)s. Somebody has to delete or keep them.", names=_names(schedules))
    return Alert("warn", bold, text, None, url_for("schedules.index"), _("See the schedules"))
