"""Between a claim and its body: who has a run, when claims are given back and made again."""

import os
import threading
from collections.abc import Iterator

import pytest
from sqlalchemy import Engine

from ledger import settings
from ledger.watch import open_watch
from ledger.writer import Writer
from tests.ledger_steps import attempts, dispatch, migrated, state, succeeded, worker  # noqa: F401
from tests.processes import wait_until
from workers.beginnings import PLACES_PER_SLOT, Beginnings
from workers.desk import Desk, Slots
from workers.interrupts import Guard
from workers.publisher import EmbeddedPublisher


@pytest.fixture
def desk(engine: Engine, tmp_path) -> Iterator[Desk]:
    writer, watch = Writer(engine), open_watch(engine)
    own = settings.load(waybill_var=tmp_path, _env_file=None)
    beginnings = Beginnings.of_slots(4)
    yield Desk(own, writer, watch, EmbeddedPublisher(), worker(engine), 4, beginnings)
    beginnings.close()
    writer.close()
    watch.close()


def test_a_claim_that_was_given_back_starts_nothing_when_its_run_was_claimed_anew(engine: Engine, desk: Desk):
    run_id = dispatch(engine)
    [old] = desk.claim("default", 1)
    desk.give_back(longer_than=0)
    desk.writer.flush(10)
    [new] = desk.claim("default", 1)
    assert (old.id, old.attempt) == (new.id, new.attempt)
    assert desk.begin(old, Guard()) is None
    assert desk.begin(new, Guard()) is not None
    assert desk.begin(old, Guard()) is None  # and does not disturb the other
    assert list(desk.at_work) == [new.key]
    desk.finish(succeeded(new))
    desk.writer.flush(10)
    assert (state(engine, run_id), desk.at_work) == ("succeeded", {})


def test_who_stops_claiming_holds_nothing_that_has_not_begun(engine: Engine, desk: Desk):
    begun, waiting = dispatch(engine), dispatch(engine)
    desk.begin(desk.claim("default", 1)[0], Guard())
    desk.claim("default", 1)
    desk.stop_claiming()
    desk.writer.flush(10)
    assert (state(engine, begun), state(engine, waiting)) == ("running", "queued")
    assert attempts(engine, waiting) == []
    assert desk.claim("default", 1) == []


def test_who_asks_first_for_a_slot_is_served_first():
    slots, served = Slots(1), []

    def ask(name: str) -> threading.Thread:
        asking = threading.Thread(target=lambda: served.append((name, slots.reserve(1, 30))))
        asking.start()
        return asking

    assert slots.reserve(8, 0) == 1
    waiting = []
    for name in ("first", "second"):
        waiting.append(ask(name))
        wait_until(lambda: len(slots._turns) == len(waiting), 5)
    assert slots.reserve(1, 0) == 0  # a third, in a hurry
    for number, asking in enumerate(waiting, start=1):
        slots.release()
        asking.join(10)
        assert len(served) == number
    assert served == [("first", 1), ("second", 1)]


def test_a_run_has_begun_until_the_ledger_has_its_ending(engine: Engine, desk: Desk):
    dispatch(engine), dispatch(engine)
    [first, second] = desk.claim("default", 2)
    assert desk.beginnings.begun() == frozenset()
    desk.begin(first, Guard())
    assert desk.beginnings.begun() == {first.id}
    seen_by_its_supervisor = Beginnings(os.dup(desk.beginnings.fd))
    assert seen_by_its_supervisor.begun() == {first.id}
    desk.finish(succeeded(first))
    wait_until(lambda: seen_by_its_supervisor.begun() == frozenset(), 10, "the ending is written")
    seen_by_its_supervisor.close()
    desk.give_back(longer_than=0)
    assert desk.begin(second, Guard()) is None
    assert desk.beginnings.begun() == frozenset()


def test_with_more_runs_than_places_nobody_claims_to_know_which_have_begun():
    beginnings = Beginnings.of_slots(1)
    for number in range(PLACES_PER_SLOT + 1):
        beginnings.note((f"{number:036}", "token"))
    assert beginnings.begun() is None
    beginnings.close()
