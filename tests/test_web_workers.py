"""The page of the workers: who is alive, what each does, draining, forgetting what has ended."""

from sqlalchemy import select

from ledger import fleet
from ledger.engine import reading, writing
from ledger.fleet import NewProcess
from ledger.tables import processes
from tests.ledger_steps import CRASH_LIMIT, cancel, claim, dispatch, draining, running, worker
from tests.test_ledger_drain import Family, family
from tests.web_steps import (
    Site,
    text,
    visited,  # noqa: F401
)


def state_of(site: Site, process_id: str) -> str:
    with reading(site.engine) as connection:
        return connection.scalar(select(processes.c.state).where(processes.c.id == process_id))


def row(page, process_id: str):
    return page.find(id=f"process-{process_id}")


def test_workers_stand_under_their_supervisor_with_slots_drawn_and_said(site: Site):
    made: Family = family(site.engine)
    running(site.engine, made.workers[0])
    page = site.page("/workers")
    assert "supervisor" in text(row(page, made.supervisor.id))
    assert "0 of 0" in text(row(page, made.workers[1].worker_id))
    assert not page.select(".empty")


def test_the_squares_of_slots_are_filled_for_those_that_are_busy(site: Site):
    process = NewProcess(kind="worker", queues=["default"], jobs=["add"], slots=4)
    fleet.register(site.engine, process)
    dispatch(site.engine)
    claim(site.engine, fleet_claims(process))
    shown = row(site.page("/workers"), process.id)
    assert (len(shown.select("rect.on")), len(shown.select("rect.off"))) == (1, 3)
    assert "1 of 4" in text(shown)


def fleet_claims(process: NewProcess):
    from ledger.claims import Claims

    return Claims(process.id, process.name, process.jobs)


def test_a_run_that_was_asked_to_stop_says_so_where_it_is_seen_at_work(site: Site):
    by = worker(site.engine)
    canceling, _other = running(site.engine, by), running(site.engine, by)
    cancel(site.engine, canceling.id)
    said = row(site.page("/workers"), by.worker_id).select(".st")
    assert [text(each) for each in said] == ["Canceling"]
    first, second = site.page("/").select("section.c4 table")[0].select("tr")
    assert "Canceling" in text(first) and "asked" in text(first) and "Canceling" not in text(second)


def test_a_version_that_differs_from_the_usual_one_is_marked(site: Site):
    made = [NewProcess(kind="worker", version=version) for version in ("2", "2", "1")]
    for process in made:
        fleet.register(site.engine, process)
    page = site.page("/workers")
    assert [bool(row(page, process.id).select(".differs")) for process in made] == [False, False, True]
    assert "most run 2" in text(row(page, made[2].id).select_one(".why"))


def test_a_worker_is_drained_after_a_question(site: Site):
    made = family(site.engine)
    first = made.workers[0].worker_id
    question = site.page(f"/workers/{first}/drain")
    assert "0 runs are at work there now." in text(question.main)
    assert site.press(question, "Drain").location == "/workers"
    assert state_of(site, first) == "draining"
    shown = row(site.page("/workers"), first)
    assert "drained by someone: starts no new runs" in text(shown)
    assert not shown.select(".btn")
    assert state_of(site, made.workers[1].worker_id) == "alive"


def registered(site: Site, *queues: str, **fields) -> NewProcess:
    process = NewProcess(kind="worker", jobs=["add"], queues=list(queues), **fields)
    fleet.register(site.engine, process)
    return process


def test_the_question_names_the_queues_that_nobody_else_serves(site: Site):
    alone, _other = registered(site, "imaging", "reports", "mail"), registered(site, "mail")
    asked = text(site.page(f"/workers/{alone.id}/drain").main)
    assert "Nobody else serves “imaging” and “reports”: what waits there waits until another worker comes." in asked
    assert "Nothing is lost" not in asked


def test_the_workers_of_a_supervisor_are_no_others_to_it(site: Site):
    supervisor = NewProcess(kind="supervisor")
    fleet.register(site.engine, supervisor)
    [first, _second] = [registered(site, "mail", supervisor_id=supervisor.id) for _ in range(2)]
    assert "Nobody else serves “mail”" in text(site.page(f"/workers/{supervisor.id}/drain").main)
    assert "Nothing is lost" in text(site.page(f"/workers/{first.id}/drain").main)


def test_a_supervisor_is_drained_with_all_its_workers(site: Site):
    made = family(site.engine)
    site.press(site.page(f"/workers/{made.supervisor.id}/drain"), "Drain")
    assert {state_of(site, each.worker_id) for each in made.workers} == {"draining"}


def test_a_drained_supervisor_without_workers_says_what_it_waits_for(site: Site):
    made = family(site.engine, 0)
    site.press(site.page(f"/workers/{made.supervisor.id}/drain"), "Drain")
    page = site.page("/workers")
    assert "starts none until it is restarted" in text(row(page, made.supervisor.id))
    assert "No worker is running" in text(page.main)


def test_draining_who_has_ended_says_so(site: Site):
    made = family(site.engine, 1)
    [by] = made.workers
    question = site.page(f"/workers/{by.worker_id}/drain")
    with writing(site.engine) as connection:
        fleet.stop(connection, by.worker_id)
    site.press(question, "Drain")
    assert "had ended, or was draining already" in text(site.page("/workers").main)


def test_who_is_gone_is_shown_with_the_reason_and_can_be_forgotten(site: Site):
    made = family(site.engine, 1)
    [by] = made.workers
    with writing(site.engine) as connection:
        fleet.declare_gone(connection, by.worker_id, "no sign of life for 30 s", CRASH_LIMIT)
    page = site.page("/workers")
    assert "no sign of life for 30 s; its runs went back" in text(row(page, by.worker_id))
    assert site.press(page, f"Forget {NewProcess(kind='worker').name}").status_code == 303
    assert row(site.page("/workers"), by.worker_id) is None


def test_who_is_alive_is_not_forgotten(site: Site):
    made = family(site.engine, 1)
    [by] = made.workers
    site.client.get("/workers")
    page = site.page("/workers")
    token = site.page(f"/workers/{by.worker_id}/drain").select_one("input[name=csrf_token]")["value"]
    site.client.post(f"/workers/{by.worker_id}/forgetting", data={"csrf_token": token})
    assert state_of(site, by.worker_id) == "alive"
    assert row(page, by.worker_id)


def test_a_process_that_nobody_knows_is_not_found(site: Site):
    assert "No such process" in text(site.page("/workers/nobody/drain", 404))


def test_strip_overview_and_page_count_the_same_workers(site: Site):
    worker(site.engine)
    assert text(site.page("/workers").select_one(".head small")) == "1 worker"
    draining(site.engine, worker(site.engine))
    page = site.page("/workers")
    assert text(page.select_one(".head small")) == "1 of 2 take runs; whoever drains or does not beat takes none"
    assert "1 of 2 workers" in text(page.select_one("#strip"))
    dispatch(site.engine)
    assert text(site.page("/").select_one(".well")).startswith("One thing needs you. 1 of 2 workers take runs,")


def test_who_ended_shows_its_queues_and_is_linked_where_nobody_serves_them_any_more(site: Site):
    gone = registered(site, "mail")
    dispatch(site.engine, queue="mail")
    assert "No worker serves" not in text(site.page("/").main)
    with writing(site.engine) as connection:
        fleet.declare_gone(connection, gone.id, "no sign of life for 30 s", CRASH_LIMIT)
    assert "mail" in [text(each) for each in row(site.page("/workers"), gone.id).select("td")]
    alert = next(each for each in site.page("/").select(".alert") if text(each.b) == "No worker serves “mail”.")
    assert f"The last one, {gone.name} , ended: no sign of life for 30 s." in text(alert)
    assert alert.a["href"] == f"/workers#process-{gone.id}"
