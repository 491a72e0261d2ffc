"""``python scheduler.py``: fires schedules and keeps the ledger in order. Any number of these may run.

The only module that knows APScheduler, and all that does here is to wake us: when a schedule's next tick has
come, ``ledger.due`` reads from the ledger what is due. What is not about schedules stands in ``ledger.upkeep``.
"""

import argparse
import logging
import os
import signal
import sys
import threading
from datetime import datetime, timedelta

from apscheduler.executors.debug import DebugExecutor
from apscheduler.schedulers.background import BackgroundScheduler
from apscheduler.triggers.base import BaseTrigger

from ledger import clock, reaper, recurrence, schedules, tally, upkeep
from ledger.declaring import Declaring
from ledger.dispatch import Repeats
from ledger.due import Due
from ledger.engine import Connection, Engine, open_engine, reading
from ledger.errors import LedgerAway
from ledger.loops import Guard, Loop
from ledger.migrate import migrate
from ledger.presence import Presence
from ledger.recurrence import Rule
from ledger.settings import Settings, SettingsError, settings
from ledger.watch import open_watch
from workers.publisher import make_publisher

log = logging.getLogger("scheduler")

LOOK_SECONDS = 1.0
FOLLOW_SECONDS = 0.25  # no watch here: its own ticks would wake it all the time
AGAIN = timedelta(minutes=1)
AT_ONCE = 500  # schedules that one turn takes over: a loop shows that it lives, and others get their turns
SIGNALS = {signal.SIGTERM, signal.SIGINT, signal.SIGQUIT}


def main() -> int:
    options = parse()
    try:
        chosen = settings()
    except SettingsError as error:
        print(error, file=sys.stderr)
        return 1
    logging.basicConfig(level=chosen.log_level, format="%(asctime)s %(levelname)-7s %(name)s: %(message)s")
    for name in ("apscheduler", "alembic"):
        logging.getLogger(name).setLevel(logging.WARNING)
    # Signals wait until the main thread asks for them, from whatever thread is running when they come.
    signal.pthread_sigmask(signal.SIG_BLOCK, SIGNALS)
    engine = open_engine(chosen.ledger_url)
    return Scheduler(chosen, engine, options.silence).run() if open_ledger(engine) else 0


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Fire schedules; dispatch, expire, rescue and prune runs.")
    help = "seconds without a beat after which a process is declared gone (%(default)g)"
    parser.add_argument("--silence", type=float, default=reaper.SILENT_SECONDS, help=help)
    return parser.parse_args()


def open_ledger(engine: Engine) -> bool:
    """Waits for the ledger and brings it to the newest schema; False when a signal came first."""
    said = False
    while True:
        try:
            migrate(engine)
            return True
        except LedgerAway as error:
            if not said:
                log.warning("Waiting for the ledger: %s", error)
            said = True
        if signal.sigtimedwait(SIGNALS, LOOK_SECONDS):
            return False


class Scheduler:
    """The process: its row in the ledger, its loops, and their end."""

    def __init__(self, chosen: Settings, engine: Engine, silence: float):
        self.engine = engine
        self.presence = Presence(engine, "scheduler")
        self.reaper = reaper.Reaper(None, silence)
        self.publisher = make_publisher(chosen)
        self.watch = None if chosen.embedded else open_watch(engine)
        self.stopping = threading.Event()
        self.due = Due(engine, self.publisher.hint)
        self.mirror = Mirror(engine, self.due)
        self.declaring = Declaring(engine, chosen.schedules_file, self.presence)
        self.loops = self._loops(chosen)

    def _loops(self, chosen: Settings) -> list[Loop]:
        engine, stop = self.engine, self.stopping
        loops = [
            Loop("beat", self.presence.beat, stop),
            Loop("schedules", self.mirror.look, stop),
            Loop("fire", self.due.fire, stop, self.due.wait, shortest=0),
            Loop("declared", self.declaring.turn, stop),
            Loop("expire", lambda: upkeep.expire_overdue(engine), stop),
            Loop("pauses", lambda: upkeep.end_pauses(engine), stop),
            Loop("reap", lambda: self._reap(chosen.crash_limit), stop),
            Loop("tally", lambda: tally.turn(engine), stop),
            Loop("muted", lambda: upkeep.bring_back(engine), stop),
            Loop("prune", lambda: upkeep.prune(engine, chosen), stop, patience=600),
        ]
        if not chosen.embedded:  # without a broker workers watch the ledger, and hints would be writes for nothing
            hint, repeats = self.publisher.hint, Repeats()
            loops.append(Loop("dispatch", lambda: upkeep.dispatch_due(engine, hint, repeats), stop, self.watch.wait))
        return loops

    def run(self) -> int:
        """Until a signal (0), or until a loop stands still (1), which only a new process can cure."""
        self.mirror.start()
        for loop in self.loops:
            loop.start()
        log.info("Scheduler %d is up.", os.getpid())
        if self._wait():
            os._exit(1)  # an orderly end would wait for what stands still
        self._stop()
        return 0

    def _wait(self) -> list[str]:
        """Until a signal, or until something stands still: its names."""
        guard = Guard(self.loops)
        while signal.sigtimedwait(SIGNALS, LOOK_SECONDS) is None:
            if stalled := guard.stalled() + self.mirror.stalled():
                log.critical("These loops stand still, so this process ends: %s.", ", ".join(stalled))
                return stalled
        return []

    def _reap(self, crash_limit: int) -> float:
        self.reaper.own_id = self.presence.id
        for run in reaper.reap(self.engine, self.reaper, crash_limit):
            log.warning("Run given back: run_id=%s job=%s state=%s", run.run_id, run.job, run.state)
        return LOOK_SECONDS

    def _stop(self) -> None:
        self.stopping.set()
        self.mirror.stop()
        self.due.add()
        if self.watch:
            self.watch.close()
        for loop in self.loops:
            loop.join(timeout=2)
        self.presence.sign_off()
        self.publisher.close()
        log.info("Scheduler %d stopped.", os.getpid())


class RuleTrigger(BaseTrigger):
    """Tells APScheduler when a schedule's next tick is; ticks that have passed are asked for at once, together."""

    def __init__(self, rule: Rule, watermark: int):
        self._rule, self._watermark = rule, watermark

    def get_next_fire_time(self, previous: datetime | None, now: datetime) -> datetime | None:
        after = self._watermark if previous is None else clock.from_datetime(max(previous, now))
        try:
            at = recurrence.next_after(self._rule, after)
            return None if at is None else clock.to_datetime(at)
        except Exception:  # raised in here, it would end APScheduler's thread, and every schedule with it
            log.exception("The rule %r cannot be read.", self._rule)
            return now + AGAIN


class Mirror:
    """Keeps APScheduler's jobs like the enabled schedules of the ledger. All that a job does is to say that its
    schedule is due, which takes no thread of its own."""

    def __init__(self, engine: Engine, due: Due):
        self._engine, self._due = engine, due
        self._scheduler = BackgroundScheduler(executors={"default": DebugExecutor()}, timezone="UTC")
        self._known: dict[str, int] = {}  # when each was changed last
        self._newest: tuple | None = None

    def start(self) -> None:
        self._scheduler.start()

    def stop(self) -> None:
        self._scheduler.shutdown(wait=False)

    def stalled(self) -> list[str]:
        alive = any(thread.name == "APScheduler" for thread in threading.enumerate())
        return [] if alive else ["apscheduler"]

    def look(self) -> float:
        """Follows changes of the schedules, and tries again what could not be fired."""
        with reading(self._engine) as connection:
            newest = schedules.newest_change(connection)
            if newest != self._newest and self._follow(connection):
                self._note_followed(newest)
            able = schedules.that_can_go_on(connection)
        self._due.add(able)
        self._due.try_again()
        self._scheduler.wakeup()  # it sleeps until a time of the clock, and somebody may have set the clock
        return FOLLOW_SECONDS if newest == self._newest else 0

    def _follow(self, connection: Connection) -> bool:
        """Takes over what was changed since the last time, so much in one turn; whether that was all."""
        changes = schedules.changes(connection)
        for gone in self._known.keys() - changes.keys():
            self._forget(gone)
        fresh = [each for each, changed_at in changes.items() if self._known.get(each) != changed_at]
        for each in schedules.enabled(connection, fresh[:AT_ONCE]):
            self._mirror(each)
            self._known[each.id] = changes[each.id]
        return len(fresh) <= AT_ONCE

    def _note_followed(self, newest: tuple) -> None:
        if self._newest is None:
            log.info("All %d schedules are followed.", len(self._known))
        self._newest = newest

    def _forget(self, schedule_id: str) -> None:
        if self._scheduler.get_job(schedule_id):  # one that has no tick left is gone already
            self._scheduler.remove_job(schedule_id)
        del self._known[schedule_id]

    def _mirror(self, each: schedules.Enabled) -> None:
        self._scheduler.add_job(
            self._due.add, RuleTrigger(each.rule, each.watermark), args=[[each.id]], id=each.id, name=each.name,
            replace_existing=True, misfire_grace_time=None, coalesce=True, max_instances=1,
        )  # fmt: skip


if __name__ == "__main__":
    sys.exit(main())
