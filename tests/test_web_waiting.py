"""Why a run waits although nothing stands in its way: no slot is free for it."""

from ledger import fleet
from ledger.claims import Claims
from ledger.fleet import NewProcess
from tests.ledger_steps import claim, dispatch, dispatch_many
from tests.web_steps import (
    Site,
    text,
    visited,  # noqa: F401
)


def working(site: Site, *queues: str, slots: int = 2) -> Claims:
    process = NewProcess(kind="worker", jobs=["add"], queues=list(queues), slots=slots)
    fleet.register(site.engine, process)
    return Claims(process.id, process.name, process.jobs)


def why(site: Site, run_id: str) -> str:
    return text(site.page(f"/runs/{run_id}").select_one(".alert"))


def test_a_run_that_is_next_says_that_all_slots_are_busy_and_with_what(site: Site):
    by = working(site, "media", "mail", slots=3)
    dispatch_many(site.engine, 2, queue="mail")
    dispatch(site.engine, queue="media")
    claim(site.engine, by, 2, "mail")
    claim(site.engine, by, 1, "media")
    waiting = dispatch(site.engine, queue="media")
    page = site.page(f"/runs/{waiting}")
    said = "next in line; all 3 slots of the worker that serves “media” are busy, 2 of them with runs of other queues."
    assert said in text(page.select_one(".alert"))
    assert page.select_one(".alert a")["href"] == "/workers"


def test_slots_of_several_workers_are_counted_together(site: Site):
    for by in (working(site, "media"), working(site, "media")):
        dispatch_many(site.engine, 2, queue="media")
        claim(site.engine, by, 2, "media")
    first, second = dispatch_many(site.engine, 2, queue="media")
    assert "next in line; all 4 slots of the 2 workers that serve “media” are busy." in why(site, first)
    assert "1 ahead; all 4 slots" in why(site, second)


def test_newer_runs_that_go_first_by_their_priority_are_told(site: Site):
    working(site, "media")
    mine, _other = dispatch_many(site.engine, 2, queue="media")
    for _ in range(2):
        dispatch(site.engine, queue="media", priority=-1)
    assert "2 ahead, 2 of them newer, by their priority" in why(site, mine)


def test_nothing_is_said_of_slots_while_one_is_free(site: Site):
    by = working(site, "media")
    working(site, "other", slots=1)
    dispatch_many(site.engine, 2, queue="media")
    claim(site.engine, by, 1, "media")
    assert "slot" not in why(site, dispatch(site.engine, queue="media"))


def test_nothing_is_said_of_slots_where_nobody_serves_the_queue(site: Site):
    assert "slot" not in why(site, dispatch(site.engine, queue="media"))
