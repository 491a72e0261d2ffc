"""The watch: whoever waits for news is woken by a commit of any process, soon, and again after an outage."""

import threading
import time
from collections.abc import Iterator
from statistics import median

import pytest
from sqlalchemy import Engine

from ledger.engine import open_engine
from ledger.migrate import migrate
from ledger.watch import Watch, open_watch
from tests.ledger_circumstances import at_once
from tests.ledger_steps import dispatch, migrated  # noqa: F401
from tests.servers import PostgreSQL, Process, Processes, wait_until

SOON = 0.5  # seconds from the commit of another process

#: Dispatches a run whenever a file of the next number appears, and says when that was committed.
COMMITTER = """
import pathlib, sys, time
from ledger.engine import open_engine
from tests.ledger_steps import dispatch, row, new_run
engine = open_engine(sys.argv[1])
row(engine, dispatch(engine))
print("ready", flush=True)
for number in range(int(sys.argv[2])):
    while not pathlib.Path(f"go{number}").exists():
        time.sleep(0.002)
    dispatch(engine)
    print("committed", time.monotonic(), flush=True)
"""


@pytest.fixture
def watch(engine: Engine) -> Iterator[Watch]:
    started = open_watch(engine)
    yield started
    started.close()


def settled(watch: Watch) -> int:
    """The version once nothing changes any more."""
    while (version := watch.version) != watch.wait(version, 0.3):
        pass
    return version


def committed_at(process: Process) -> list[float]:
    said = [line.split() for line in process.log_text().splitlines()]
    return [float(words[1]) for words in said if words[0] == "committed"]


def test_a_commit_of_another_process_wakes_soon(database_url: str, watch: Watch, processes: Processes):
    number, woken = 5, []
    process = processes.python("-c", COMMITTER, database_url, number, name="committer")
    process.wait_for_log("ready")
    for each in range(number):
        seen = settled(watch)
        (processes.folder / f"go{each}").touch()
        assert watch.wait(seen, 10) != seen
        woken.append(time.monotonic())
    process.wait(30)
    lags = [then - at for then, at in zip(woken, committed_at(process), strict=True)]
    assert median(lags) < SOON, lags


def test_a_commit_wakes_everybody_who_waits(engine: Engine, watch: Watch):
    seen = settled(watch)
    woken = at_once(4, lambda number: watch.wait(seen, 10) if number else dispatch(engine))
    assert seen not in woken


def test_without_news_a_wait_ends_with_its_time(watch: Watch):
    seen = settled(watch)
    assert watch.wait(seen, 0.05) == seen


def test_news_that_came_before_the_wait_end_it_at_once(engine: Engine, watch: Watch):
    seen = settled(watch)
    dispatch(engine)
    wait_until(lambda: watch.version != seen, 10, "the watch sees the commit")
    assert watch.wait(seen, 0) != seen


def test_closing_ends_all_waits(engine: Engine):
    watch = open_watch(engine)
    seen = settled(watch)
    waiting = threading.Thread(target=watch.wait, args=(seen, 60))
    waiting.start()
    watch.close()
    waiting.join(10)
    assert not waiting.is_alive()


def test_commits_wake_again_after_postgresql_was_restarted(postgresql: PostgreSQL, postgresql_url: str):
    engine = open_engine(postgresql_url)
    migrate(engine)
    watch = open_watch(engine)
    dispatch(engine)
    settled(watch)
    postgresql.restart()
    wait_until(lambda: wakes(engine, watch), 15, "the watch listens again")
    seen = settled(watch)
    dispatch(engine)
    assert watch.wait(seen, 5) != seen
    watch.close()
    engine.dispose()


def wakes(engine: Engine, watch: Watch) -> bool:
    seen = watch.version
    dispatch(engine)
    return watch.wait(seen, 0.5) != seen


def test_a_watch_on_a_file_that_is_no_ledger_yet_sees_it_when_it_is(tmp_path):
    path = tmp_path / "ledger.db"
    path.write_bytes(b"not a database, a letter" * 100)
    engine = open_engine(f"sqlite:///{path}")
    watch = open_watch(engine)
    seen = watch.version
    path.unlink()
    migrate(engine)
    assert watch.wait(seen, 10) != seen
    watch.close()
    engine.dispose()
