"""What people and jobs write fits into the columns of both databases, or is refused by both alike."""

import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Engine, select

from ledger import fleet, notes, progress, runs, texts
from ledger.engine import reading, writing
from ledger.fleet import Job, NewProcess
from ledger.notes import BODY_LIMIT, LogLine, NewArtifact
from ledger.tables import artifacts, jobs, logs, processes, rejected
from ledger.tables import runs as runs_table
from ledger.texts import ERROR_LIMIT, TRACEBACK_LIMIT, ResultTooLarge, clean, from_json, to_json
from tests.ledger_steps import (
    attempts,
    claim,
    dispatch,
    failed,
    finish,
    migrated,  # noqa: F401
    new_run,
    number_of,
    retried,
    row,
    running,
    succeeded,
    worker,
    written,
)

NASTY = ["a\x00b", "a\ud800b", "\udcff", "\U0001f600" * 50_000, "é" * 201, "two\nlines", ""]
VALUES = [
    "a\x00b",
    "\ud800",
    2**200,
    1e308,
    [None, True, {"é": []}],
    {"": {"\x00": "\udfff"}},
    "x" * 1_000_000,
]


def kept(engine: Engine, column) -> list[str]:
    with reading(engine) as connection:
        return list(connection.scalars(select(column)))


def fits(found: list[str], limit: int) -> bool:
    """Whether all of them are clean, and short enough for a column."""
    return len(found) > 0 and all(clean(text, 10**9) == text and len(text) <= limit for text in found)


def test_any_error_can_be_told(engine: Engine):
    for text in NASTY:
        run = running(engine)
        assert finish(engine, failed(run, error_type=text, error=text, traceback=text)) == [True]
        [attempt] = attempts(engine, run.id)
        assert fits([row(engine, run.id).error_type, attempt.error_type], 200)
        assert fits([row(engine, run.id).error, attempt.error], ERROR_LIMIT + 100)
        assert fits([attempt.traceback], TRACEBACK_LIMIT + 100)


def test_any_json_comes_back_as_it_was(engine: Engine):
    for value in VALUES:
        dispatch(engine, args=(value,), kwargs={"value": value}, options={"value": value})
        [run] = claim(engine, worker(engine))
        assert from_json(run.args) == {"args": [value], "kwargs": {"value": value}}
        assert from_json(run.options) == {"value": value}
        finish(engine, succeeded(run, result=texts.result_to_json(value)))
        assert from_json(row(engine, run.id).result) == value


def test_numbers_that_are_none_come_back_as_they_were(engine: Engine):
    run = running(engine, args=(math.nan, math.inf, -math.inf))
    nan, *infinities = from_json(run.args)["args"]
    assert math.isnan(nan) and infinities == [math.inf, -math.inf]
    finish(engine, succeeded(run, result=to_json(math.nan)))
    assert row(engine, run.id).result == "NaN"


def test_any_progress_log_line_and_title_can_be_told(engine: Engine):
    run = running(engine)
    for number, text in enumerate(NASTY):
        written(engine, progress.report, progress.Progress(run, number, None, text))
        assert fits([row(engine, run.id).progress_note], 600)
        written(engine, notes.add_logs, LogLine(run.id, 1, "INFO", text, text))
        told = {"title": text, "media_type": "text/plain", "size": 2**40, "path": f"{run.id}/1/{number}"}
        written(engine, notes.add_artifacts, NewArtifact(run_id=run.id, attempt=1, name=str(number), **told))
    assert fits(kept(engine, logs.c.logger), 200)
    assert fits(kept(engine, logs.c.message), 8_100)
    assert fits(kept(engine, artifacts.c.title), 200)


def test_any_message_can_be_rejected(engine: Engine):
    for text in NASTY:
        notes.reject(engine, "default", text, text.encode("utf-8", "surrogatepass"))
    notes.reject(engine, "default", "too long", b"\x00" * (BODY_LIMIT + 5))
    assert fits(kept(engine, rejected.c.reason), ERROR_LIMIT + 100)
    assert max(kept(engine, rejected.c.size)) == BODY_LIMIT + 5
    assert max(map(len, kept(engine, rejected.c.body))) == BODY_LIMIT


def test_any_job_can_be_announced(engine: Engine):
    for number, text in enumerate(NASTY):
        job = Job(f"job {number}", "default", 0, {"title": text}, text, text, {"help": text}, text)
        fleet.register(engine, NewProcess(kind="worker", version=text, jobs=[text], queues=[text]), [job])
    assert number_of(engine, jobs) == len(NASTY)
    assert fits(kept(engine, jobs.c.source), 400)
    assert fits(kept(engine, jobs.c.version) + kept(engine, processes.c.version), 100)
    assert [from_json(text)["title"] for text in kept(engine, jobs.c.parameters)] == NASTY


def test_any_reason_for_an_end_and_any_person_can_be_told(engine: Engine):
    for text in NASTY:
        by, run = worker(engine), running(engine)
        with writing(engine) as connection:
            fleet.stop(connection, by.worker_id, because=text)
        runs.cancel(engine, run.id, text)
        made = row(engine, dispatch(engine, created_by=text))
        assert fits([row(engine, run.id).canceled_by, made.created_by], 200)


@pytest.mark.parametrize("text", ["a\x00b", "a\ud800b", "é" * 201])
def test_a_name_that_cannot_be_kept_is_refused_before_anything_is_written(engine: Engine, text: str):
    for name in ("job", "queue", "message_id", "idempotency_key"):
        with pytest.raises(ValueError):
            runs.dispatch_many(engine, [new_run(), new_run(**{name: text})])
    assert number_of(engine, runs_table) == 0
    dispatch(engine, job="é" * 200, queue="ü" * 200, message_id="😀" * 200, idempotency_key="ß" * 200)


def test_a_number_that_cannot_be_kept_is_refused_before_anything_is_written(engine: Engine):
    for number in (
        {"priority": 2**31},
        {"priority": -(2**31)},
        {"due_at": 2**63},
        {"expires_at": -(2**63) - 1},
    ):
        with pytest.raises(ValueError):
            dispatch(engine, **number)
    assert number_of(engine, runs_table) == 0
    dispatch(engine, priority=2**31 - 1, due_at=2**62 - 1)


def test_the_message_of_a_failing_next_run_names_what_is_wrong(engine: Engine):
    run = running(engine)
    with pytest.raises(ValueError, match="idempotency_key"):
        finish(engine, retried(run, next_runs=[new_run(idempotency_key="k" * 201)]))
    assert row(engine, run.id).state == "running"


def test_a_result_has_a_largest_size():
    assert len(texts.result_to_json("x" * 1_000)) == 1_002
    with pytest.raises(ResultTooLarge, match="attach it as an artifact"):
        texts.result_to_json("x" * texts.RESULT_LIMIT)


@given(st.text(st.characters(exclude_categories=()), max_size=300), st.integers(10, 100))
def test_a_cleaned_text_is_short_clean_and_says_what_was_left_out(text: str, limit: int):
    found = clean(text, limit)
    found.encode()
    assert "\x00" not in found
    assert len(found) <= limit or "characters left out" in found
    assert clean(found, 1_000) == found


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(), lambda each: st.lists(each, max_size=3)
    )
)
def test_json_is_ascii_and_says_the_same(value):
    text = to_json(value)
    assert text.isascii()
    assert json.loads(text) == value == from_json(text)
