"""What keeps the ledger in order: finding dead processes, loops that do not die silently, files of pruned runs."""

import os
import threading
import time

import pytest
from sqlalchemy import select

from ledger import clock, fleet, runs, schedules, upkeep
from ledger.engine import open_engine, reading, writing
from ledger.errors import LedgerAway
from ledger.files import remove_artifacts, remove_old_uploads
from ledger.ids import new_id
from ledger.loops import Guard, Loop
from ledger.reaper import LATE_SECONDS, Reaper, declare_gone_if_silent, reap
from ledger.recurrence import parse
from ledger.runs import NewRun
from ledger.schedules import NewSchedule
from ledger.settings import load
from ledger.states import State
from ledger.tables import processes as processes_table
from ledger.tables import runs as runs_table
from ledger.uploads import reference_to
from tests.ledgers import prepare
from tests.processes import wait_until

DAY = 24 * 3600


class Seconds:
    """A clock that stands still until it is told."""

    def __init__(self):
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def seconds() -> Seconds:
    return Seconds()


@pytest.fixture
def reaper(seconds: Seconds) -> Reaper:
    return Reaper("me", 30, seconds)


def look(reaper: Reaper, seconds: Seconds, after: float, own: int = 0, **beats: int) -> set[str]:
    seconds.now += after
    return set(reaper.silent({"me": own} | beats))


def look_for(reaper: Reaper, seconds: Seconds, total: int, **beats: int) -> set[str]:
    """Looks every second, while our own beats go on."""
    for _ in range(total):
        found = look(reaper, seconds, 1, own=int(seconds.now), **beats)
    return found


def test_a_count_that_stands_still_for_the_limit_is_silent(reaper, seconds):
    assert look_for(reaper, seconds, 30, other=7) == set()
    assert look_for(reaper, seconds, 1, other=7) == {"other"}


def test_a_count_that_moves_starts_anew_and_whoever_left_is_forgotten(reaper, seconds):
    look_for(reaper, seconds, 25, other=7)
    assert look_for(reaper, seconds, 30, other=8) == set()
    look_for(reaper, seconds, 1)
    assert look_for(reaper, seconds, 30, other=8) == set()
    assert look_for(reaper, seconds, 1, other=8) == {"other"}


def test_it_never_finds_itself(reaper, seconds):
    for _ in range(100):
        assert look(reaper, seconds, 1, own=5) == set()


def test_a_reaper_that_looks_late_counts_anew(reaper, seconds):
    look_for(reaper, seconds, 29, other=7)
    assert look(reaper, seconds, LATE_SECONDS + 1, own=1, other=7) == set()
    assert look_for(reaper, seconds, 29, other=7) == set()
    assert look_for(reaper, seconds, 1, other=7) == {"other"}


def test_while_its_own_beats_do_not_arrive_it_finds_nobody(reaper, seconds):
    for _ in range(120):
        assert look(reaper, seconds, 1, own=5, other=7) == set()
    assert look_for(reaper, seconds, 29, other=7) == set()
    assert look_for(reaper, seconds, 1, other=7) == {"other"}


@pytest.fixture
def engine(database_url):
    engine = open_engine(database_url)
    prepare(engine)
    yield engine
    engine.dispose()


def test_a_silent_supervisor_takes_its_workers_along_and_one_that_beats_stays(engine, seconds):
    silent, other = fleet.NewProcess(kind="supervisor"), fleet.NewProcess(kind="supervisor")
    workers = [fleet.NewProcess(kind="worker", supervisor_id=each.id) for each in (silent, other)]
    for process in (silent, other, *workers):
        fleet.register(engine, process)
    reaper = Reaper(None, 5, seconds)
    for _ in range(7):
        with writing(engine) as connection:
            fleet.beat(connection, other.id)
        reap(engine, reaper, crash_limit=3)
        seconds.now += 1
    with reading(engine) as connection:
        states = dict(tuple(row) for row in connection.execute(select(processes_table.c.id, processes_table.c.state)))
    assert (states[silent.id], states[workers[0].id]) == ("gone", "gone")
    assert (states[other.id], states[workers[1].id]) == ("alive", "alive")


def test_whoever_beats_between_the_look_and_the_verdict_stays(engine, seconds):
    process = fleet.NewProcess(kind="worker")
    fleet.register(engine, process)
    with writing(engine) as connection:
        fleet.beat(connection, process.id)
        assert declare_gone_if_silent(connection, process.id, 0, 5, 3) == []
        assert fleet.state_of(connection, process.id) == "alive"


def test_nothing_is_reaped_without_silence(engine):
    fleet.register(engine, fleet.NewProcess(kind="worker"))
    assert reap(engine, Reaper(None), crash_limit=3) == []


# Loops


@pytest.fixture
def stop():
    event = threading.Event()
    yield event
    event.set()


def test_a_loop_goes_on_after_a_fault_and_after_the_ledgers_absence(stop, caplog):
    turns = iter([LedgerAway(OSError("no route")), ValueError("ours"), None])
    done = threading.Event()

    def act() -> float:
        error = next(turns)
        if error:
            raise error
        done.set()
        return 60.0

    Loop("sweep", act, stop).start()
    assert done.wait(10)
    assert "The loop sweep waits: the ledger cannot be used now: no route" in caplog.text
    assert "The loop sweep failed" in caplog.text and "ValueError: ours" in caplog.text


def test_a_loop_that_only_fails_is_stalled_and_one_that_only_waits_is_not(stop):
    def fail() -> float:
        raise ValueError

    failing, waiting = Loop("fail", fail, stop, patience=1.5), Loop("wait", lambda: 60.0, stop, patience=1.5)
    for loop in (failing, waiting):
        loop.start()
    wait_until(lambda: failing.stalled, 10)
    assert not waiting.stalled


def test_an_unreachable_ledger_is_no_stall(stop):
    def away() -> float:
        raise LedgerAway(OSError("away"))

    loop, witness = Loop("away", away, stop, patience=1.5), Loop("hang", stop.wait, stop, patience=3)
    loop.start()
    witness.start()
    wait_until(lambda: witness.stalled, 10)
    assert not loop.stalled


def test_a_loop_that_hangs_or_died_is_named(stop):
    hanging, dead = Loop("hang", stop.wait, stop, patience=0.2), Loop("dead", lambda: 1.0, stop)
    hanging.start()
    guard = Guard([hanging, dead])
    wait_until(lambda: guard.stalled() == ["hang", "dead"], 10)


def test_a_guard_that_was_frozen_itself_forgives(stop):
    loop = Loop("wait", stop.wait, stop, patience=0.5)
    loop.start()
    wait_until(lambda: loop.stalled, 10)
    assert Guard([loop], patience=-1).stalled() == []


def test_news_end_a_pause_early(stop):
    news, turns = threading.Semaphore(0), []
    version = 0

    def wait(seen: int, timeout: float) -> int:
        nonlocal version
        version += news.acquire(timeout=timeout)
        return version

    Loop("watch", lambda: turns.append(1) or 60.0, stop, wait).start()
    wait_until(lambda: len(turns) == 1, 10)
    news.release()
    wait_until(lambda: len(turns) == 2, 10)


# Dispatch, expiry


def test_due_hints_are_published_once_and_the_wait_ends_with_the_next(engine):
    now = clock.now()
    due = runs.dispatch(engine, NewRun(job="report", queue="reports", origin="form", due_at=now + clock.SECOND // 2))
    hints = []

    def publish() -> float:
        return upkeep.dispatch_due(engine, lambda *hint: hints.append(hint))

    assert 0 < publish() <= 0.5 and hints == []
    wait_until(lambda: publish() and hints, 10)
    assert hints == [(due, "report", "reports")]
    publish()
    assert len(hints) == 1


def test_only_offers_that_ran_out_expire(engine):
    now = clock.now()
    old, good, free = (
        runs.dispatch(engine, NewRun(job="report", queue="reports", origin="form", expires_at=expires_at))
        for expires_at in (now - 1, now + 3600 * clock.SECOND, None)
    )
    assert upkeep.expire_overdue(engine) >= 1.0
    with reading(engine) as connection:
        states = dict(tuple(row) for row in connection.execute(select(runs_table.c.id, runs_table.c.state)))
    assert states == {old: State.EXPIRED, good: State.QUEUED, free: State.QUEUED}


# Files


def test_artifacts_go_with_their_empty_folders_and_nothing_else(tmp_path):
    root = tmp_path / "artifacts"
    (root / "run" / "1").mkdir(parents=True)
    (root / "run" / "2").mkdir()
    outside = tmp_path / "secret.txt"
    for file in (root / "run" / "1" / "a.txt", root / "run" / "2" / "b.txt", outside):
        file.write_text("x")
    (root / "link.txt").symlink_to(outside)
    remove_artifacts(root, ["run/1/a.txt", "run/1/gone.txt", "../secret.txt", str(outside), "link.txt"])
    assert not (root / "run" / "1").exists()
    assert (root / "run" / "2" / "b.txt").exists() and outside.exists()


def test_the_last_file_leaves_the_folder_of_all_artifacts(tmp_path):
    root = tmp_path / "artifacts"
    (root / "run").mkdir(parents=True)
    (root / "run" / "a.txt").write_text("x")
    remove_artifacts(root, ["run/a.txt"])
    assert list(root.iterdir()) == []


def test_old_uploads_go_unless_a_run_or_a_schedule_names_them(engine, tmp_path):
    settings = load(waybill_var=tmp_path, retention_days=30, _env_file=None)
    forgotten, young, of_run, of_schedule = (new_id() for _ in range(4))
    for each in (forgotten, of_run, of_schedule):
        age(upload(settings, each), 40)
    age(upload(settings, young), 30)
    stranger = settings.uploads / "not-an-upload"
    stranger.mkdir()
    age(stranger, 400)
    fleet.register(engine, fleet.NewProcess(kind="worker"), [fleet.Job("report", "r", 0, {}, "", "", {}, "")])
    kwargs = {"file": reference_to(of_run, "a.txt")}
    runs.dispatch(engine, NewRun(job="report", queue="r", origin="form", kwargs=kwargs))
    with writing(engine) as connection:
        args = {"files": [reference_to(of_schedule, "a.txt")]}
        schedules.create(connection, NewSchedule(name="s", job="report", rule=parse("cron", "@daily"), args=args))
    remove_old_uploads(engine, settings)
    left = {folder.name for folder in settings.uploads.iterdir()}
    assert left == {young, of_run, of_schedule, stranger.name}
    assert time.time() - (settings.uploads / of_run).stat().st_mtime < 60, "looked at again in a retention's time"


def upload(settings, upload_id: str):
    folder = settings.uploads / upload_id
    folder.mkdir(parents=True)
    (folder / "a.txt").write_text("x")
    return folder


def age(folder, days: float) -> None:
    then = time.time() - days * DAY
    os.utime(folder, (then, then))
