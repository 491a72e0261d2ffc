"""The demo jobs do what their forms say, outside a run and in one."""

import json
import time
from dataclasses import dataclass
from datetime import date

import pytest

from workers import context
from workers.catalog import announce, coerce
from workers.context import Canceled
from workers.jobs.demo import DeliberateFailure, count_primes, fail, fields, primes, sleep


@dataclass
class Start:
    """A run for ``context.current`` at some attempt, which is canceled ``cancel_after`` seconds from now."""

    attempt: int = 1
    cancel_after: float = float("inf")
    run_id: str = "run"

    def __post_init__(self) -> None:
        self.started = time.monotonic()
        context.current.set(self)

    def canceled(self) -> bool:
        return time.monotonic() - self.started > self.cancel_after

    def progress(self, done, total, note) -> None:
        self.last = (done, total, note)


@pytest.fixture(autouse=True)
def no_run_is_left():
    yield
    context.current.set(None)


@pytest.mark.parametrize(
    "limit, expected",
    [(0, 0), (1, 0), (2, 1), (3, 2), (4, 2), (25, 9), (1_000, 168), (200_000, 17_984), (10**6, 78_498)],
)
def test_primes_are_counted_as_the_tables_say(limit, expected):
    assert primes(limit)["primes"] == expected


def test_every_small_limit_is_counted_right():
    known = [n for n in range(2, 400) if all(n % d for d in range(2, n))]
    for limit in range(400):
        below = [n for n in known if n <= limit]
        assert count_primes(limit, lambda done: None) == (len(below), below[-1] if below else None)


def test_counting_reports_up_to_its_limit():
    run = Start()
    assert primes(600_000)["largest"] == 599_999
    assert run.last[:2] == (600_000, 600_000)


def test_sleep_sleeps_and_logs_a_line_per_fifth(caplog):
    caplog.set_level("INFO")
    assert sleep(0.2, 20) == {"slept": pytest.approx(0.2, abs=0.15), "steps": 20}
    assert [record.getMessage() for record in caplog.records][-1] == "slept 20 of 20 steps"
    assert len(caplog.records) == 5


def test_sleep_notices_a_cancel_quickly():
    run = Start(cancel_after=0.2)
    with pytest.raises(Canceled):
        sleep(60.0, 2)
    assert time.monotonic() - run.started < 20


@pytest.mark.parametrize("wrong", [{"seconds": -1.0}, {"steps": 0}], ids=str)
def test_sleep_refuses_what_cannot_be(wrong):
    with pytest.raises(ValueError):
        sleep(**wrong)


def test_fail_fails_as_often_as_asked_and_then_succeeds():
    for attempt in (1, 2):
        Start(attempt)
        with pytest.raises(DeliberateFailure, match="oops"):
            fail("oops", 2)
    Start(3)
    assert fail("oops", 2) == {"succeeded_at_attempt": 3}


def test_fields_returns_what_the_form_gave_with_its_type():
    typed = coerce(
        fields.fn, {"whole": 3, "day": "2026-02-03", "colour": "blue", "moment": None, "either": 7}
    )
    result = json.loads(json.dumps(fields(**typed)))
    assert typed["day"] == date(2026, 2, 3)
    assert result["day"] == {"type": "date", "value": "2026-02-03"}
    assert result["colour"] == {"type": "Colour", "value": "blue"}
    assert result["either"] == {"type": "int", "value": 7} and result["upload"]["value"] is None


def test_the_form_knows_the_limits_of_the_body():
    limit = announce(primes).parameters["properties"]["limit"]
    assert (limit["minimum"], limit["maximum"]) == (0, 10**10)
    for wrong in (-1, 10**10 + 1):
        with pytest.raises(ValueError, match="limit has to be from 0 to 10,000,000,000"):
            primes(wrong)


@pytest.mark.parametrize("actor", [sleep, fail, primes, fields])
def test_every_field_of_the_form_is_explained(actor):
    shown = announce(actor).parameters["properties"]
    assert shown and all(field.get("description") for field in shown.values())
    assert actor.queue_name == "default" and actor.actor_name.startswith("demo.")
