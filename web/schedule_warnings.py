"""What is wrong with a schedule although it fires: nobody serves its job, its runs take too long, are late, or fail."""

from dataclasses import dataclass
from statistics import median_low

from flask_babel import gettext as _
from flask_babel import ngettext

from ledger import clock, recurrence
from ledger.queries.schedules import Schedule, ScheduleLine
from ledger.queries.tick_marks import TickMark
from ledger.ticks import Overlap, TickOutcome
from web.numbers import duration

#: From so many runs on there is something to judge by.
ENOUGH = 3
DAY = 24 * 3_600 * clock.SECOND
LOOKED_AHEAD = 10
#: Runs that usually start so long after their time, and later than a tenth of the time between two ticks, drift.
LATE = 30 * clock.SECOND


@dataclass(frozen=True, slots=True)
class Warning:
    hue: str
    text: str


def warnings(line: ScheduleLine) -> tuple[Warning, ...]:
    """The worst first; none while it is paused."""
    if line.schedule.paused_at is not None:
        return ()
    gap = _gap(line.schedule)
    return tuple(
        filter(None, (_unserved(line), _unsuccessful(line), _too_long(line, gap), _drifts(line, gap), _missed(line)))
    )


def _gap(schedule: Schedule) -> int | None:
    """The shortest time between two of its next ticks."""
    if schedule.next_at is None:
        return None
    times = [schedule.next_at, *recurrence.upcoming(schedule.rule, schedule.next_at, LOOKED_AHEAD)]
    return min((later - earlier for earlier, later in zip(times, times[1:], strict=False)), default=None)


def _unserved(line: ScheduleLine) -> Warning | None:
    if line.served:
        return None
    return Warning("bad", _("No worker serves %(job)s: its runs wait.", job=line.schedule.job))


def _unsuccessful(line: ScheduleLine) -> Warning | None:
    ended = [mark for mark in line.marks if mark.finished_at is not None]
    number = next((place for place, mark in enumerate(ended) if not mark.failed), len(ended))
    if number < ENOUGH:
        return None
    return Warning("bad", _("Its last %(number)s runs have failed.", number=number))


def _too_long(line: ScheduleLine, gap: int | None) -> Warning | None:
    took = [mark.took for mark in line.marks if mark.took is not None]
    if gap is None or len(took) < ENOUGH or median_low(took) <= gap:
        return None
    usual = {"took": duration(median_low(took)), "gap": duration(gap)}
    return Warning(
        "warn", _("Its runs take %(took)s, and it ticks every %(gap)s.", **usual) + " " + _then(line.schedule)
    )


def _then(schedule: Schedule) -> str:
    return {
        Overlap.SKIP: _("Ticks are skipped for that."),
        Overlap.QUEUE: _("Ticks wait longer and longer for that."),
        Overlap.ALLOW: _("More and more of them run side by side."),
        Overlap.CANCEL: _("Each is canceled by the next one."),
    }[Overlap(schedule.overlap)]


def _drifts(line: ScheduleLine, gap: int | None) -> Warning | None:
    waits = [mark.waited for mark in line.marks if _is_punctual(mark)]
    if len(waits) < ENOUGH or median_low(waits) <= max(LATE, (gap or 0) // 10):
        return None
    told = _(
        "Its runs usually start %(time)s after they are due: workers are busy, or too few.",
        time=duration(median_low(waits)),
    )
    return Warning("warn", told)


def _is_punctual(mark: TickMark) -> bool:
    return mark.outcome == TickOutcome.FIRED and mark.waited is not None


def _missed(line: ScheduleLine) -> Warning | None:
    since = clock.now() - DAY
    number = sum(mark.outcome == TickOutcome.MISSED and mark.at > since for mark in line.marks)
    if not number:
        return None
    return Warning("warn", ngettext("1 tick was missed in a day.", "%(num)s ticks were missed in a day.", number))
