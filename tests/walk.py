"""Every page of the site, in one place, and a ledger that was lived in to look at them with."""

from dataclasses import dataclass, replace

from werkzeug.exceptions import HTTPException

from ledger import clock, fleet, notes, presets, recurrence, schedules, views
from ledger.claims import Claim
from ledger.engine import writing
from ledger.fleet import NewProcess
from ledger.notes import LogLine
from ledger.progress import Progress, report
from tests import stored_volumes
from tests.ledger_steps import (
    CRASH_LIMIT,
    HOUR,
    brought_to,
    cancel,
    dispatch,
    failed,
    finish,
    rescue,
    retried,
    running,
    worker,
)
from tests.test_web_jobs import announced, build_report, send
from tests.test_web_photos import shown
from tests.web_steps import Site

TRACEBACK = 'Traceback (most recent call last):\n  File "/app/jobs.py", line 7, in load\n    read()\nKeyError: 1'
STATES = ("queued", "running", "succeeded", "dead", "canceled", "expired")


@dataclass(frozen=True, slots=True)
class Stop:
    """A page of the walk. ``{words}`` in its address stand for ids that only a lived-in ledger has."""

    name: str
    address: str
    status: int = 200

    @property
    def needs_life(self) -> bool:
        return "{" in self.address


#: What is new on the site is added here; what the site does not have is passed by.
STOPS = (
    Stop("overview", "/"),
    Stop("runs", "/runs"),
    Stop("runs-failed", "/runs?tab=failed"),
    Stop("runs-nothing-found", "/runs?q=nothing+like+this"),
    *(Stop(f"run-{name}", f"/runs/{{{name}}}") for name in (*STATES, "failed", "retrying", "canceling", "scheduled")),
    Stop("run-gone", "/runs/gone", 404),
    Stop("failures", "/failures"),
    Stop("dead-letters", "/dead-letters"),
    Stop("jobs", "/jobs"),
    Stop("job-form", "/jobs/{job}"),
    Stop("job-edit", "/jobs/build_report/start?from={report}"),
    Stop("job-gone", "/jobs/never.heard.of", 404),
    Stop("queues", "/queues"),
    Stop("queue", "/queues/{queue}"),
    Stop("queue-pause", "/queues/{queue}/pause"),
    Stop("workers", "/workers"),
    Stop("schedules", "/schedules"),
    Stop("schedule-pick", "/schedules/new"),
    Stop("schedule-form", "/schedules/new?job={job}"),
    Stop("schedule", "/schedules/{schedule}"),
    Stop("schedule-missed", "/schedules/{schedule}/missed"),
    Stop("schedule-pause", "/schedules/{schedule}/pause"),
    Stop("schedule-deletion", "/schedules/{schedule}/deletion"),
    Stop("schedules-bulk", "/schedules/bulk?act=pause&id={schedule}"),
    Stop("calendar", "/schedules/calendar"),
    Stop("volumes", "/volumes"),
    Stop("volumes-nothing-found", "/volumes?q=nothing+like+this"),
    Stop("volume", "/volumes/{ct}?over={pet}"),
    Stop("volumes-beside", "/volumes/{ct}/beside/{pet}"),
    Stop("volume-presets", "/volumes/presets"),
    Stop("volume-measurements", "/volumes/{pet}/measurements"),
    Stop("volume-deletion", "/volumes/{pet}/deletion"),
    Stop("volume-gone", "/volumes/gone", 404),
    Stop("photos", "/photos"),
    Stop("photo", "/photos/{photo}"),
    Stop("photo-gone", "/photos/gone", 404),
    Stop("actions", "/actions"),
    Stop("action", "/actions/new?action=rerun&id={failed}"),
    Stop("settings", "/settings"),
    Stop("search", "/search"),
    Stop("search-nothing-found", "/search?q=nothing+like+this"),
    Stop("views", "/views"),
    Stop("keys", "/keys"),
    Stop("nowhere", "/nowhere", 404),
)


def stops(site: Site, names: dict[str, str]) -> list[Stop]:
    """Those of this site, with the ids of its ledger; without ids, those that need none."""
    wanted = [stop for stop in STOPS if names or not stop.needs_life]
    filled = [Stop(stop.name, stop.address.format(**names), stop.status) for stop in wanted]
    return [stop for stop in filled if stop.status == 404 or _is_there(site, stop)]


def _is_there(site: Site, stop: Stop) -> bool:
    try:
        return bool(site.app.url_map.bind("").match(stop.address.partition("?")[0]))
    except HTTPException:
        return False


def lived_in(site: Site) -> dict[str, str]:
    """Runs in every state, jobs, workers, a schedule, long words; the ids by what they stand for."""
    engine = site.engine
    fleet.register(engine, NewProcess(kind="scheduler"))
    announced(site, build_report, send)
    names = {state: brought_to(engine, state).id for state in STATES}
    names |= {"failed": _failed(site), "retrying": _retrying(site), "canceling": _canceling(site)}
    says(site, running(engine), 100, "slice 100 of 400")
    rescue(engine, worker(engine), CRASH_LIMIT)
    for number in range(24):
        dispatch(engine, job="send", queue="mail", args=(number, f"user{number}@example.test"))
    names["report"] = dispatch(engine, job="build_report", typed=True, kwargs={"month": "2026-10", "copies": 2})
    names["scheduled"] = dispatch(engine, due_at=clock.now() + HOUR)
    views.save(engine, "what failed today", "tab=failed&age=day", "Ada")
    presets.save(engine, "old scanner", 2_262_700, {"shape": "110x110x187", "dtype": "int8"}, "Ada")
    names |= {"job": "build_report", "queue": "mail", "schedule": _schedule(site)}
    return names | _volumes(site) | {"photo": _photos(site)}


def _photos(site: Site) -> str:
    return [shown(site, f"picture-{number}", title=f"The harbour, {number}") for number in range(7)][-1]


def _volumes(site: Site) -> dict[str, str]:
    stored_volumes.keep_both(site.settings.volumes)
    stored_volumes.note_all(site.engine, site.settings.volumes)
    return {"ct": stored_volumes.CT_ID, "pet": stored_volumes.PET_ID}


def _failed(site: Site) -> str:
    for number in range(4):
        error = f"card declined for order {number}: insufficient funds"
        finish(site.engine, failed(running(site.engine, kwargs={"order": number}), error=error, traceback=TRACEBACK))
    long = running(site.engine, kwargs={"order": 7, "a_long_name_without_spaces": "x" * 300})
    finish(site.engine, failed(long, error="x" * 400, traceback=TRACEBACK))
    return long.id


def _retrying(site: Site) -> str:
    again = running(site.engine)
    finish(site.engine, retried(again, retry_at=clock.now() + HOUR, max_attempts=4))
    return again.id


def _canceling(site: Site) -> str:
    stopping = running(site.engine)
    cancel(site.engine, stopping.id)
    return stopping.id


def says(site: Site, claimed: Claim, done: int, note: str) -> None:
    with writing(site.engine) as connection:
        report(connection, [Progress(claimed, done, 400, note)])
        notes.add_logs(connection, [LogLine(claimed.id, 1, "INFO", "jobs", f"at {note}")])


def _schedule(site: Site) -> str:
    rule = recurrence.parse("cron", "0 3 * * *", "Europe/Madrid")
    with writing(site.engine) as connection:
        new = schedules.NewSchedule(name="nightly", job="build_report", rule=rule, args={"month": "2026-10"})
        schedules.create(connection, new, "ana")
        often = recurrence.parse("interval", "60", anchor=clock.now())
        new = replace(new, name="every minute", rule=often, catchup="none", overlap="allow")
        schedule_id = schedules.create(connection, new, "ben")
        schedules.fire(connection, schedule_id, clock.now() + 5 * 60 * clock.SECOND)
        return schedule_id
