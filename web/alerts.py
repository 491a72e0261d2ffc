"""The sentences on top of the overview: what needs somebody, since when, and where to go."""

import shutil
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from flask import url_for
from flask_babel import gettext as _
from flask_babel import ngettext
from markupsafe import Markup

from ledger import clock
from ledger.queries.arguments import plainly
from ledger.queries.backlog import WaitingQueue
from ledger.queries.failures import Cause
from ledger.queries.origins import Fault, Gone
from ledger.queries.overview import Overview
from ledger.queries.throughput import JobShare
from ledger.queries.trouble import Missed, Stuck
from ledger.queries.workers import Process
from web import alerts_together, pause_words, schedule_origin
from web.alert import SINCE, Alert, told
from web.numbers import count, duration, number, size
from web.worker_view import row_url

#: A job fails much when it failed so often, and in so many percent of its runs.
MUCH_NUMBER, MUCH_PERCENT = 5, 5
#: What waits so long is told although somebody serves it.
LONG_WAIT = 10 * 60 * clock.SECOND
MANY_DEATHS = 3
#: Room on the disk of ``WAYBILL_VAR`` below which nobody should sleep.
LITTLE_ROOM = 500_000_000


def of(now: Overview, broker: Any, var: Path) -> tuple[Alert, ...]:
    """``broker`` is the publisher's BrokerStatus; the worst first."""
    unserved = told(now.backlog.unserved, partial(_unserved, now.last_to_serve), alerts_together.unserved)
    shares = [_without_muted(share, now) for share in now.last_hour.jobs]
    much = [share for share in shares if fails_much(share)]
    failing = told(much, partial(_failing, now), alerts_together.failing)
    stuck = [_stuck(now.trouble.stuck)] if now.trouble.stuck else []
    missed = told(now.trouble.missed, _missed, alerts_together.missed)
    paused = told(now.backlog.paused, _paused, alerts_together.paused)
    found = _room(var) + _scheduler(now) + unserved + _broker(broker) + _deaths(now) + failing
    return tuple(found + _long_waits(now) + stuck + missed + _declarations(now) + paused)


def _without_muted(share: JobShare, now: Overview) -> JobShare:
    return replace(share, failed=max(0, share.failed - now.last_failures.muted_of(share.job)))


def fails_much(share: JobShare) -> bool:
    return share.failed >= MUCH_NUMBER and share.percent >= MUCH_PERCENT


def well(now: Overview) -> str:
    """How things are, in a sentence that is there whether or not something is wrong."""
    return _("%(workers)s, %(waiting)s, %(failed)s.", workers=_up(now), waiting=_waits(now), failed=_failed(now))


def needs_you(alerts: tuple[Alert, ...]) -> str:
    return ngettext("One thing needs you.", "%(num)s things need you.", len(alerts)) if alerts else ""


def _up(now: Overview) -> str:
    workers, resting, died = now.system.workers, now.system.resting, now.trouble.deaths.number
    if not workers:
        return _("No worker is up")
    if died:
        up = ngettext("%(num)s worker is up", "%(num)s workers are up", workers)
        return _("%(up)s, %(died)s died in the last hour", up=up, died=count(died))
    if resting:
        return ngettext(
            "%(up)s of %(num)s worker takes runs", "%(up)s of %(num)s workers take runs", workers + resting, up=workers
        )
    return ngettext("The worker is up", "All %(num)s workers are up", workers)


def _waits(now: Overview) -> str:
    if not now.backlog.waiting:
        return _("nothing waits")
    return _("some of what waits is not served") if now.backlog.unserved else _("what waits is served")


def _failed(now: Overview) -> str:
    failed = now.last_hour.failed
    if not failed:
        return _("no failure in the last hour")
    return _("%(number)s failed in the last hour", number=number(failed))


def _room(var: Path) -> list[Alert]:
    try:
        free = shutil.disk_usage(var).free
    except OSError:
        return []
    if free > LITTLE_ROOM:
        return []
    bold = _("The disk is nearly full.")
    text = _("%(free)s are left for the ledger and its files. With none left, no run is accepted.", free=size(free))
    return [Alert("bad", bold, text, None, url_for("settings.index"), _("See the ledger"))]


def _broker(broker: Any) -> list[Alert]:
    if broker.ok:
        return []
    since = clock.from_datetime(broker.since) if broker.since else None
    accepted = _("Runs are accepted, workers find them in the ledger a little later.")
    text = f"{accepted} " + _("It says: %(said)s.", said=broker.detail)
    text = f"{text} " + _("Away for %(since)s.", since=SINCE) if since else text
    return [Alert("warn", _("RabbitMQ is away."), text, since, url_for("workers.index"), _("See the processes"))]


def _scheduler(now: Overview) -> list[Alert]:
    if now.system.scheduler_ok or not now.has_any:
        return []
    beat = now.system.scheduler_beat
    bold = _("No scheduler is running.") if beat is None else _("The scheduler stopped beating.")
    text = _("Schedules, retries and lost hints wait for one: python scheduler.py.")
    text = text if beat is None else f"{text} " + _("Last beat %(since)s ago.", since=SINCE)
    return [Alert("bad", bold, text, beat, url_for("workers.index"), _("See the processes"))]


def _unserved(last: dict[str, Process], queue: WaitingQueue) -> Alert:
    bold = _("No worker serves “%(queue)s”.", queue=queue.name)
    text = ngettext(
        "%(runs)s run is waiting, the oldest for %(since)s.",
        "%(runs)s runs are waiting, the oldest for %(since)s.",
        queue.waiting.number,
        runs=count(queue.waiting),
        since=SINCE,
    )
    if queue.name in last:
        text = Markup("{} {}").format(text, _last(last[queue.name]))
    return Alert("bad", bold, text, queue.oldest_due, waiting_link(queue.name), _("See them"))


def _last(worker: Process) -> Markup:
    """Who served it before, with the way to its row."""
    name = Markup('<a href="{}">{}</a>').format(row_url(worker.id), worker.name)
    return Markup(_("The last one, {name}, ended: {because}.")).format(name=name, because=worker.ended_because or "?")


def waiting_link(queue: str) -> str:
    return url_for("runs.index", tab="waiting", queue=queue)


def _long_waits(now: Overview) -> list[Alert]:
    """Queues that are served, but whose oldest run waits long."""
    before = clock.now() - LONG_WAIT
    late = [each for each in now.backlog.queues if each.served and not each.pause and each.oldest_due < before]
    return told(sorted(late, key=lambda each: each.oldest_due), _long_wait, alerts_together.long_waits)


def _long_wait(queue: WaitingQueue) -> Alert:
    bold = _("Runs wait long in “%(queue)s”.", queue=queue.name)
    text = _("Workers serve it, but %(runs)s wait, the oldest for %(since)s.", runs=count(queue.waiting), since=SINCE)
    return Alert("warn", bold, text, queue.oldest_due, waiting_link(queue.name), _("See them"))


def _deaths(now: Overview) -> list[Alert]:
    deaths = now.trouble.deaths
    if deaths.number.number < MANY_DEATHS:
        return []
    bold = _("Worker processes keep dying.")
    text = _(
        "%(number)s did in the last hour, the last one %(since)s ago: %(because)s.",
        number=count(deaths.number),
        since=SINCE,
        because=deaths.because or _("nobody knows why"),
    )
    return [Alert("bad", bold, text, deaths.last_at, url_for("workers.index"), _("See the processes"))]


def _stuck(stuck: tuple[Stuck, ...]) -> Alert:
    """The one that runs longest speaks for the others."""
    first = stuck[0]
    text = _("It runs for %(since)s;", since=SINCE) + " "
    text += _("usually it takes %(usual)s.", usual=duration(first.usual)) if first.usual else _("none has ended yet.")
    if len(stuck) == 1:
        bold = _("A run of %(job)s may be stuck.", job=first.job)
        return Alert("warn", bold, text, first.started_at, url_for("runs.show", run_id=first.run_id), _("Open the run"))
    bold = ngettext("%(num)s run may be stuck.", "%(num)s runs may be stuck.", len(stuck))
    text = _("The longest is of %(job)s.", job=first.job) + " " + text
    return Alert("warn", bold, text, first.started_at, url_for("runs.index", tab="running"), _("See the runs"))


def _missed(missed: Missed) -> Alert:
    bold = ngettext(
        "The schedule “%(name)s” missed %(num)s tick.",
        "The schedule “%(name)s” missed %(num)s ticks.",
        missed.number,
        name=missed.name,
    )
    text = _("The last one %(since)s ago.", since=SINCE)
    link = url_for("schedules.show", schedule_id=missed.schedule_id)
    return Alert("warn", bold, text, missed.last_at, link, _("Open the schedule"))


def _declarations(now: Overview) -> list[Alert]:
    """Schedules that are not declared any more, and declarations that cannot be used."""
    gone = told(now.trouble.gone, _gone, alerts_together.gone)
    return gone + ([_wrong(now.trouble.wrong)] if now.trouble.wrong else [])


def _gone(gone: Gone) -> Alert:
    bold = schedule_origin.gone_words(gone.source, gone.name)
    told = _("Paused for %(since)s, until somebody deletes or keeps it.", since=SINCE)
    text = told if gone.is_paused else _("It goes on, and nobody has said whether it should be kept.")
    since = gone.undeclared_at if gone.is_paused else None
    return Alert("warn", bold, text, since, url_for("schedules.show", schedule_id=gone.id), _("Open the schedule"))


def _wrong(wrong: tuple[Fault, ...]) -> Alert:
    bold = ngettext("A declared schedule cannot be used.", "%(num)s declared schedules cannot be used.", len(wrong))
    text = schedule_origin.fault_words(wrong[0])
    return Alert("warn", bold, text, None, url_for("schedules.index"), _("See the schedules"))


def _paused(queue: WaitingQueue) -> Alert:
    """Nothing is wrong, but who wonders why nothing happens finds it here."""
    text = ngettext(
        "%(runs)s run waits, the oldest for %(since)s.",
        "%(runs)s runs wait, the oldest for %(since)s.",
        queue.waiting.number,
        runs=count(queue.waiting),
        since=SINCE,
    )
    bold = Markup(_("“{queue}” is {paused}.")).format(queue=queue.name, paused=pause_words.sentence(queue.pause))
    link = url_for("queues.show", name=queue.name)
    return Alert("idle", bold, text, queue.oldest_due, link, _("Open queue"))


def _failing(now: Overview, share: JobShare) -> Alert:
    causes = [cause for cause in now.last_failures.causes if cause.job == share.job]
    main = max(causes, key=lambda cause: cause.number, default=None)
    bold = _("%(job)s fails %(percent)s %% of the time:", job=share.job, percent=share.percent)
    text = _("%(failed)s of %(finished)s runs", failed=number(share.failed), finished=number(share.finished))
    if main and len(causes) > 1:
        said = main.text or main.error_type
        text += _(", %(number)s of them with “%(said)s”", number=number(main.number), said=said)
    text += _(" in the last hour.")
    link = url_for("runs.index", tab="failed", job=share.job, age="hour")
    return Alert("warn", bold, text, None, link, _("See the runs"))


def cause_link(cause: Cause) -> str:
    if cause.fingerprint:
        return url_for("failures.show", fingerprint=cause.fingerprint, range="hour")
    return url_for("runs.index", tab="failed", job=cause.job, q=plainly(cause.text or cause.error_type))
