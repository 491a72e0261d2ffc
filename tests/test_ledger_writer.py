"""The writer: many requests in few commits, a bad one fails alone, none lost while the ledger is away."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from sqlalchemy import Engine, event
from sqlalchemy.exc import IntegrityError

from ledger import finishing, notes, runs
from ledger.claims import Wanted
from ledger.engine import is_sqlite
from ledger.errors import LedgerAway
from ledger.ids import new_id
from ledger.notes import LogLine
from ledger.tables import logs
from ledger.tables import runs as runs_table
from ledger.writer import GROUP_LIMIT, Writer
from tests.ledger_circumstances import at_once, away, write_lock_held
from tests.ledger_steps import (
    dispatch,
    dispatch_many,
    migrated,  # noqa: F401
    new_run,
    number_of,
    opened,
    running,
    state,
    succeeded,
    worker,
)


@pytest.fixture
def writer(engine: Engine) -> Iterator[Writer]:
    started = Writer(engine)
    yield started
    started.close()


@contextmanager
def commits(engine: Engine) -> Iterator[list]:
    """The transactions that are committed meanwhile."""
    found: list = []

    def note(connection) -> None:
        found.append(connection)

    event.listen(engine, "commit", note)
    yield found
    event.remove(engine, "commit", note)


@contextmanager
def held_up(writer: Writer) -> Iterator[None]:
    """What is asked for meanwhile waits together."""
    started, go = threading.Event(), threading.Event()

    def wait(_connection, requests: list) -> list:
        started.set()
        assert go.wait(30)
        return requests

    waiting = writer.submit(wait, None)
    assert started.wait(30)
    yield
    go.set()
    waiting.result(30)


def line(run_id: str, message: str = "hello") -> LogLine:
    return LogLine(run_id, 1, "INFO", "job", message)


def repeat(_connection, requests: list) -> list:
    return requests


def test_what_waits_is_committed_in_groups(engine: Engine, writer: Writer):
    run_id = dispatch(engine)
    with commits(engine) as found:
        with held_up(writer):
            answers = [writer.submit(notes.add_logs, line(run_id)) for _ in range(GROUP_LIMIT + 50)]
        assert [answer.result(30) for answer in answers] == [None] * len(answers)
    assert len(found) == 3  # the one that held it up, a full group, the rest
    assert number_of(engine, logs) == len(answers)


def test_each_request_gets_its_own_answer(engine: Engine, writer: Writer):
    new = [new_run(idempotency_key=f"{number % 3}") for number in range(30)]
    with held_up(writer):
        inserted = [writer.submit(runs.insert_groups, [each]) for each in new]
        repeated = [writer.submit(repeat, each.id) for each in new]
    assert [answer.result(30) for answer in inserted] == [[new[number % 3].id] for number in range(30)]
    assert [answer.result(30) for answer in repeated] == [each.id for each in new]


def test_an_answer_comes_after_the_commit(engine: Engine, writer: Writer):
    by, run_ids = worker(engine), dispatch_many(engine, 20)

    def claim_one(_number: int) -> str:
        [claim] = writer.call(by.take, Wanted("default", 1))
        assert state(engine, claim.id) == "running"  # seen by another connection
        return claim.id

    assert sorted(at_once(20, claim_one)) == sorted(run_ids)


def test_a_bad_row_fails_alone(engine: Engine, writer: Writer):
    run = running(engine)
    with held_up(writer):
        good = [writer.submit(notes.add_logs, line(run.id)) for _ in range(3)]
        bad = writer.submit(notes.add_logs, line(new_id()))
        ending = writer.submit(finishing.finish, succeeded(run), patient=True)
        good += [writer.submit(notes.add_logs, line(run.id)) for _ in range(3)]
    with pytest.raises(IntegrityError):
        bad.result(30)
    assert [answer.result(30) for answer in good] == [None] * 6
    assert ending.result(30) is True
    assert number_of(engine, logs) == 6


def test_an_ending_that_cannot_be_written_tells_whoever_handed_it_in(engine: Engine, writer: Writer):
    run = running(engine)
    answer = writer.submit(finishing.finish, succeeded(run, next_runs=[new_run(job=None)]), patient=True)
    with pytest.raises(IntegrityError):
        answer.result(30)
    assert state(engine, run.id) == "running"
    assert writer.call(finishing.finish, succeeded(run)) is True


def test_while_the_ledger_is_away_claims_are_told_and_results_wait(
    engine: Engine, writer: Writer, request: pytest.FixtureRequest
):
    run, by, waiting = running(engine), worker(engine), dispatch(engine)
    with away(engine, request):
        claim = writer.submit(by.take, Wanted("default", 1))
        result = writer.submit(finishing.finish, succeeded(run, result="1"), patient=True)
        with pytest.raises(LedgerAway):
            claim.result(30)
        assert not result.done()
        assert writer.flush(timeout=0.1) is False
    assert result.result(30) is True
    assert (state(engine, run.id), state(engine, waiting)) == ("succeeded", "queued")
    assert writer.call(by.take, Wanted("default", 1))[0].id == waiting


def test_what_is_patient_keeps_its_order_while_the_ledger_is_away(
    engine: Engine, writer: Writer, request: pytest.FixtureRequest
):
    run_id = dispatch(engine)
    with away(engine, request):
        first = [writer.submit(notes.add_logs, line(run_id, str(n)), patient=True) for n in range(5)]
        with pytest.raises(LedgerAway):
            writer.call(notes.add_logs, line(run_id, "told"))
        then = [writer.submit(notes.add_logs, line(run_id, str(n)), patient=True) for n in range(5, 10)]
    assert [answer.result(30) for answer in first + then] == [None] * 10
    with engine.connect() as connection:
        kept = connection.scalars(logs.select().with_only_columns(logs.c.message).order_by(logs.c.id))
        assert list(kept) == [str(n) for n in range(10)]


def test_a_lock_that_another_holds_for_a_moment_is_waited_for(sqlite_url: str):
    with opened(sqlite_url) as engine:
        writer = Writer(engine)
        with write_lock_held(sqlite_url):
            answer = writer.submit(runs.insert_groups, [new_run()])
            with pytest.raises(TimeoutError):
                answer.result(0.3)
        assert len(answer.result(30)) == 1
        assert writer.close() is True


def test_the_ledger_is_away_for_everybody_who_asks_it_directly(
    engine: Engine, request: pytest.FixtureRequest
):
    with away(engine, request):
        with pytest.raises(LedgerAway, match="the ledger cannot be used now"):
            dispatch(engine)
        if not is_sqlite(engine):  # readers of SQLite need no lock
            with pytest.raises(LedgerAway):
                number_of(engine, runs_table)
    assert state(engine, dispatch(engine)) == "queued"


def test_closing_commits_what_was_asked_for_and_takes_nothing_more(engine: Engine):
    writer, run_id = Writer(engine), dispatch(engine)
    answers = [writer.submit(notes.add_logs, line(run_id)) for _ in range(GROUP_LIMIT * 2)]
    assert writer.close() is True
    assert all(answer.done() for answer in answers)
    assert number_of(engine, logs) == len(answers)
    with pytest.raises(RuntimeError, match="closed"):
        writer.submit(notes.add_logs, line(run_id))


def test_a_request_cannot_be_taken_back(engine: Engine, writer: Writer):
    run_id = dispatch(engine)
    with held_up(writer):
        answer = writer.submit(notes.add_logs, line(run_id))
        assert answer.cancel() is False
    assert answer.result(30) is None
    assert writer.call(notes.add_logs, line(run_id)) is None
